"""What programs read at addresses of their own: feed, sitemap, robots.txt, security.txt, icons and the shared picture."""

import json
from functools import wraps
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from factsheets.compiler import compiler
from factsheets.glyphs import FONTS, printable
from factsheets.metadata import feeds, robots_files
from factsheets.page_cache import cached_page, shared
from factsheets.pdf import MODULES, TEMPLATES, with_logo
from factsheets.rendering.printed import letterhead

IMAGES = {"favicon.ico": "image/x-icon", "touch.png": "image/png"}


def public(view):
    """The same answer for everybody, cached."""

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
def social_card():
    """The picture beside a link to any of our pages on other sites: one for all, with the clinic's logo or name and its colour.

    1200 by 630 pixels, which is what the sites that show it ask for. Raises CompileError.
    """
    files: dict[str, Path | bytes] = {}
    known = with_logo(letterhead(), files)
    words = {"clinic": {name: known[name] for name in ("name", "colours", "logo")}}
    files |= MODULES | {"main.typ": TEMPLATES / "social_card.typ", "data.json": json.dumps(printable(words)).encode()}
    return compiler.compile(files, root=TEMPLATES, fonts=FONTS, format="png", ppi=72), "image/png"


@public
def image(name: str):
    """A file in static/img/ that browsers and other sites ask for by a name that must not change."""
    return Path(finders.find(f"img/{name}")).read_bytes(), IMAGES[name]
