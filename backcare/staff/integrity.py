"""Scripts of the desk carry the hash of their file (W3C Subresource Integrity): a browser runs no other bytes.

Django's admin writes its script elements in many places: in templates, in the media of forms, in answers to pop-up windows. One
step on the finished page reaches them all. A hash is made when a script is first met, and kept by the process: the name of a
collected file changes with its content.
"""

import base64
import hashlib
import re
from functools import cache

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import MiddlewareNotUsed
from django.urls import reverse
from django.views.i18n import JavaScriptCatalog

# What people wrote stands in a page as &lt; and &gt;, so this finds elements only.
SCRIPT = re.compile(rb'<script\b(?P<before>[^>]*?)\bsrc="(?P<address>[^"]+)"(?![^>]*\bintegrity=)')


class IntegrityMiddleware:
    """Not in DEBUG: files change there under one name while the server runs."""

    def __init__(self, get_response):
        if settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        page = not response.streaming and response.get("Content-Type", "").startswith("text/html")
        if page and request.path_info.startswith(reverse("admin:index")):
            response.content = SCRIPT.sub(with_hash, response.content)
        return response


def with_hash(script: re.Match) -> bytes:
    digest = hash_of(script["address"].decode())
    return script[0] + (f' integrity="{digest}"'.encode() if digest else b"")


@cache
def hash_of(address: str) -> str:
    """Empty for what is no file of ours. tests/secure/test_integrity.py fails on such a script; staff can work without it."""
    if address == reverse("admin:jsi18n"):
        content = catalog()
    else:
        name = address.removeprefix(settings.STATIC_URL)
        if name == address or not staticfiles_storage.exists(name):
            return ""
        with staticfiles_storage.open(name) as file:
            content = file.read()
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


@cache
def catalog() -> bytes:
    """The words and formats that Django's own scripts use. We have one language, so they are the same for everybody."""
    return JavaScriptCatalog(packages=["django.contrib.admin"]).get(None).content
