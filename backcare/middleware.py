"""Doors that every request passes."""

import logging
from http import HTTPStatus

from django.conf import settings
from django.db import InterfaceError, OperationalError

from backcare import errors

logger = logging.getLogger(__name__)

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class DoorsMiddleware:
    """Refuses what cannot be an honest request before anything reads it, and puts headers on every answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.refusal(request) or self.get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response

    def refusal(self, request):
        if request.method in {"TRACE", "TRACK", "CONNECT"}:
            return errors.plain(HTTPStatus.METHOD_NOT_ALLOWED, "This method is not used here.")
        limit = (
            settings.ADMIN_UPLOAD_MAX_MEMORY_SIZE
            if request.path_info.startswith("/admin/")
            else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        )
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return errors.plain(HTTPStatus.BAD_REQUEST, "The request could not be read.")
        if int(length) > limit:
            return errors.too_large(request)
        if "\x00" in request.path_info:
            return errors.plain(HTTPStatus.BAD_REQUEST, "The address could not be read.")
        return None


class DatabaseTroubleMiddleware:
    """A database that is locked, full, read-only or away is "not saved, please telephone", not a crash page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, OperationalError | InterfaceError):
            logger.error("Database trouble at %s: %s", request.path_info, type(exception).__name__)
            return errors.unavailable(request)
        return None
