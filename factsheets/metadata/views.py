from functools import wraps
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from factsheets.metadata import card as social_card
from factsheets.metadata import feeds, robots_files
from factsheets.page_cache import cached_page, shared

IMAGES = {"favicon.ico": "image/x-icon", "touch.png": "image/png"}


def public(view):
    """The same answer for everybody, kept ready."""

    @cached_page
    @require_safe
    @wraps(view)
    def answer(request, **parts):
        body, content_type = view(**parts)
        return shared(HttpResponse(body, content_type=content_type))

    return answer


@public
def feed():
    return feeds.atom(), "application/atom+xml; charset=utf-8"


@public
def sitemap():
    return feeds.sitemap(), "application/xml; charset=utf-8"


@public
def robots():
    return robots_files.robots(), "text/plain; charset=utf-8"


@public
def security():
    return robots_files.security(), "text/plain; charset=utf-8"


@public
def card():
    return social_card.png(), "image/png"


@public
def image(name: str):
    """A file in static/img/ that browsers and other sites ask for by a name that must not change."""
    return Path(finders.find(f"img/{name}")).read_bytes(), IMAGES[name]
