import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

from backcare.ops import request_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backcare.config.settings")


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


application = get_wsgi_application()
application.request_class = Request
