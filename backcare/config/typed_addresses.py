"""Addresses as people type them or copy them from a sentence: with capitals, a doubled slash, or a full stop at the end."""

import re
from http import HTTPStatus

from django.db import Error
from django.http import HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils.encoding import escape_uri_path

from backcare.config.middleware import is_private
from factsheets.models import FactSheet, FormerAddress, State
from factsheets.page_cache import shared

SLASHES = re.compile(r"[/\\]+")
AFTER_AN_ADDRESS = " \t.,;:!?'\"’”»…*_<>()[]{}/\\"
MAX_CHARACTERS = 200  # no page of ours has a longer address


class TypedAddressMiddleware:
    """Redirects from an address at which there is nothing to the page that was meant, if there is one.

    The new address is always a path on this site that leads to a page. Private links are left alone, because their capitals
    count, and so is the staff desk.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code != HTTPStatus.NOT_FOUND or request.method not in {"GET", "HEAD"}:
            return response
        path = meant(request.path_info)
        if not path:
            return response
        query = request.META.get("QUERY_STRING", "")
        return shared(HttpResponsePermanentRedirect(escape_uri_path(path) + (f"?{query}" if query else "")))


def meant(typed: str) -> str:
    """The path of the public page that `typed` is a slip for, or an empty text."""
    # One without a slash, "*", asks about the server itself.
    if not typed.startswith("/") or len(typed) > MAX_CHARACTERS or is_private(typed):
        return ""
    path = SLASHES.sub("/", f"/{typed.strip()}").rstrip(AFTER_AN_ADDRESS).lower()
    return next((each for each in (f"{path}/", path) if each not in {typed, ""} and _is_a_page(each)), "")


def _is_a_page(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    if is_private(path) or match.namespace not in {"factsheets", "enquiries"}:
        return False
    try:
        return _is_of_a_sheet(**match.captured_kwargs) if match.captured_kwargs else True
    except Error:  # the database cannot be asked: then the page that says "not found" is the honest one
        return False


def _is_of_a_sheet(slug: str = "", page: str = "", **more) -> bool:
    """Whether readers find something there. `page` is a section that once had an address of its own below its sheet's."""
    if more or not slug:
        return False
    if FormerAddress.objects.filter(slug=slug).exists():
        return True
    sheet = FactSheet.objects.filter(slug=slug, state__in=[State.PUBLISHED, State.RETIRED]).first()
    if sheet is None or not page:
        return sheet is not None
    return any(page in {each["slug"], *each.get("also", [])} for each in sheet.document.get("sections", []))
