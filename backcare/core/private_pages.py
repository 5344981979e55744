"""Pages that are one person's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache


def referrer_policy(request: HttpRequest) -> str:
    """A browser that knows Sec-Fetch-Site proves with it that a form is ours. An older one has only Origin for that, and under
    "no-referrer" it would send "null" and be refused. Under "same-origin" no other site learns anything either.
    """
    return "no-referrer" if "Sec-Fetch-Site" in request.headers else "same-origin"


def personal(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keeps a page out of caches, search engines and the Referer header."""

    @wraps(view)
    def private(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.setdefault("X-Robots-Tag", "noindex")
        response["Referrer-Policy"] = referrer_policy(request)
        return response

    return never_cache(private)
