"""Appointments on the desk: book, move, cancel, say how it went; and the lists of today, a week, and those without an outcome."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from backcare.core import clinic
from backcare.core.encryption import readable
from backcare.core.forms import as_number
from enquiries import staff_members
from enquiries.actions import triage
from enquiries.actions.appointments import Doubtful, book, end_appointment
from enquiries.admin.step_base import StepForm, one_of, to_change, version_shown
from enquiries.calendar import address
from enquiries.clock import clock_time, day_words
from enquiries.inbox import diary
from enquiries.models import Appointment, AppointmentState, CalendarFeed, Channel, Enquiry
from enquiries.models.appointment import MINUTES, OUTCOMES, new_secret
from enquiries.opening_hours import LONDON, local, shown_at
from factsheets import team
from factsheets.models import TeamMember

LENGTHS = [10, 15, 20, 30, 45, 60, 90]
MAX_AHEAD = timedelta(days=3652)
FIRST, SECOND = "0", "1"
NOT_OF_BOOKING = {"day", "time", "which", "person"}  # fields that `book` gets as something else


class BookForm(StepForm):
    """A concern about the time comes back as the step's refusal, with everything as it was typed; a second press confirms it."""

    heading = "Book an appointment"

    sure = forms.CharField(required=False, widget=forms.HiddenInput)
    day = forms.DateField(
        label="Day",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": "Choose the day"},
    )
    time = forms.TimeField(
        label="Time",
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"required": "Choose the time"},
    )
    which = forms.ChoiceField(
        label="That time comes twice, because clocks go back. Which one?",
        required=False,
        choices=[(FIRST, "The first, before clocks go back"), (SECOND, "The second, after clocks go back")],
    )
    minutes = forms.TypedChoiceField(
        label="Length",
        coerce=int,
        required=False,
        empty_value=MINUTES,
        choices=[(each, f"{each} minutes") for each in LENGTHS],
    )
    channel = forms.ChoiceField(
        label="Phone, video or clinic",
        choices=Channel.choices,
        error_messages={"required": "Choose phone, video or clinic"},
    )
    person = forms.ModelChoiceField(
        label="With (optional)",
        queryset=None,
        required=False,
        empty_label="Nobody in particular",
        help_text="From “People who work here”. The patient sees name, role and register.",
    )
    place = forms.CharField(
        label="Room or video link (optional)",
        required=False,
        max_length=300,
        help_text="The patient sees this. Left empty, an appointment at the clinic shows the clinic’s address.",
    )
    remind = forms.BooleanField(
        label="Email a reminder the working day before",
        required=False,
        help_text="Untick this if they do not want one.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The person it is with may have left since.
        booked = TeamMember.objects.filter(pk=as_number(str(self.initial.get("person") or "")))
        self.fields["person"].queryset = (staff_members.sees_patients() | booked).distinct()
        if clinic.details()["has_no_rooms"] and self.initial.get("channel") != Channel.CLINIC:
            self.fields["channel"].choices = [each for each in Channel.choices if each[0] != Channel.CLINIC]
        if not self._comes_twice():
            del self.fields["which"]

    @classmethod
    def start(cls, enquiry):
        """As they asked to be contacted, and with the clinician who has it."""
        ways = {Channel.PHONE: enquiry.by_phone, Channel.VIDEO: enquiry.by_video}
        otherwise = Channel.PHONE if clinic.details()["has_no_rooms"] else Channel.CLINIC
        owner = enquiry.owner if enquiry.owner and enquiry.owner.has_perm(staff_members.CLINICIAN) else None
        return super().start(enquiry) | {
            "channel": next((way for way, wanted in ways.items() if wanted), otherwise),
            "minutes": MINUTES,
            "person": getattr(team.of(owner), "pk", None),
            "remind": True,
        }

    @property
    def button(self) -> str:
        return (
            "Book anyway" if self.is_bound and self.data.get(self.add_prefix("sure")) else "Book and email the patient"
        )

    def clean_day(self):
        day = self.cleaned_data["day"]
        if day > timezone.localdate() + MAX_AHEAD:
            raise forms.ValidationError("Choose a day within the next ten years")
        return day

    def clean_place(self):
        place = " ".join(self.cleaned_data["place"].split())
        if self.data.get(self.add_prefix("channel")) == Channel.VIDEO and place and not place.startswith("https://"):
            raise forms.ValidationError("Enter the whole link. It starts with https://")
        return place

    def clean(self):
        given = super().clean()
        if "day" not in given or "time" not in given:
            return given
        wall = datetime.combine(given["day"], given["time"])
        given["doubts"] = []
        if shown := shown_at(wall):
            given["at"] = shown[-1] if given.get("which") == SECOND else shown[0]
        else:
            given["at"] = wall.replace(tzinfo=LONDON).astimezone(UTC)  # an hour later than typed
        if len(shown) != 1:
            given["doubts"].append(_clocks_change(wall, given["at"], shown))
        if given["at"] <= timezone.now():
            self.add_error("day", "Choose a time in the future")
        return given

    def act(self, enquiry, by):
        given = {name: value for name, value in self.cleaned_data.items() if name not in NOT_OF_BOOKING}
        try:
            booked = book(enquiry=enquiry, by=by, with_whom=self.cleaned_data["person"], **given)
        except Doubtful as doubt:
            self.data = self.data.copy()
            self.data[self.add_prefix("sure")] = doubt.mark
            raise
        return self.done(booked)

    @staticmethod
    def done(enquiry: Enquiry) -> str:
        if not enquiry.email_key:
            return "Booked. There is no email address, so tell them the time."
        return "Booked. Confirmation emailed."

    def _comes_twice(self) -> bool:
        if not self.is_bound:
            return False
        day, at = (self.data.get(self.add_prefix(name), "") for name in ("day", "time"))
        try:
            return len(shown_at(datetime.combine(self.fields["day"].clean(day), self.fields["time"].clean(at)))) == 2
        except (forms.ValidationError, OverflowError):
            return False


def _clocks_change(wall: datetime, at: datetime, shown: list[datetime]) -> str:
    today = timezone.localdate()
    said = f"{clock_time(wall.time())} on {day_words(wall.date(), today)}"
    if not shown:
        return f"There is no {said}, because clocks go forward. It would be {clock_time(local(at).time())}."
    which = "first" if at == shown[0] else "second"
    return f"{said[0].upper()}{said[1:]} comes twice, because clocks go back. It would be the {which}."


class MoveForm(BookForm):
    heading = "Move or change the appointment"

    @classmethod
    def start(cls, enquiry):
        booked, begins = enquiry.appointment, timezone.localtime(enquiry.appointment.starts_at)
        return {
            "version": enquiry.version,
            "day": begins.date(),
            "time": begins.time(),
            "minutes": booked.minutes,
            "channel": booked.channel,
            "person": booked.with_whom_id,
            "place": booked.place,
            "remind": booked.remind,
        }

    @property
    def button(self) -> str:
        return (
            "Book anyway" if self.is_bound and self.data.get(self.add_prefix("sure")) else "Save and email the patient"
        )

    @staticmethod
    def done(enquiry):
        if not enquiry.email_key:
            return "Appointment changed. There is no email address, so tell them."
        return "Appointment changed. The patient is emailed the new details."


class CancelForm(StepForm):
    heading, button = "Cancel the appointment", "Cancel it and email the patient"
    who = one_of(
        "Who is cancelling?",
        [
            (AppointmentState.CANCELLED_BY_PATIENT, "The patient"),
            (AppointmentState.CANCELLED_BY_CLINIC, "The clinic"),
        ],
        missing="Choose who is cancelling",
    )

    def act(self, enquiry, by):
        given = self.cleaned_data
        changed = end_appointment(enquiry=enquiry, by=by, state=given["who"], version=given["version"])
        return (
            "Cancelled. The patient is emailed."
            if changed.email_key
            else "Cancelled. Tell the patient: there is no email address."
        )


class EndForm(StepForm):
    heading, button = "Record how the appointment went", "Record"
    state = one_of(
        "How did it go?",
        [
            (AppointmentState.CAME, "They came, or we spoke"),
            (AppointmentState.MISSED, "They did not come"),
            (AppointmentState.CANCELLED_BY_PATIENT, "They cancelled"),
            (AppointmentState.CANCELLED_BY_CLINIC, "We cancelled"),
        ],
        missing="Choose how it went",
    )
    keep_open = forms.BooleanField(
        label="Keep the enquiry open",
        required=False,
        help_text="Otherwise it is closed when they came.",
    )

    def act(self, enquiry, by):
        given = self.cleaned_data
        changed = end_appointment(enquiry=enquiry, by=by, **given)
        return outcome_said(changed, given["state"])


def outcome_said(enquiry: Enquiry, state: str) -> str:
    if enquiry.is_closed:
        return f"{enquiry.reference}: {AppointmentState(state).label}. Enquiry closed."
    return f"{enquiry.reference}: {AppointmentState(state).label}. The enquiry is in progress."


def with_appointment(enquiry: Enquiry, names: list[str]) -> list[str]:
    """The steps of an enquiry that has an appointment. One that is over must be settled before anything is booked or closed."""
    if not enquiry.is_booked_ahead:
        return ["outcome", *(name for name in names if name not in {"book", "close"})]
    at = names.index("book") + 1
    return [name for name in [*names[:at], "cancel", *names[at:]] if name != "close"]


TODAY, WEEK, OUTCOME = "today", "week", "outcome"
EMPTY = {
    TODAY: "No appointments today.",
    WEEK: "No appointments this week.",
    OUTCOME: "Every appointment has its outcome.",
}
MAX_ROWS = 300
MAX_AWAY = timedelta(days=3660)  # of the week on the page
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
        lists = {name: found.filter(with_whom__account=request.user) for name, found in lists.items()}
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
    """The days on the list. Anything that is not a date means this week."""
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
        "whom": appointment.with_whom or "",
        "name": readable(enquiry, "for_name") if enquiry.for_agreed else readable(enquiry, "name"),
        "needs": readable(enquiry, "needs", nothing=""),
        "state": appointment.get_state_display(),
        "over": appointment.needs_outcome,
        "booked": appointment.state == AppointmentState.BOOKED,
        "enquiry": enquiry,
    }


def record_outcome(model_admin, request, pk):
    """One press in a list records how an appointment went."""
    enquiry, state = to_change(model_admin, request, pk), request.POST.get("state", "")
    try:
        changed = end_appointment(
            enquiry=enquiry, by=request.user, state=state if state in OUTCOMES else "", version=version_shown(request)
        )
        messages.success(request, outcome_said(changed, state))
    except (triage.MoveRefused, triage.StaleEnquiry) as refusal:
        messages.error(request, f"{enquiry.reference}: {refusal}")
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = f"{reverse('admin:enquiries_enquiry_appointments')}?show={OUTCOME}"
    return HttpResponseRedirect(back)


def calendar(model_admin, request):
    """The private address for one's own calendar program: created, replaced or removed."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        if request.POST.get("do") == "remove":
            CalendarFeed.objects.filter(staff=request.user).delete()
            _note(request.user, "Removed the address of the calendar.")
            messages.success(request, "Removed. The address no longer works.")
        else:
            another = {"secret": new_secret(), "created_at": timezone.now()}
            another["only_mine"] = request.POST.get("whose") == "mine"
            CalendarFeed.objects.update_or_create(staff=request.user, defaults=another)
            _note(request.user, "Made a new address for the calendar.")
            messages.success(request, "Here is your new address. Your previous one no longer works.")
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


def _note(user: User, words: str) -> None:
    """In the account's history, which owners read."""
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, words, single_object=True)
