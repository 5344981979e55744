"""What stands above an enquiry: how it is, who else looks at it, what to do next."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from backcare.core import phones
from backcare.core.crypto import blind_index
from backcare.core.crypto.encryption import CannotDecrypt
from backcare.core.readonly_admin import opened
from enquiries import clock
from enquiries.actions import alerting, by_patient, reading
from enquiries.admin.corrections import failed_mails
from enquiries.admin.steps import SAFETY_START, STARTS, offered, tell
from enquiries.assessment import handover
from enquiries.inbox import calls, people, safety_lane
from enquiries.models import Agreement, Assessment, Enquiry, EnquiryKind, EventKind, Status
from enquiries.private_links import MAX_WRONG_TRIES

LOOKING = timedelta(minutes=5)
MAX_DUPLICATES = 10


def due(enquiry: Enquiry, reply_clock) -> tuple[str, bool]:
    """The promise in words, and whether it is broken. Empty where nothing is due: it is done, it waits, nothing was promised."""
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
    if (
        enquiry.first_contact_at
        or not enquiry.reply_by
        or enquiry.status in {Status.CLOSED, Status.SPAM, Status.HELD, Status.BOOKED}
    ):
        return "", False
    now = timezone.now()
    return clock.due_in_words(enquiry.reply_by, now, reply_clock.hours), enquiry.reply_by < now


def _follow_up(enquiry: Enquiry) -> tuple[str, bool]:
    if enquiry.return_on is None:
        return "No follow-up day", True
    words = f"{enquiry.return_on:%A} {enquiry.return_on.day} {enquiry.return_on:%B}"
    return (f"Follow-up was due on {words}", True) if enquiry.is_back else (f"Follow up on {words}", False)


def page(request, enquiry: Enquiry, *, may_act: bool) -> dict:
    """The context of the parts that Django's own form does not have."""
    now, reply_clock = timezone.now(), clock.load()
    slots, hours = enquiry.call_slots, reply_clock.hours
    words, late = due(enquiry, reply_clock)
    number = opened(enquiry, "phone")
    tel = phones.to_dial(number)
    added, duplicates = list(by_patient.added(enquiry)), _duplicates(enquiry)
    open_to_them = reading.words_are_open(enquiry, request.user)
    return {
        "title": f"{opened(enquiry, 'name')}: {enquiry.get_kind_display()}",
        "subtitle": "",
        "words": opened(enquiry, "description") if enquiry.kind != EnquiryKind.REPORT and open_to_them else "",
        "added": [(each.created_at, opened(each, "note")) for each in added] if open_to_them else [],
        "words_to_open": enquiry.kind != EnquiryKind.REPORT and not enquiry.erased_at and not open_to_them,
        "added_to_open": len(added),
        "may_act": may_act,
        "failed_mails": failed_mails(enquiry),
        "may_send_link": may_act and enquiry.kind != EnquiryKind.REPORT and bool(by_patient.open_to_patient(enquiry)),
        "shut_links": enquiry.private_links.filter(wrong_tries__gte=MAX_WRONG_TRIES).count(),
        "appointments": list(enquiry.appointments.select_related("with_whom")),
        "linked": enquiry.linked.order_by("created_at"),
        "owner": people.full_name(enquiry.owner) if enquiry.owner else "",
        "due": words,
        "overdue": late,
        "viewers": _viewers(request, enquiry),
        "lane": _lane(enquiry, duplicates, now, callable_now=bool(tel))
        if enquiry.live and enquiry.is_flagged
        else None,
        "tell": tell(enquiry) if may_act else None,
        "can_email": "@" in opened(enquiry, "email"),
        "told": alerting.told_of_this_flag(enquiry),
        "flag_history": [
            f"{each.summary}: {each.actor}, {clock.at_words(each.created_at, now)}"
            for each in safety_lane.history(enquiry)
        ],
        "assessment": _assessment(request, enquiry),
        "needs": enquiry.needs,
        "somebody_else": _somebody_else(enquiry),
        "duplicates": duplicates,
        "steps": offered(enquiry, request.GET.get("start", "")) if may_act else {},
        "open_step": "reply" if request.GET.get("start") in {*STARTS, SAFETY_START[0]} else "",
        "starts": [
            *([SAFETY_START] if enquiry.is_flagged else []),
            *((key, label) for key, (label, _) in STARTS.items()),
        ],
        "tel": tel,
        "number": phones.in_words(number),
        "suits_now": calls.suits(slots, now, hours),
        "call_advice": calls.advice_now(slots, now, hours),
        "next_try": calls.next_in_words(slots, enquiry.next_call_at, now, hours) if enquiry.next_call_at else "",
    }


def _lane(enquiry: Enquiry, duplicates: list[Enquiry], now: datetime, *, callable_now: bool) -> dict:
    """What stands at the top while a safety flag is open."""
    numbers = [
        (phones.in_words(opened(other, "phone")), other) for other in safety_lane.other_numbers(enquiry, duplicates)
    ]
    return {
        "script": safety_lane.script(enquiry),
        "next": calls.flagged_in_words(enquiry.next_call_at, now),
        "other_numbers": numbers,
        "nobody_answers": [*([safety_lane.TRY_AGAIN] if callable_now else []), *safety_lane.NOBODY_ANSWERS],
    }


def _assessment(request, enquiry: Enquiry) -> list[handover.Line]:
    """The self-assessment that came along, in a few lines, for clinicians; reception sees the flag alone."""
    if not request.user.has_perm(people.CLINICIAN):
        return []
    given = Assessment.objects.filter(enquiry=enquiry).first() if enquiry.kind == EnquiryKind.CONSULTATION else None
    if given is None:
        return []
    try:
        return handover.summary(given.result, given_on=f"{timezone.localtime(given.created_at):%-d %B %Y}")
    except CannotDecrypt as error:
        return [handover.Line("Outcome", f"This cannot be opened: {error}.")]


def _somebody_else(enquiry: Enquiry) -> dict[str, str]:
    """For whom they ask, in words for the banner. Empty when it is for themselves."""
    if not enquiry.for_agreed:
        return {}
    return {
        "asked_by": opened(enquiry, "name"),
        "name": opened(enquiry, "for_name"),
        "relation": opened(enquiry, "for_relation"),
        "agreement": enquiry.get_for_agreed_display(),
        "not_yet": enquiry.for_agreed == Agreement.NOT_YET,
    }


def _viewers(request, enquiry: Enquiry) -> list[str]:
    lately = timezone.now() - LOOKING
    events = enquiry.events.filter(kind=EventKind.VIEWED, created_at__gte=lately).exclude(by=request.user)
    return sorted(set(events.values_list("actor", flat=True)))


def _duplicates(enquiry: Enquiry) -> list[Enquiry]:
    same = Q(pk__in=[])
    for field, key in blind_index.keys_of(enquiry).items():
        same |= Q(**{f"{field}__in": key})
    others = Enquiry.objects.filter(same).exclude(pk=enquiry.pk).exclude(same_as=enquiry)
    return list(others.order_by("-created_at")[:MAX_DUPLICATES])
