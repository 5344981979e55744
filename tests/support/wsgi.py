"""Requests as bytes, passed straight to the application that gunicorn runs, with nothing in between to tidy them up."""

import io
from wsgiref.headers import Headers
from wsgiref.util import setup_testing_defaults

from django.core.signals import request_finished, request_started
from django.db import close_old_connections


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], content: bytes):
        self.status_code = int(status.split()[0])
        self.headers = Headers(headers)
        self.content = content


def ask(method: str = "POST", path: str = "/question/", body: bytes = b"", **environ) -> Answer:
    """`environ` overrides what a web server would say about the request: CONTENT_TYPE, HTTP_HOST, QUERY_STRING…"""
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_HOST": "testserver",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **environ,
    }
    setup_testing_defaults(request)
    from backcare.config.wsgi import application  # here, because it needs the collected static files

    told = []
    # As Django's test client does, so that the end of a request does not end the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        response = application(request, lambda status, headers, error=None: told.extend([status, headers]))
        content = b"".join(response)
        response.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return Answer(*told, content)
