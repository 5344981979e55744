"""Reports errors to a service such as Sentry. Off unless SENTRY_DSN is set.

Sentry's package would send the request, what was posted and each function's variables, and take out what it knows to be secret.
Here it only delivers: a report holds what our log says (ops/logs.py), and nothing that is not named below.
"""

import logging
import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from backcare.ops.logs import ENQUIRY_REFERENCE, REQUEST

PLACE = re.compile(r"  (?P<filename>.+):(?P<lineno>\d+) in (?P<function>\S+)")
LAST_WORDS = 2  # seconds to send what is left when a process ends


class Reporter(logging.Handler):
    """Sends each error. Needs the filters of the log in front of it, which leave out every value."""

    def __init__(self, dsn: str):
        super().__init__(logging.ERROR)
        try:
            import sentry_sdk
        except ImportError:
            raise ImproperlyConfigured(
                "SENTRY_DSN is set, and sentry-sdk is not installed: pip install --require-hashes -r requirements-sentry.txt"
            ) from None
        from sentry_sdk.utils import BadDsn

        try:
            self.client = sentry_sdk.Client(
                dsn=dsn,
                release="",  # it would ask git
                default_integrations=False,
                auto_enabling_integrations=False,
                send_default_pii=False,
                include_local_variables=False,
                include_source_context=False,
                max_request_body_size="never",
                max_breadcrumbs=0,
                server_name="",
                send_client_reports=False,
                auto_session_tracking=False,
            )
        except BadDsn:
            raise ImproperlyConfigured("SENTRY_DSN cannot be read. Write it like https://key@host/number") from None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.client.capture_event(event(record))
        except Exception:  # noqa: BLE001 - whatever it is, the log has it, and nobody's answer waits for it
            self.handleError(record)

    def close(self) -> None:
        if hasattr(self, "client"):
            self.client.close(timeout=LAST_WORDS)
        super().close()


def event(record: logging.LogRecord) -> dict[str, Any]:
    """What a line of our log says, in Sentry's words (https://develop.sentry.dev/sdk/data-model/event-payloads/)."""
    message = record.getMessage()
    told: dict[str, Any] = {
        "platform": "python",
        "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
        "logger": record.name,
        "logentry": {"formatted": message},
        "tags": {},
    }
    if request := REQUEST.get():
        told["tags"]["request"] = request
    if enquiry := ENQUIRY_REFERENCE.search(message):
        told["tags"]["enquiry"] = enquiry[0]
    if record.exc_text:
        lines = record.exc_text.splitlines()
        frames = [
            found.groupdict() | {"lineno": int(found["lineno"])} for found in map(PLACE.fullmatch, lines) if found
        ]
        error = {"type": lines[-1].partition(" from ")[0], "value": lines[-1], "stacktrace": {"frames": frames}}
        told["exception"] = {"values": [error]}
    return told
