"""The desk's lists of appointments: today, a week, and those of which nobody has said how they went."""

from datetime import date, timedelta
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from backcare.core.readonly_admin import opened
from enquiries.actions import transitions
from enquiries.actions.appointments import end_appointment
from enquiries.admin.appointment_forms import outcome_said
from enquiries.admin.shown import to_change, version_shown
from enquiries.calendar_feed import address
from enquiries.clock.formatting import clock_time, day_words
from enquiries.clock.hours import local
from enquiries.inbox import diary, people
from enquiries.models import Appointment, AppointmentState, CalendarFeed
from enquiries.models.appointment import OUTCOMES
from enquiries.models.calendar_feed import new_secret

TODAY, WEEK, OUTCOME = "today", "week", "outcome"
EMPTY = {
    TODAY: "No appointments today.",
    WEEK: "No appointments this week.",
    OUTCOME: "Every appointment has its outcome.",
}
MAX_ROWS = 300
MAX_AWAY = timedelta(days=3660)  # of the week that is shown
BUTTONS = [
    (AppointmentState.CAME, "Came"),
    (AppointmentState.MISSED, "Did not come"),
    (AppointmentState.CANCELLED_BY_PATIENT, "They cancelled"),
    (AppointmentState.CANCELLED_BY_CLINIC, "We cancelled"),
]


def appointments(model_admin, request):
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now = timezone.now()
    shown = request.GET.get("show") if request.GET.get("show") in EMPTY else TODAY
    first, last = _days(request, shown)
    mine = "mine" in request.GET
    lists = {
        TODAY: diary.of_days(timezone.localdate(), timezone.localdate()),
        WEEK: diary.of_days(*_days(request, WEEK)),
        OUTCOME: Appointment.objects.without_outcome(now),
    }
    if mine:
        lists = {name: found.filter(with_whom=request.user) for name, found in lists.items()}
    rows = lists[shown].select_related("enquiry", "with_whom").order_by("starts_at", "pk")[:MAX_ROWS]
    days = groupby((_row(each) for each in rows), key=lambda row: row["day"])
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Appointments",
        "opts": model_admin.opts,
        "tabs": [
            {"name": name, "label": label, "count": lists[name].count(), "here": name == shown}
            for name, label in ((TODAY, "Today"), (WEEK, "This week"), (OUTCOME, "Needs an outcome"))
        ],
        "shown": shown,
        "mine": mine,
        "days": [(day_words(day, timezone.localdate()), list(found)) for day, found in days],
        "empty": EMPTY[shown],
        "week": shown == WEEK
        and {
            "words": f"{day_words(first, timezone.localdate())} to {day_words(last, timezone.localdate())}",
            "before": first - timedelta(days=7),
            "after": first + timedelta(days=7),
        },
        "may_act": model_admin.has_change_permission(request),
        "buttons": BUTTONS,
        "here": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/enquiries/appointments.html", context)


def _days(request, shown: str) -> tuple[date, date]:
    """The days that the list is about. What is no date is this week."""
    today = timezone.localdate()
    if shown != WEEK:
        return today, today
    try:
        day = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        day = today
    return diary.week_of(day if abs(day - today) < MAX_AWAY else today)


def _row(appointment: Appointment) -> dict:
    begins, enquiry = local(appointment.starts_at), appointment.enquiry
    return {
        "day": begins.date(),
        "at": clock_time(begins.time()),
        "until": clock_time(local(appointment.ends_at).time()),
        "how": appointment.get_channel_display(),
        "whom": people.full_name(appointment.with_whom) if appointment.with_whom else "",
        "name": opened(enquiry, "for_name") if enquiry.for_agreed else opened(enquiry, "name"),
        "needs": opened(enquiry, "needs").removeprefix("–"),
        "state": appointment.get_state_display(),
        "over": appointment.needs_outcome,
        "booked": appointment.state == AppointmentState.BOOKED,
        "enquiry": enquiry,
    }


def record_outcome(model_admin, request, pk):
    """One press in a list says how an appointment went."""
    enquiry, state = to_change(model_admin, request, pk), request.POST.get("state", "")
    try:
        changed = end_appointment(
            enquiry=enquiry, by=request.user, state=state if state in OUTCOMES else "", version=version_shown(request)
        )
        messages.success(request, outcome_said(changed, state))
    except (transitions.MoveRefused, transitions.StaleEnquiry) as refusal:
        messages.error(request, f"{enquiry.reference}: {refusal}")
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = f"{reverse('admin:enquiries_enquiry_appointments')}?show={OUTCOME}"
    return HttpResponseRedirect(back)


def calendar(model_admin, request):
    """The private address for one's own calendar program: made, made anew, or taken away."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        if request.POST.get("do") == "remove":
            CalendarFeed.objects.filter(staff=request.user).delete()
            messages.success(request, "Removed. The address no longer works.")
        else:
            another = {"secret": new_secret(), "created_at": timezone.now()}
            another["only_mine"] = request.POST.get("whose") == "mine"
            CalendarFeed.objects.update_or_create(staff=request.user, defaults=another)
            messages.success(request, "Here is your new address. One that you had before no longer works.")
        return HttpResponseRedirect(reverse("admin:enquiries_enquiry_calendar"))
    feed = CalendarFeed.objects.filter(staff=request.user).first()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Appointments in your calendar",
        "opts": model_admin.opts,
        "feed": feed,
        "address": address(feed) if feed else "",
    }
    return TemplateResponse(request, "admin/enquiries/calendar.html", context)
