"""What may be logged: our own words, within limits, but never what a patient typed or a stranger sent."""

import json
import logging
import re
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus

from django.urls import Resolver404, resolve

# The links in our emails have a secret in their address.
SECRET_IN_ADDRESS = re.compile(
    r"(/report/summary/|/report/stop/|/report/delete/|/request/|/staff/calendar/|"
    r"/admin/login/(?:new-password|invitation)/|/(?:consultation|question|report)/sent/)[^/\s\"']+"
)

# Django writes addresses and host names as they were sent under these names.
ABOUT_REQUESTS = ("django.request", "django.security", "django.server", "modern_csrf")
# Lines that strangers can cause at will. All lines about email and accepted forms are kept.
CAUSED_BY_STRANGERS = (*ABOUT_REQUESTS, "gunicorn", "backcare", "factsheets")

MAX_LINES_PER_MINUTE = 20  # lines of one kind from one process
MINUTE = 60  # seconds


# As enquiries/models/enquiry.py draws them.
ENQUIRY_REFERENCE = re.compile(r"\b[BCDFGHJKMNPQRTVWXY346789]{4}-[BCDFGHJKMNPQRTVWXY346789]{4}\b")
# Identifies the present request, and so connects its log lines with each other and with an error page.
REQUEST: ContextVar[str] = ContextVar("request", default="")


@contextmanager
def about_one_request() -> Iterator[None]:
    token = REQUEST.set(secrets.token_hex(4))
    try:
        yield
    finally:
        REQUEST.reset(token)


def without_secrets(text: str) -> str:
    return SECRET_IN_ADDRESS.sub(r"\1…", text)


def is_under(name: str, parents: tuple[str, ...]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


class WithoutRequestValues(logging.Filter):
    """Drops the parts of a record that can carry what a person typed or sent.

    An exception's text can hold a posted value (a database error quotes the row), so a traceback keeps its places and classes
    and loses its values. A line about a request keeps the kind of trouble and the pattern of the address.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        refused = about_request(record)
        if refused and getattr(record, "status_code", 500) < 500:
            record.exc_text = None  # where we refused it does not matter
        elif record.exc_info:  # also when another handler has already written the whole of it into exc_text
            record.exc_text = self.without_values(record.exc_info)
        record.exc_info = None
        message = refused or without_secrets(record.getMessage())
        record.msg, record.args = message, ()
        return True

    @staticmethod
    def without_values(exc_info) -> str:
        kind, error, trace = exc_info
        lines = []
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        chain = []
        while error is not None and len(chain) < 8:
            chain.append(type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(["Traceback (values left out):", *lines, " from ".join(chain) or str(kind)])


def about_request(record: logging.LogRecord) -> str:
    """What a log record about a request may say. Empty for all other records."""
    if record.name == "gunicorn.error":
        return about_bytes(record)
    if not is_under(record.name, ABOUT_REQUESTS):
        return ""
    status = getattr(record, "status_code", None)
    if record.name.startswith("django.security."):
        # The name is the class of the exception: DisallowedHost, RequestDataTooBig.
        return f"Refused: {record.name.rpartition('.')[2]}"
    if status is None:
        return ""
    try:
        kind = HTTPStatus(status).phrase
    except ValueError:
        kind = f"Answered {status}"
    return f"{kind}: {pattern(getattr(getattr(record, 'request', None), 'path_info', ''))}"


def pattern(path: str) -> str:
    """The pattern of an address, without the parts that a sender chooses, such as /fact-sheets/<slug:slug>/."""
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return "no address of ours"


def about_bytes(record: logging.LogRecord) -> str:
    """gunicorn names the sender's network address, and quotes what it could not read. A broken connection has no traceback."""
    message = record.msg if isinstance(record.msg, str) else ""
    if message.startswith("Invalid request from ip="):
        error, record.exc_info = sys.exc_info()[1], None
        return f"Refused, not readable as HTTP: {type(error).__name__ if error else 'no more is known'}"
    if message.startswith("Error handling request"):
        return "Error handling request"
    if message.startswith("Socket error processing request"):
        error, record.exc_info = sys.exc_info()[1], None
        return f"A connection broke: {type(error).__name__ if error else 'no more is known'}"
    return ""


class PlainLine(logging.Formatter):
    """A line for people. Errors have the code that their page shows."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record)
        return f"{line} [{REQUEST.get()}]" if record.levelno >= logging.ERROR and REQUEST.get() else line


class JsonLine(logging.Formatter):
    """A line of JSON for log collectors (LOG_FORMAT=json), with the references of its request and its enquiry."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if request := REQUEST.get():
            line["request"] = request
        if enquiry := ENQUIRY_REFERENCE.search(message):
            line["enquiry"] = enquiry[0]
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


class CutOff(logging.Filter):
    """Writes so many lines of one kind a minute, counts the rest, and says the count when the minute is over.

    A record may come to several handlers, each with this filter or one like it: it is counted once, and all write it or none.
    """

    def __init__(self, most: int = MAX_LINES_PER_MINUTE, clock=time.monotonic):
        super().__init__()
        self.most, self.clock = most, clock
        self.lock = threading.Lock()
        self.lines: dict[tuple[str, int, str], int] = {}
        self.minute = clock()

    def filter(self, record: logging.LogRecord) -> bool:
        if "is_written" not in vars(record):
            vars(record)["is_written"] = self.is_written(record)
        return bool(vars(record)["is_written"])

    def is_written(self, record: logging.LogRecord) -> bool:
        if self.clock() - self.minute >= MINUTE:
            self.tell()
        if record.levelno < logging.WARNING or not is_under(record.name, CAUSED_BY_STRANGERS):
            return True
        kind = (record.name, record.levelno, record.getMessage())
        with self.lock:
            self.lines[kind] = self.lines.get(kind, 0) + 1
            return self.lines[kind] <= self.most

    def tell(self) -> None:
        with self.lock:
            counted, self.lines = self.lines, {}
            self.minute = self.clock()
        for (name, level, message), lines in counted.items():
            if lines > self.most:
                # Under a name whose lines are never dropped.
                logging.getLogger("counted").log(level, "%s more like this: %s: %s", lines - self.most, name, message)


def tell_counts() -> None:
    """Called when the process ends, because there is no next minute."""
    for name in ("", "gunicorn.error"):
        for handler in logging.getLogger(name).handlers:
            for counting in handler.filters:
                if isinstance(counting, CutOff):
                    counting.tell()
