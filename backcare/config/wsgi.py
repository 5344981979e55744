import os
import time

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.http import HttpRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backcare.config.settings")
django.setup(set_prefix=False)

from backcare.config.middleware import transport_security  # noqa: E402 - they need the settings
from backcare.ops import request_bodies  # noqa: E402
from factsheets import page_cache  # noqa: E402


class Request(WSGIRequest):
    """Django's own takes a body without a length for an empty one, and raises for a Content-Type that it cannot parse, before
    anything is there to make an error page."""

    def __init__(self, environ):
        self.measured = request_bodies.measure(environ)
        super().__init__(environ)

    def close(self):
        super().close()
        if self.measured:
            self.measured.close()

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except ValueError:
            self.content_type = ""
            self.content_params = {"charset": "unreadable"}  # which RequestGuardMiddleware refuses


class Door(HttpRequest):
    """Just enough of a request to check its host and scheme."""

    def __init__(self, environ):
        self.META = environ

    def _get_scheme(self):
        return self.META["wsgi.url_scheme"]


class Application(WSGIHandler):
    """Serves cached pages (factsheets/page_cache.py) without Django, which would take most of the time."""

    request_class = Request

    def __call__(self, environ, start_response):
        if not is_plain_reading(environ):
            return super().__call__(environ, start_response)
        door = Door(environ)
        found = cached(environ) if page_cache.is_ours(door) else None
        if found is None:
            return super().__call__(environ, start_response)
        headers = found.headers
        if settings.SECURE_HSTS_SECONDS and door.is_secure():
            headers = [*headers, ("Strict-Transport-Security", transport_security())]
        start_response("200 OK" if found.status == 200 else "304 Not Modified", headers)
        return [found.body if environ["REQUEST_METHOD"] == "GET" else b""]


def is_plain_reading(environ) -> bool:
    """Whether RequestGuardMiddleware could find nothing wrong with it."""
    return (
        environ["REQUEST_METHOD"] in {"GET", "HEAD"}
        and environ.get("CONTENT_LENGTH", "") in {"", "0"}
        and not environ.get("CONTENT_TYPE")
        and not environ.get("HTTP_TRANSFER_ENCODING")
        and request_bodies.TROUBLE not in environ
        and not settings.DEBUG
    )


def cached(environ):
    """None if a connection to the database must be opened, renewed or closed, which Django does with each request."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is None or (database.close_at is not None and time.monotonic() >= database.close_at):
        return None
    try:
        return page_cache.ready(environ)
    except Error:
        return None


application = Application()
