import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backcare.settings")


class Request(WSGIRequest):
    """Django's own raises for a Content-Type that it cannot parse, before anything is there to make an error page."""

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except ValueError:
            self.content_type = ""
            self.content_params = {"charset": "unreadable"}  # which DoorsMiddleware refuses


application = get_wsgi_application()
application.request_class = Request
