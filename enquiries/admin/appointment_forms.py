"""The steps of an enquiry that are about its appointment: book it, move it, cancel it, say how it went."""

from datetime import UTC, datetime, timedelta

from django import forms
from django.utils import timezone

from enquiries.actions.appointments import Doubtful, book, end_appointment
from enquiries.admin.step_form import StepForm
from enquiries.clock.formatting import clock_time, day_words
from enquiries.clock.hours import LONDON, local, shown_at
from enquiries.inbox import people
from enquiries.models import AppointmentState, Channel, Enquiry
from enquiries.models.appointment import MINUTES

LENGTHS = [10, 15, 20, 30, 45, 60, 90]
MAX_AHEAD = timedelta(days=3652)
FIRST, SECOND = "0", "1"


class StaffField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return people.full_name(user)


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
    with_whom = StaffField(label="With (optional)", queryset=None, required=False, empty_label="Nobody in particular")
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
        self.fields["with_whom"].queryset = people.who_may_open()
        if not self._comes_twice():
            del self.fields["which"]

    @classmethod
    def start(cls, enquiry):
        """As they asked to be contacted, and with the clinician who has it."""
        ways = {Channel.PHONE: enquiry.by_phone, Channel.VIDEO: enquiry.by_video}
        owner = enquiry.owner if enquiry.owner and enquiry.owner.has_perm(people.CLINICIAN) else None
        return super().start(enquiry) | {
            "channel": next((way for way, wanted in ways.items() if wanted), Channel.CLINIC),
            "minutes": MINUTES,
            "with_whom": owner and owner.pk,
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
            given["at"] = wall.replace(tzinfo=LONDON).astimezone(UTC)  # an hour later than it says
        if len(shown) != 1:
            given["doubts"].append(_clocks_change(wall, given["at"], shown))
        if given["at"] <= timezone.now():
            self.add_error("day", "Choose a time in the future")
        return given

    def act(self, enquiry, by):
        given = {name: value for name, value in self.cleaned_data.items() if name not in {"day", "time", "which"}}
        try:
            booked = book(enquiry=enquiry, by=by, **given)
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
            "with_whom": booked.with_whom_id,
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
    who = forms.ChoiceField(
        label="Who is cancelling?",
        choices=[
            (AppointmentState.CANCELLED_BY_PATIENT, "The patient"),
            (AppointmentState.CANCELLED_BY_CLINIC, "The clinic"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who is cancelling"},
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
    state = forms.ChoiceField(
        label="How did it go?",
        choices=[
            (AppointmentState.CAME, "They came, or we spoke"),
            (AppointmentState.MISSED, "They did not come"),
            (AppointmentState.CANCELLED_BY_PATIENT, "They cancelled"),
            (AppointmentState.CANCELLED_BY_CLINIC, "We cancelled"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it went"},
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
    """The steps of an enquiry that has an appointment. One that is over is settled before anything is booked or closed."""
    if not enquiry.is_booked_ahead:
        return ["outcome", *(name for name in names if name not in {"book", "close"})]
    at = names.index("book") + 1
    return [name for name in [*names[:at], "cancel", *names[at:]] if name != "close"]
