"""Every public address, found by walking the URLconf, so that a new one cannot stay untested."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

EXAMPLES = {
    "number": "1",
    "slug": "about-back-pain",
    "page": "check",  # of a form
    "at": "check",
    "token": "x",
    "said": "yes",
    "first": "helps",
    "second": "recent-pain",
}  # for each name in an address
FORMER_PAGE = "how-your-back-is-built"  # of a sheet
NOT_PUBLIC = {"admin"}
# The files of an uploaded picture (test_pictures_shown.py uploads one first), the desk's pages outside the admin, and the one that
# needs a monitor's token (test_metrics.py).
ELSEWHERE = ("/pictures/", "/admin/", "/metrics")


def public_addresses() -> dict[str, URLPattern]:
    """Maps each address to its pattern. Fails if it has no example for a part of an address."""
    return dict(_walk(get_resolver().url_patterns, "/"))


def _walk(patterns, before: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name not in NOT_PUBLIC:
                yield from _walk(pattern.url_patterns, route)
        elif not route.startswith(ELSEWHERE):
            for name, converter in pattern.pattern.converters.items():
                assert name in EXAMPLES, f"Add an example of “{name}” for {route}."
                example = FORMER_PAGE if name == "page" and route.startswith("/fact-sheets/") else EXAMPLES[name]
                route = route.replace(f"<{_kind(converter)}:{name}>", example)
            assert "<" not in route, f"No address could be made from {route}."
            yield route, pattern


def _kind(converter) -> str:
    kind = type(converter).__name__.removesuffix("Converter").lower()
    return "str" if kind == "string" else kind
