"""An enquiry's page: who it is, what they wrote, the next step, and what has happened so far. It is one form."""

import json
from datetime import datetime, timedelta

from django.db.models import Q
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html_join
from django.utils.text import capfirst

from backcare.core import blind_index, phones
from backcare.core.encryption import CannotDecrypt, readable
from enquiries import clock, staff_members
from enquiries.actions import by_patient, contact, triage
from enquiries.admin import autosave, inbox, replies, step_forms
from enquiries.admin.corrections import failed_mails
from enquiries.admin.message import send_again_button, state_in_words
from enquiries.assessment import handover
from enquiries.clock import day_words
from enquiries.inbox import calls, safety_lane
from enquiries.links import MAX_WRONG_TRIES
from enquiries.models import Agreement, Assessment, Enquiry, EnquiryEvent, EnquiryKind, EventKind, StaffDraft, Status
from factsheets import team

LOOKING, WRITING = timedelta(minutes=5), timedelta(minutes=2)
MAX_DUPLICATES = 10
LATE = {"wait", "later", "close"}  # below the handover, because they end the work on it for now
# Actors who are not staff, as staff see them.
ACTORS = {"patient": "The patient", "mail worker": "The system", "retention": "The system"}
LOOKS = [EventKind.VIEWED, EventKind.READ]
# For these the summary, if there is one, is the whole line: “Assigned to Dr Rees”.
TOLD_BY_SUMMARY = {EventKind.ASSIGNED, EventKind.LINKED, EventKind.NOTE}


def render(model_admin, request, enquiry: Enquiry, *, bound=None, refusal: str = "", status: int = 200):
    """The page, with the reader's own draft. `bound` maps the name of a refused step to its form, filled in as it was sent."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": enquiry,
        **_context(request, enquiry, bound or {}, may_act=model_admin.has_change_permission(request)),
        "told_us": model_admin.told_us(request, enquiry),
        "refusal": refusal,
        "errors": any(form.errors for form in (bound or {}).values()),
        "to_refused": format_html_join(
            " ", '<a href="#step-{}">Go to “{}”</a>', ((name, form.heading) for name, form in (bound or {}).items())
        ),
    }
    return TemplateResponse(request, "admin/enquiries/enquiry/change_form.html", context, status=status)


def due(enquiry: Enquiry, reply_clock) -> tuple[str, bool]:
    """The promise in words, and whether it is broken. Empty if nothing is due: it is done, waiting, or had no promise."""
    if enquiry.status == Status.WAITING and enquiry.is_back:
        return f"No answer by {enquiry.return_on:%-d %B}", True
    if enquiry.waiting_since:
        return f"Paused: waiting for patient until {enquiry.return_on:%-d %B}", False
    if enquiry.appointment and not enquiry.is_booked_ahead:
        return "Appointment over: how did it go?", True
    if enquiry.status == Status.BOOKED:
        return f"Booked for {clock.at_words(enquiry.appointment_at, timezone.now())}", False
    if enquiry.status == Status.IN_PROGRESS and (enquiry.first_contact_at or not enquiry.reply_by):
        return _follow_up(enquiry)
    if enquiry.first_contact_at or not enquiry.reply_by or enquiry.status in {Status.CLOSED, Status.SPAM, Status.HELD}:
        return "", False
    now = timezone.now()
    return clock.due_in_words(enquiry.reply_by, now, reply_clock.hours), enquiry.reply_by < now


def _said_alone(due: str) -> str:
    """As in the list under "Reply due", where that heading is missing: Reply due in 2 working hours."""
    if not due[:1].islower():
        return due
    return f"Reply {due}" if due.startswith(("due", "overdue")) else f"Reply due {due}"


def how_it_ended(enquiry) -> str:
    """For one that nobody will answer: its outcome, or why it is set aside. Otherwise empty."""
    if enquiry.status in {Status.SPAM, Status.HELD}:
        return enquiry.quarantine_reason or "Marked as spam by staff"
    return capfirst(enquiry.get_outcome_display())


def _follow_up(enquiry: Enquiry) -> tuple[str, bool]:
    if enquiry.return_on is None:
        return "No follow-up day", True
    today = timezone.localdate()
    if enquiry.return_on == today:
        return "Follow up today", False
    words = day_words(enquiry.return_on, today)
    return (f"Follow-up was due on {words}", True) if enquiry.is_back else (f"Follow up on {words}", False)


def times_to_call(enquiry: Enquiry) -> str:
    """The times that they chose, and what they wrote about times. Empty where they did neither."""
    return "; ".join(filter(None, [*enquiry.call_times, readable(enquiry, "best_time", nothing="")]))


def _context(request, enquiry: Enquiry, bound: dict, *, may_act: bool) -> dict:
    now, reply_clock = timezone.now(), inbox.reply_clock(request)
    slots, hours = enquiry.call_slots, reply_clock.hours
    words, overdue = due(enquiry, reply_clock)
    number = readable(enquiry, "phone")
    tel = phones.to_dial(number)
    added, duplicates = list(by_patient.added(enquiry)), _duplicates(enquiry)
    open_to_them = contact.words_are_open(enquiry, request.user)
    lane = enquiry.live and enquiry.is_flagged
    events = list(enquiry.events.select_related("by"))
    typed = autosave.stored(enquiry, request.user) if may_act else {}
    forms = step_forms.begin(enquiry, typed) | bound if may_act else {}
    shown = autosave.values(forms.values())
    offered = {name: form for name, form in forms.items() if name not in {"tell", step_forms.HANDOVER}}
    late = {name: form for name, form in offered.items() if name in LATE and len(offered) > 1}
    return {
        "title": readable(enquiry, "name"),
        "words": readable(enquiry, "description") if enquiry.kind != EnquiryKind.REPORT and open_to_them else "",
        "added": [(each.created_at, readable(each, "note")) for each in added] if open_to_them else [],
        "words_to_open": enquiry.kind != EnquiryKind.REPORT and not enquiry.erased_at and not open_to_them,
        "added_to_open": len(added),
        "may_act": may_act,
        "failed_mails": failed_mails(enquiry),
        "may_send_link": may_act and enquiry.kind != EnquiryKind.REPORT and bool(by_patient.open_to_patient(enquiry)),
        "shut_links": enquiry.private_links.filter(wrong_tries__gte=MAX_WRONG_TRIES).count(),
        "appointments": list(enquiry.appointments.select_related("with_whom")),
        "linked": enquiry.linked.order_by("created_at"),
        "owner": team.account_name(enquiry.owner) if enquiry.owner else "",
        "ended": how_it_ended(enquiry),
        "due": _said_alone(words),
        "overdue": overdue,
        "viewers": viewers(request.user, enquiry, now),
        "lane": _lane(enquiry, duplicates, now, callable_now=bool(tel)) if lane else None,
        "can_email": "@" in readable(enquiry, "email"),
        "told": contact.told_of_this_flag(enquiry),
        "flag_history": [
            f"{each.summary}: {each.actor}, {clock.at_words(each.created_at, now)}"
            for each in safety_lane.history(enquiry)
        ],
        "assessment": _assessment(request, enquiry),
        "needs": enquiry.needs,
        "somebody_else": _somebody_else(enquiry),
        "duplicates": duplicates,
        "tel": tel,
        "number": phones.in_words(number),
        "suits_now": calls.suits(slots, now, hours),
        "best_times": times_to_call(enquiry) or "any time",
        "call_advice": calls.advice_now(slots, now, hours),
        "next_try": calls.next_in_words(slots, enquiry.next_call_at, now, hours) if enquiry.next_call_at else "",
        # The form.
        "steps": {name: form for name, form in offered.items() if name not in late},
        "later_steps": late,
        # Open the first step, because it comes next; the reply, because it is used most; and whatever was begun.
        "open_steps": {next(iter(offered), ""), "reply", *(name.partition("-")[0] for name in typed), *bound},
        "tell": forms.get("tell"),
        "handover": forms.get(step_forms.HANDOVER),
        "templates": replies.starts(enquiry) if "reply" in offered else [],
        "shown": json.dumps(shown, ensure_ascii=False),
        "unsent": [
            text for name, text in sorted(typed.items()) if name not in shown and name.endswith(("text", "note"))
        ],
        "has_draft": bool(typed.keys() & autosave.OF_PAGE),
        "correction_begun": bool(typed.keys() & autosave.OF_CORRECTION),
        "seen": max((each.created_at for each in events), default=now).isoformat(),
        "changes": changes(enquiry, request, request.POST.get("seen", "")) if bound else [],
        "place": inbox.place(request, enquiry),
        # What happened.
        "timeline": [line(each, now, open_to_them) for each in reversed(events) if each.kind not in LOOKS],
        "looks": [line(each, now, open_to_them) for each in reversed(events) if each.kind in LOOKS],
        "emails": [
            {"message": each, "state": state_in_words(each), "again": send_again_button(each) if may_act else ""}
            for each in enquiry.messages.order_by("-created_at")
        ],
    }


def line(event: EnquiryEvent, now: datetime, open_to_them: bool) -> dict:
    """A line of the timeline: when, who did what in words, and what they wrote."""
    note = readable(event, "note", nothing="")
    if event.kind == EventKind.ADDED and note and not open_to_them:
        note = "Press “Show what they wrote” above"
    return {"when": clock.at_words(event.created_at, now), "what": in_words(event), "note": note}


def in_words(event: EnquiryEvent) -> str:
    """Who it was, and then what they did: Dr Rees replied."""
    who = ACTORS.get(event.actor, event.actor)
    if event.to_status:
        if event.to_status == Status.CLOSED and event.summary:
            return f"{who} closed this: {event.summary}"
        return f"{who} changed the status: {event.get_from_status_display()} → {event.get_to_status_display()}"
    if event.kind == EventKind.RECEIVED:
        return f"Received: {event.summary}" if event.summary else "Received"
    if event.kind in TOLD_BY_SUMMARY and event.summary:
        return f"{who}: {event.summary}"
    did = f"{who} {triage.DID[event.kind]}"
    return f"{did}: {event.summary}" if event.summary else did


def changes(enquiry: Enquiry, request, seen: str) -> list[dict]:
    """What has happened since the page was made that says it had `seen` everything up to a moment; with what others wrote."""
    try:
        since = parse_datetime(seen)
    except ValueError:
        since = None
    if since is None or timezone.is_naive(since):
        return []
    open_to_them, now = contact.words_are_open(enquiry, request.user), timezone.now()
    events = enquiry.events.filter(created_at__gt=since).exclude(kind__in=LOOKS)
    return [line(each, now, open_to_them) for each in events]


def viewers(user, enquiry: Enquiry, now: datetime) -> list[str]:
    """Who else is here: who has just opened it, and who is typing. People with deactivated accounts have left."""
    others = ~Q(by=user) & ~Q(by__is_active=False)
    looked = enquiry.events.filter(others, kind=EventKind.VIEWED, created_at__gte=now - LOOKING)
    typing = StaffDraft.objects.filter(others, enquiry=enquiry, updated_at__gte=now - WRITING)
    writers = {team.account_name(each.by) for each in typing.select_related("by").defer("typed")}
    lookers = set(looked.values_list("actor", flat=True)) - writers
    return [
        *(f"{name} is writing here" for name in sorted(writers)),
        *(f"{name} is viewing this" for name in sorted(lookers)),
    ]


def _lane(enquiry: Enquiry, duplicates: list[Enquiry], now: datetime, *, callable_now: bool) -> dict:
    """The top of the page while a safety flag is open."""
    numbers = [
        (phones.in_words(readable(other, "phone")), other) for other in safety_lane.other_numbers(enquiry, duplicates)
    ]
    return {
        "script": safety_lane.script(enquiry),
        "next": calls.flagged_in_words(enquiry.next_call_at, now),
        "other_numbers": numbers,
        "nobody_answers": [*([safety_lane.TRY_AGAIN] if callable_now else []), *safety_lane.NOBODY_ANSWERS],
    }


def _assessment(request, enquiry: Enquiry) -> list[handover.Line]:
    """The self-assessment that came along, in a few lines, for clinicians; reception sees the flag alone."""
    if not request.user.has_perm(staff_members.CLINICIAN):
        return []
    given = Assessment.objects.filter(enquiry=enquiry).first() if enquiry.kind == EnquiryKind.CONSULTATION else None
    if given is None:
        return []
    try:
        return handover.summary(given.result, given_on=f"{timezone.localtime(given.created_at):%-d %B %Y}")
    except CannotDecrypt as error:
        return [handover.Line("Outcome", f"This cannot be opened: {error}.")]


def _somebody_else(enquiry: Enquiry) -> dict[str, str]:
    """Whom they are asking for, in words for the banner. Empty if for themselves."""
    if not enquiry.for_agreed:
        return {}
    return {
        "asked_by": readable(enquiry, "name"),
        "name": readable(enquiry, "for_name"),
        "relation": readable(enquiry, "for_relation"),
        "agreement": enquiry.get_for_agreed_display(),
        "not_yet": enquiry.for_agreed == Agreement.NOT_YET,
    }


def _duplicates(enquiry: Enquiry) -> list[Enquiry]:
    same = Q(pk__in=[])
    for field, key in blind_index.keys_of(enquiry).items():
        same |= Q(**{f"{field}__in": key})
    others = Enquiry.objects.filter(same).exclude(pk=enquiry.pk).exclude(same_as=enquiry)
    return list(others.order_by("-created_at")[:MAX_DUPLICATES])
