"""How much of a request's body is read, and what happens to one without a length."""

import tempfile

from django.conf import settings
from gunicorn.http.errors import ParseException

IN_MEMORY = 1024 * 1024  # bytes of a body without a length; a longer one goes into a temporary file
# The forms that upload a picture, and the one that uploads all content.
FILES = (
    "/admin/factsheets/figure/",
    "/admin/factsheets/teammember/",
    "/admin/clinic/",
    "/admin/factsheets/factsheet/import/",
)
PIECE = 64 * 1024  # bytes

# What is wrong with a body, for the middleware, in the request's environment under TROUBLE.
TROUBLE = "backcare.body"
NO_LENGTH, TOO_LARGE, UNREADABLE, LATE, LONG_HEAD = "no length", "too large", "unreadable", "late", "long head"

# If we answer and close while a proxy is still sending, its visitor sees "502" instead of our page.
MAX_DRAINED = 8 * 1024 * 1024  # bytes


def limit(path: str) -> int:
    """The maximum number of bytes that an address accepts."""
    if path.startswith(FILES):
        return settings.FIGURE_UPLOAD_MAX_MEMORY_SIZE
    if path.startswith("/admin/"):
        return settings.ADMIN_UPLOAD_MAX_MEMORY_SIZE
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def measure(environ: dict) -> tempfile.SpooledTemporaryFile | None:
    """Reads a body that names no length (Transfer-Encoding: chunked), which Django would take for empty, and gives it one.

    Returns the file that holds it, for the caller to close. What cannot be read is named in environ[TROUBLE], with the body empty.
    """
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if not coding or environ.get("CONTENT_LENGTH"):
        return None
    if coding != "chunked" or not environ.get("wsgi.input_terminated"):
        # Without knowing where the body ends, we would wait for ever.
        environ[TROUBLE] = NO_LENGTH
        return None
    most, length = limit(environ.get("PATH_INFO", "")), 0
    body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the request closes it
    try:
        while length <= most and (piece := environ["wsgi.input"].read(min(PIECE, most + 1 - length))):
            body.write(piece)
            length += len(piece)
    except TimeoutError:
        environ[TROUBLE] = LATE
    except (OSError, ParseException):  # a broken chunk, or the client has gone
        environ[TROUBLE] = UNREADABLE
    if length > most:
        environ[TROUBLE] = TOO_LARGE
    if TROUBLE in environ:
        body.close()
        return None
    body.seek(0)
    environ["wsgi.input"] = body
    environ["CONTENT_LENGTH"] = str(length)
    return body


def drain(environ: dict) -> None:
    """Reads the rest of a refused body, unless it is far too long, so that the client reads our response."""
    left = int(environ.get("CONTENT_LENGTH") or MAX_DRAINED)
    if left > MAX_DRAINED:
        return
    try:
        while left and (piece := environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)
    except (OSError, ParseException):
        return
