"""The links of sources and texts on the desk: which have moved, gone or changed, and what to do about each."""

from datetime import timedelta

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backcare.core.forms import as_number
from factsheets import actions, link_check, shared_revisions
from factsheets.admin.shared_history import place_of
from factsheets.models import LinkOutcome, Source, SourceLink

WORDS = {
    LinkOutcome.GONE: (
        "Gone",
        "The page says that it is no longer there. Open it to be sure. Then find another address or another source.",
    ),
    LinkOutcome.MOVED: ("Moved for good", "The old address redirects to a new one. Open it before you accept it."),
    LinkOutcome.CHANGED: (
        "Changed since somebody last read it",
        "Read the page again. If it still says what the fact sheets say, press the button. If not, change the sheets first.",
    ),
    LinkOutcome.UNREACHABLE: (
        "Could not be reached",
        "On three days or more. Some publishers turn programs away: open the link to see if it works for you.",
    ),
}
# Some hosts refuse programs what they show to people.
UNSURE = [LinkOutcome.GONE, LinkOutcome.UNREACHABLE]
AFTER_OPENING = timedelta(days=link_check.DAYS_AFTER_OPENING)
CHANGED = "That has changed in the meantime. Check it again."


def to_look_at() -> list[SourceLink]:
    """The links that need attention. Each link of a text names the sections that hold it in `places`."""
    many_days = {"outcome": LinkOutcome.UNREACHABLE, "failed_days__lt": link_check.DAYS_BEFORE_IT_COUNTS}
    opened = {"outcome__in": UNSURE, "opened_on__gt": timezone.localdate() - AFTER_OPENING}
    found = SourceLink.objects.exclude(outcome=LinkOutcome.FINE).exclude(**many_days).exclude(**opened)
    found = found.select_related("source")
    return [link for link in found if link.source or _named(link)]


def _named(link: SourceLink) -> list:
    """Where texts link to it. Empty if none does any longer, and then it needs no attention."""
    link.places = link_check.places_of(link.address)
    return link.places


@require_http_methods(["GET", "HEAD", "POST"])
def links(request):
    verb = "change" if request.method == "POST" else "view"
    if not request.user.has_perm(f"factsheets.{verb}_source"):
        raise PermissionDenied
    if request.method == "POST":
        return _settle(request)
    listed = to_look_at()
    for link in listed:
        if link.source:
            link.uses = [(use, place_of(use)) for use in shared_revisions.uses(link.source)]
    known = {link.source_id or link.address: link for link in SourceLink.objects.select_related("source")}
    wanted = [source.pk for source in Source.objects.all() if source.address] + link_check.in_texts()
    asked = [known[each] for each in wanted if each in known]
    again = [link for link in asked if link.outcome in UNSURE and link not in listed]
    context = admin.site.each_context(request) | {
        "title": "Check of the links",
        "opts": Source._meta,
        "groups": [
            {"title": title, "what": what, "links": found}
            for outcome, (title, what) in WORDS.items()
            if (found := [link for link in listed if link.outcome == outcome])
        ],
        "again": [link for link in again if link.source or _named(link)],
        "fine": sum(link.outcome == LinkOutcome.FINE for link in asked),
        "never": len(wanted) - len(asked),
        "last": max((link.checked_at for link in asked), default=None),
        "may_write": request.user.has_perm("factsheets.change_source"),
    }
    return render(request, "admin/factsheets/links.html", context)


def _settle(request):
    """Takes a new address, or notes that somebody has read a changed page or opened one that the check could not."""
    number = as_number(request.POST.get("link", ""))
    do = request.POST.get("do")
    link = SourceLink.objects.select_related("source").filter(pk=number).first()
    seen = request.POST.get("seen", "")
    if link is None:  # settled in another tab, or its source was deleted
        messages.warning(request, CHANGED)
    elif do == "opened" and link.outcome in UNSURE and seen == str(link.status) and link_check.opens_for_people(link):
        messages.success(request, f"Noted: it opens for you. {link.source or link.address}")
    elif link.source is None:
        messages.warning(request, CHANGED)
    elif do == "take" and link.outcome == LinkOutcome.MOVED and seen == link.moved_to:
        _take(request, link)
    elif (
        do == "read" and link.outcome == LinkOutcome.CHANGED and seen == link.new_digest and link_check.read_again(link)
    ):
        messages.success(request, f"Noted: somebody has read “{link.source}” as it is now.")
    else:
        messages.warning(request, CHANGED)
    return HttpResponseRedirect(reverse("admin:factsheets_source_links"))


def _take(request, link: SourceLink) -> None:
    source = link.source
    if source.url != link.address:
        messages.warning(request, f"Somebody has changed the address of “{source}” in the meantime.")
        return
    before = shared_revisions.snapshot(source)
    source.url = link.moved_to
    try:
        source.full_clean()
    except ValidationError as error:
        messages.error(request, f"Not taken. {' '.join(error.messages)} Enter it by hand on the page of “{source}”.")
        return
    with transaction.atomic():
        source.save()
        note = "The page has moved. Found by the check of the links."
        shared_revisions.keep(record=source, before=before, by=request.user, note=note)
        LogEntry.objects.log_actions(request.user.pk, [source], CHANGE, note, single_object=True)
        changed = [sheet.title for sheet in actions.refresh_changed() if sheet.is_published]
        link.delete()
    told = f" Changed in: {', '.join(changed)}." if changed else ""
    messages.success(request, f"“{source}” has its new address.{told}")
