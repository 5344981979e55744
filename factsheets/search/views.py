from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from factsheets import safety, situations
from factsheets.models import ContentVersion, FactSheet, State, Tier
from factsheets.rendering.sheet import TRADITIONAL_LABEL
from factsheets.search import failed_searches, redflags
from factsheets.search.answer import Answer, answer, examples
from factsheets.search.text import readable

SHEETS_LISTED = 12  # where there are no results


@require_safe
def search(request):
    """The search box alone, or the results. Sets no cookie, and keeps what was typed out of logs and caches."""
    # The warnings, the index and the clinic's details each depend on the content version.
    with ContentVersion.held():
        return _search(request)


def _search(request) -> HttpResponse:
    tiers = safety.tiers()
    given = answer(request.GET.get("q", ""), _number(request.GET.get("page", "")))
    context = {
        "safety_tiers": tiers,
        "answer": given,
        "cards": _cards(tiers, given),
        "crisis": safety.CRISIS,
        "traditional_label": TRADITIONAL_LABEL,
        # Nobody in a crisis should be shown where our sheets say “top”.
        "sheets": _some_sheets() if given.reading.crisis else [],
        "situations": _situations() if given.typed and not given.hits else [],
        "examples": [] if given.typed else examples(),
        # Words that might identify somebody are not counted, so the page does not offer to.
        "can_tell": bool(failed_searches.normal(given.typed)) and not given.reading,
    }
    page = render(request, "factsheets/search.html", context)
    if not given.typed:
        patch_cache_control(page, public=True, no_cache=True)
        return page
    response = _CountsMiss(page.content, given)
    # The page is the same for everyone, but a cache would then hold what people search for.
    response["Cache-Control"] = "no-store"
    # The address holds what was typed, so no page opened from here, even ours, may learn it.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_POST
def tell(request):
    """One tap reports that this search did not find what somebody wanted. It is counted by the rules of failed searches."""
    typed = readable(request.POST.get("words", ""))
    if not redflags.read(typed):
        failed_searches.count(typed, told=True, is_counted=request.POST.get("counted") == "yes")
    return redirect("factsheets:search_thanks")


@require_safe
def thanks(request):
    """What happens with it; the same page for everyone."""
    page = render(request, "factsheets/search_thanks.html", {"safety_tiers": safety.tiers()})
    patch_cache_control(page, public=True, no_cache=True)
    page["X-Robots-Tag"] = "noindex"
    return page


class _CountsMiss(HttpResponse):
    """Counts a search that found nothing good once the server closes the response, when the reader already has it."""

    def __init__(self, content: bytes, given: Answer):
        super().__init__(content)
        self.missed = given.typed if not given.found.is_good and not given.reading else ""

    def close(self):
        try:
            if self.missed:
                failed_searches.count(self.missed)
        finally:
            super().close()


def _cards(tiers: list[dict], given: Answer) -> list[dict]:
    """The tiers that the search sounds like, with the signs it sounds like first."""
    codes = {Tier.EMERGENCY: given.reading.emergency, Tier.URGENT: given.reading.urgent}
    cards = []
    for tier in tiers:
        named = codes.get(tier["tier"], ())
        if named:
            cards.append({**tier, "items": sorted(tier["items"], key=lambda item: item["code"] not in named)})
    return cards[:1]  # the gravest only, because two cards would push the results down


def _situations() -> list[dict]:
    """The home page's cards, for people who found nothing."""
    slugs = [each.sheet for each in situations.CARDS]
    return situations.cards(list(FactSheet.objects.published().filter(slug__in=slugs)))


def _some_sheets() -> list[FactSheet]:
    """Published sheets for people in a crisis, in list order. All of them, unless there are very many."""
    # By number, so that the database can stop at the last one instead of sorting thousands.
    sheets = FactSheet.objects.filter(state=State.PUBLISHED).order_by("pk").select_related("topic")
    some = sheets.defer("document", "key_points")[:SHEETS_LISTED]
    return sorted(some, key=lambda sheet: (sheet.topic.position, sheet.position, sheet.slug))


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1
