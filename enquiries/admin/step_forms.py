"""The next step with an enquiry, a form for each: a call, a reply, an appointment, settling a flag, handover, closing."""

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt
from enquiries import clock, staff_members
from enquiries.actions import contact, outbox, triage
from enquiries.admin.appointments import BookForm, CancelForm, EndForm, MoveForm, with_appointment
from enquiries.admin.replies import ReplyForm
from enquiries.admin.step_base import StaffField, StepForm, one_of
from enquiries.inbox import calls
from enquiries.models import STAFF_OUTCOMES, Enquiry, EnquiryKind, Status
from factsheets import team

NOTE = {"widget": forms.Textarea(attrs={"rows": 2}), "max_length": 4000}


class CallForm(StepForm):
    heading, button = "Log a call", "Save the call"
    result = one_of("How did the call go?", contact.CallResult.choices, missing="Choose how the call went")
    note = forms.CharField(label="Note (optional)", required=False, **NOTE)

    def act(self, enquiry, by):
        given = self.cleaned_data
        enquiry = contact.log_call(
            enquiry=enquiry, by=by, result=given["result"], note=given["note"], version=given["version"]
        )
        if given["result"] == contact.CallResult.SPOKE:
            return "Call logged."
        hours = clock.load().hours
        again = calls.next_in_words(enquiry.call_slots, enquiry.next_call_at, timezone.now(), hours)
        return f"Call logged. {again}"


NOT_SETTLED = "later"


class SafetyCallForm(CallForm):
    """While a safety flag is open: recording what they were told settles it in the same step."""

    advice = forms.ChoiceField(
        label="If you spoke to them, what did you tell them?",
        required=False,
        choices=[*contact.Advice.choices, (NOT_SETTLED, "Not settled yet: keep in the safety queue")],
        widget=forms.RadioSelect,
    )
    field_order = ["version", "result", "advice", "note"]

    def clean(self):
        given = super().clean()
        spoke, advice = given.get("result") == contact.CallResult.SPOKE, given.get("advice")
        if spoke and not advice and "advice" not in self.errors:
            self.add_error("advice", "Choose what you told them")
        if "result" in given and not spoke and advice:
            self.add_error("result", "Choose “Spoke to them”, or reload the page if you did not speak to them")
        if spoke and advice in {contact.Advice.NO_SIGN, NOT_SETTLED} and not given.get("note", "").strip():
            self.add_error("note", "Write what you asked and what they said")
        return given

    def act(self, enquiry, by):
        given = self.cleaned_data
        advice = "" if given["advice"] == NOT_SETTLED else given["advice"]
        called = {"result": given["result"], "note": given["note"], "advice": advice}
        enquiry = contact.log_call(enquiry=enquiry, by=by, version=given["version"], **called)
        if not enquiry.is_flagged:
            return "Recorded. Moved out of the safety queue."
        if given["result"] == contact.CallResult.SPOKE:
            return "Call logged. It stays in the safety queue until someone records what was done."
        return (
            f"Call logged. It stays in the safety queue. {calls.flagged_in_words(enquiry.next_call_at, timezone.now())}"
        )


class TellForm(StepForm):
    heading, button = "Tell a clinician", "Email them now"
    whom = StaffField(
        label="Who", queryset=None, empty_label="Choose", error_messages={"required": "Choose whom to tell"}
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        able = staff_members.clinicians()
        self.fields["whom"].queryset = able
        if len(able) == 1:
            self.initial["whom"] = able[0].pk

    def act(self, enquiry, by):
        name = team.account_name(self.cleaned_data["whom"])
        if contact.tell_clinician(enquiry=enquiry, whom=self.cleaned_data["whom"], by=by):
            return f"We are emailing {name} now. Phone them too if you hear nothing within a few minutes."
        return f"{name} has already been told, so we did not send another email."


class SafetyForm(StepForm):
    heading, button = "Record what you did without a call", "Record"
    note = forms.CharField(
        label="What you did and why no call was needed", error_messages={"required": "Write what you did"}, **NOTE
    )

    def act(self, enquiry, by):
        contact.act_on_safety(
            enquiry=enquiry, by=by, note=self.cleaned_data["note"], version=self.cleaned_data["version"]
        )
        return "Recorded. Moved out of the safety queue."


class WaitForm(StepForm):
    heading, button = "Wait for the patient", "Pause until then"
    day = forms.DateField(
        label="Look at it again on",
        help_text="The reply time is paused until then, or until they get in touch.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": "Choose the day to look at it again"},
    )

    def clean_day(self):
        today, day = timezone.localdate(), self.cleaned_data["day"]
        if not today < day <= today + triage.MAX_WAIT:
            raise forms.ValidationError("Choose a day from tomorrow, within a year")
        return day

    def act(self, enquiry, by):
        day, version = self.cleaned_data["day"], self.cleaned_data["version"]
        triage.triage(enquiry=enquiry, by=by, to=Status.WAITING, return_on=day, version=version)
        return f"Paused: waiting for patient until {day:%A} {day.day} {day:%B}."


class FollowUpForm(WaitForm):
    """For one in progress: when to look at it again if nothing happens first."""

    heading, button = "Follow up later", "Set the day"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["day"].help_text = "It is in “To chase” from then on."

    @classmethod
    def start(cls, enquiry):
        return super().start(enquiry) | {"day": enquiry.return_on}

    def act(self, enquiry, by):
        day, version = self.cleaned_data["day"], self.cleaned_data["version"]
        triage.triage(enquiry=enquiry, by=by, to=Status.IN_PROGRESS, return_on=day, version=version)
        return f"Follow up on {day:%A} {day.day} {day:%B}."


class AssignForm(forms.Form):
    """For several enquiries at once."""

    owner = StaffField(
        label="Assign to", queryset=None, empty_label="Choose", error_messages={"required": "Choose a colleague"}
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = staff_members.who_may_open()


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(
        label="How did it end?",
        choices=[("", "Choose"), *((each.value, each.label) for each in STAFF_OUTCOMES)],
        error_messages={"required": "Choose how it ended"},
    )


class CloseForm(OutcomeForm, StepForm):
    heading, button = "Close", "Close enquiry"

    def act(self, enquiry, by):
        given = self.cleaned_data
        triage.triage(enquiry=enquiry, by=by, to=Status.CLOSED, outcome=given["outcome"], version=given["version"])
        return "Closed."


class OwnerField(StaffField):
    def label_from_instance(self, user):
        name = team.account_name(user)
        return name if staff_members.may_open(user) else f"{name} (no longer has access)"


class HandoverForm(forms.Form):
    """Who it is assigned to, its status, and a note for colleagues. What the patient wrote is not part of it."""

    heading, button = "Hand over and note", "Save"
    use_required_attribute = False
    owner = OwnerField(label="Assigned to", queryset=None, required=False, empty_label="Unassigned")
    status = forms.ChoiceField(label="Status")
    note = forms.CharField(
        required=False,
        label="Add a note",
        help_text="For staff only. The patient never sees it.",
        **NOTE,
    )
    opened_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, enquiry: Enquiry, **kwargs):
        super().__init__(*args, **kwargs)
        self.enquiry = enquiry
        allowed = {enquiry.status, *enquiry.plain_moves}
        self.fields["status"].choices = [choice for choice in Status.choices if choice[0] in allowed]
        # The colleague it is assigned to stays in the list, or saving the page would unassign it.
        able = staff_members.who_may_open().values("pk")
        self.fields["owner"].queryset = get_user_model().objects.filter(Q(pk__in=able) | Q(pk=enquiry.owner_id))

    @classmethod
    def start(cls, enquiry: Enquiry) -> dict:
        return {"owner": enquiry.owner_id, "status": enquiry.status, "opened_version": enquiry.version}

    def act(self, enquiry: Enquiry, by) -> str:
        given = self.cleaned_data
        triage.triage(
            enquiry=enquiry,
            by=by,
            to=given["status"],
            owner=given["owner"],
            change_owner=True,
            note=given["note"],
            version=given["opened_version"],
        )
        return "Saved."


HANDOVER = "handover"


FORMS = {
    "safety": SafetyForm,
    "tell": TellForm,
    "call": CallForm,
    "reply": ReplyForm,
    "outcome": EndForm,
    "book": BookForm,
    "cancel": CancelForm,
    "wait": WaitForm,
    "later": FollowUpForm,
    "close": CloseForm,
}
# Every form that a page may have, by name. Some replace another.
ALL_FORMS = {
    **{name: [form] for name, form in FORMS.items()},
    "call": [CallForm, SafetyCallForm],
    "book": [BookForm, MoveForm],
    HANDOVER: [HandoverForm],
}


def form_for(enquiry: Enquiry, name: str) -> type[StepForm]:
    if name == "book" and enquiry.appointment:
        return MoveForm
    return SafetyCallForm if name == "call" and enquiry.is_flagged else FORMS[name]


def _pauses(enquiry: Enquiry) -> list[str]:
    later = ["later"] if enquiry.status == Status.IN_PROGRESS else []
    return ["wait", *later] if enquiry.was_contacted else later


def names_offered(enquiry: Enquiry) -> list[str]:
    """The steps that are open for this enquiry, in the order of the page."""
    if enquiry.erased_at or not enquiry.live:
        return []
    names = ["call", "reply", "book", *_pauses(enquiry), "close"]
    if enquiry.kind == EnquiryKind.REPORT:
        names = ["close"]  # they were told that their details are used only to send the report
    if enquiry.is_flagged:
        names = ["call", "safety", "reply", "book"]
    try:
        has_number = bool(enquiry.phone)
    except CannotDecrypt:
        has_number = False
    if not has_number and "call" in names:
        names.remove("call")
        if enquiry.is_flagged:
            names = ["reply", "safety", "book"]
    if "reply" in names and not outbox.has_address(enquiry):
        names.remove("reply")  # they asked by telephone or at the clinic, and gave only a number
    if enquiry.is_closed:  # withdrawn with an open flag
        names.remove("book")
    elif "book" in names and enquiry.appointment:
        names = with_appointment(enquiry, names)
    return names


def begin(enquiry: Enquiry, typed: dict[str, str] | None = None) -> dict[str, forms.Form]:
    """The forms of this enquiry's page by their names: the open steps, "tell" and the handover, filled with what was `typed`."""
    names = names_offered(enquiry)
    if enquiry.live and enquiry.is_flagged:
        names.append("tell")
    made: dict[str, forms.Form] = {}
    for name in names:
        form, prefix = form_for(enquiry, name), f"{name}-"
        given = {key.removeprefix(prefix): text for key, text in (typed or {}).items() if key.startswith(prefix)}
        made[name] = form(prefix=name, initial=form.start(enquiry) | given)
    given = {key: text for key, text in (typed or {}).items() if key in HandoverForm.base_fields}
    made[HANDOVER] = HandoverForm(enquiry=enquiry, initial=HandoverForm.start(enquiry) | given)
    return made
