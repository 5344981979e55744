"""The consultation form: its questions step by step, the possible answers, and how the enquiry words them for staff.

Each step asks one thing, and only if earlier answers make it necessary: nobody who chose email is asked for a phone number.
"""

from typing import NamedTuple

from crispy_forms.layout import HTML
from django import forms
from django.utils.html import format_html

from backcare.core import phones
from backcare.core.forms import EmailField, PhoneField, Radios, TextField, Ticks, one_of
from enquiries.assessment import handover
from enquiries.models import DAY_PARTS, WEEKDAYS, Agreement, slot_bit
from enquiries.request_forms.forms import NAME_LENGTH, EnquiryForm, Step, long_text

# --- what may be answered ---

CONTACT_BY = {"phone": "Phone", "video": "Video call", "email": "Email"}
YES_NO = {"yes": "Yes", "no": "No"}


class Choice(NamedTuple):
    asked: str  # in the form's words to the patient
    kept: str  # in the enquiry's words to staff, on one line with others


def for_patients(known: dict[str, Choice]) -> dict[str, str]:
    return {value: each.asked for value, each in known.items()}


def for_staff(known: dict[str, Choice]) -> dict[str, str]:
    return {value: each.kept for value, each in known.items()}


INTERPRETER, RELAY = "interpreter", "relay"
NEEDS = {
    "bsl": Choice("A British Sign Language (BSL) interpreter", "BSL interpreter"),
    RELAY: Choice("Calls through text relay", "text relay"),
    "large_print": Choice("Letters and emails in large print", "large print"),
    "helper": Choice("Someone who helps me will join us", "somebody who helps them takes part"),
    INTERPRETER: Choice("An interpreter for another language", "interpreter"),
}

# Who it is for. No answer means "me".
ME, SOMEONE_ELSE = "me", "other"
FOR_WHOM = {ME: "Me", SOMEONE_ELSE: "Someone else"}
UNDER_18 = "under_18"
# Staff see these words after that person's name.
RELATIONS = {
    "parent": Choice("My mother or father", "their mother or father"),
    "partner": Choice("My husband, wife or partner", "their husband, wife or partner"),
    "family": Choice("Another adult in my family", "an adult in their family"),
    UNDER_18: Choice("A child or young person under 18", "a child or young person under 18"),
    "other": Choice("Someone else, such as a friend or a person I care for", "somebody else they know"),
}
AGREED = {
    Agreement.YES: "Yes",
    Agreement.CANNOT: "No, they cannot decide for themselves",
    Agreement.NOT_YET: "Not yet",
}
UNTIL_THEY_AGREE = "Until they agree, we can only talk with you in general terms."
# Ledger, RF-R10: under 18 with back pain, see a GP.
SEE_A_GP = "Anyone under 18 with back pain should see a GP. You do not have to wait for our reply."

# The closed questions before the free text: what it asks, and what may be answered.
HOW_LONG = {"under_6": "Less than 6 weeks", "6_to_12": "6 to 12 weeks", "over_12": "More than 12 weeks"}
WHERE = {
    "back": Choice("In my back only", "back only"),
    "leg": Choice("In my back and down my leg, or only in my leg", "into the leg"),
}
WHERE_THEIRS = {value: each.replace(" my ", " their ") for value, each in for_patients(WHERE).items()}
SEEN = {
    "gp": Choice("A GP", "a GP"),
    "physio": Choice("A physiotherapist", "a physiotherapist"),
    "other": Choice("Someone else", "somebody else"),
    "nobody": Choice("Nobody yet", "nobody yet"),
}


def call_slots(days: list[str], day_parts: list[str]) -> int:
    """The chosen days and times of day as the set of bits that an enquiry keeps. Neither is 0: any time. One alone means every
    time of those days, or those times of every day."""
    if not days and not day_parts:
        return 0
    each_day, each_part = days or range(len(WEEKDAYS)), day_parts or range(len(DAY_PARTS))
    return sum(slot_bit(int(day), int(part)) for day in each_day for part in each_part)


def chosen_times(slots: int) -> dict[str, list[str]]:
    """The days and times of day in an enquiry's bits, as the form's ticks."""
    chosen = [
        (str(day), str(part))
        for day in range(len(WEEKDAYS))
        for part in range(len(DAY_PARTS))
        if slots & slot_bit(day, part)
    ]
    return {"days": sorted({day for day, _ in chosen}), "day_parts": sorted({part for _, part in chosen})}


def needs_in_words(needs: list[str], language: str, note: str) -> str:
    """What helps to talk with them, as the enquiry stores it. Empty if nothing does."""
    named = [each.kept for value, each in NEEDS.items() if value in needs]
    if language:
        named = [f"{each} ({language})" if each == NEEDS[INTERPRETER].kept else each for each in named]
        if INTERPRETER not in needs:
            named.append(f"language: {language}")
    line = "; ".join(named)
    return "\n".join(part for part in (line[:1].upper() + line[1:], note) if part)


def back_in_words(how_long: str, where: str, seen: list[str]) -> str:
    """The closed answers, as lines to go before the patient's own words. Empty if there are none."""
    lines = []
    if how_long:
        lines.append(f"How long: {HOW_LONG[how_long].lower()}")
    if where:
        lines.append(f"Where: {WHERE[where].kept}")
    if seen:
        lines.append("Has seen: " + ", ".join(each.kept for value, each in SEEN.items() if value in seen))
    return "\n".join(lines)


# --- what is asked ---

SHORT_LENGTH = 120
DESCRIPTION_LENGTH = 500  # characters, after the closed questions

WHO = Step("who", "Book a consultation", ("for_whom",))
THEM = Step("about-them", "The person it is for", ("their_name", "they_are", "they_agree"))
CONTACT = Step("contact", "How to reach you", ("name", "contact_by", "email"))
PHONE = Step("phone", "When we phone you", ("phone", "may_leave_voicemail", "may_say_who_calls"))
TIMES = Step("times", "A good time for you", ("days", "day_parts", "best_time"))
BACK = Step("back", "Your back pain", ("how_long", "where", "seen", "description"))
THEIR_BACK = "Their back pain"
ANSWERS = Step("answers", "Your answers from “Check your symptoms”", ("include_answers",))
HELP = Step("help", "What helps us talk with you", ("needs", "language", "needs_note"))

# Questions worded differently when they are about somebody else's back.
OF_THEIRS = {
    "how_long": "How long have they had it? (optional)",
    "where": "Where do they feel it? (optional)",
    "seen": "Have they seen anyone about it? (optional)",
    "description": "Briefly describe their back pain",
}


def _ticks(label: str, hint: str, known: dict[str, str], *, invalid: str = "Choose from the list"):
    return forms.MultipleChoiceField(
        label=label,
        help_text=hint,
        required=False,
        choices=list(known.items()),
        widget=Ticks,
        error_messages={"invalid_choice": invalid},
    )


def _yes_or_no(label: str, hint: str, *, required: str) -> forms.ChoiceField:
    return one_of(label, YES_NO, hint, required=required, invalid="Choose yes or no")


def _said_yes(answer: str) -> bool | None:
    return {"yes": True, "no": False}.get(answer)


class ConsultationForm(EnquiryForm):
    kind = "consultation"
    steps = (WHO, THEM, CONTACT, PHONE, TIMES, BACK, ANSWERS, HELP)

    for_whom = one_of(
        "Who is this for?",
        FOR_WHOM,
        required="Choose who this is for",
    )
    their_name = TextField(
        longest=NAME_LENGTH,
        label="Their name",
        required=False,
        too_long=f"Enter their name in {NAME_LENGTH} characters or fewer",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter the name of the person this is for"},
    )
    they_are = one_of("Who are they to you?", for_patients(RELATIONS), required="Choose who they are to you")
    they_agree = one_of(
        "Do they know, and agree, that you are asking us?",
        AGREED,
        f"If not yet, you can still ask. {UNTIL_THEY_AGREE}",
        required="Choose whether they know, and agree, that you are asking us",
    )
    contact_by = forms.MultipleChoiceField(
        label="How should we contact you?",
        help_text="Choose one or more.",
        choices=list(CONTACT_BY.items()),
        widget=Ticks,
        error_messages={
            "required": "Choose how we should contact you",
            "invalid_choice": "Choose phone, video call or email",
        },
    )
    email = EmailField(
        label="Email address",
        required=False,
        help_text="If you choose only phone, you can leave this empty. Then we do not email you to confirm your request.",
    )
    phone = PhoneField(
        label="Phone number",
        required=False,
        help_text="The best number to reach you. If you use text relay, start with 18001 or 18002.",
    )
    # A question left unanswered is no permission to leave a voicemail.
    may_leave_voicemail = _yes_or_no(
        "May we leave a voicemail?",
        "Someone else may hear it.",
        required="Choose whether we may leave a voicemail",
    )
    may_say_who_calls = _yes_or_no(
        "May we say who is calling?",
        "If someone else answers the phone.",
        required="Choose whether we may say who is calling",
    )
    days = _ticks(
        "Which days suit you? (optional)",
        "Tick any that suit you. If you tick none, we may call on any day.",
        dict(enumerate(WEEKDAYS)),
        invalid="Choose days from the list",
    )
    day_parts = _ticks(
        "Which times of day? (optional)",
        "If you tick none, we may call at any time of day.",
        dict(enumerate(part.capitalize() for part in DAY_PARTS)),
        invalid="Choose times of day from the list",
    )
    best_time = TextField(
        longest=SHORT_LENGTH,
        label="Anything else about times (optional)",
        help_text=f"For example, not before 10am. Up to {SHORT_LENGTH} characters.",
        required=False,
    )
    how_long = one_of("How long have you had it? (optional)", HOW_LONG)
    where = one_of("Where do you feel it? (optional)", for_patients(WHERE))
    seen = _ticks("Have you seen anyone about it? (optional)", "", for_patients(SEEN))
    description = long_text(
        "Briefly describe your back pain",
        longest=DESCRIPTION_LENGTH,
        shorten="your description",
        required="Tell us briefly about your back pain",
        hint=f"What worries you most about it, in up to {DESCRIPTION_LENGTH:,} characters.",
    )
    # Only if the browser holds a finished self-assessment.
    include_answers = forms.ChoiceField(
        label="Send my answers from “Check your symptoms” too?",
        choices=[("no", "No"), ("yes", "Yes, send my answers and my result with this request")],
        initial="no",
        required=False,
        widget=Radios,
        error_messages={"invalid_choice": "Choose yes or no"},
    )
    needs = _ticks(
        "What would help us talk with you? (optional)",
        "Tick any that you need.",
        for_patients(NEEDS),
        invalid="Choose from the list, or tell us in your own words below",
    )
    language = TextField(
        longest=SHORT_LENGTH,
        label="Which language? (if you need an interpreter)",
        required=False,
    )
    needs_note = TextField(
        longest=SHORT_LENGTH,
        label="Anything else that would help us talk with you (optional)",
        help_text=f"For example, who helps you, or that you need more time. Up to {SHORT_LENGTH} characters.",
        required=False,
    )

    def __init__(self, *args, ask_about_answers: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if ask_about_answers:
            said = handover.consent_wording(handover.CONSULTATION_CONSENT)
            self.fields["include_answers"].help_text = f"If you choose yes, you say: “{said}”"
        else:
            del self.fields["include_answers"]
        whom = self.data.get(self.add_prefix("for_whom")) if self.is_bound else self.initial.get("for_whom")
        if whom == SOMEONE_ELSE:
            for name, label in OF_THEIRS.items():
                self.fields[name].label = label
            self.fields["where"].choices = list(WHERE_THEIRS.items())

    def parts(self, names):
        """Folds what few people need, unless it has been filled in."""
        if "needs" not in names or len(names) > len(HELP.fields):
            return super().parts(names)
        in_use = any(self.errors) or any(self.initial.get(name) for name in names)
        opens = format_html("<details{}><summary>Choose what would help</summary>", " open" if in_use else "")
        return [
            HTML("<p>You can leave this out. Most people do.</p>"),
            HTML(opens),
            *super().parts(names),
            HTML("</details>"),
        ]

    def clean(self):
        told = super().clean()
        self._require(self.for_someone_else, *THEM.fields)
        self._require(self.applies(PHONE), "may_leave_voicemail", "may_say_who_calls")
        if not told.get("for_whom"):
            self._require(True, "for_whom")
        self._require(set(told.get("contact_by", [])) != {"phone"}, "email")
        if self.applies(PHONE) and not told.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "Enter your phone number, so that we can call you")
        for step in self.steps:
            if not self.applies(step):
                self._leave_out(step)
        lacks_language = INTERPRETER in told.get("needs", []) and not told.get("language")
        if lacks_language and "language" not in self.errors:
            self.add_error("language", "Enter the language that you need an interpreter for")
        if phones.is_relay(told.get("phone", "")) and RELAY not in told.get("needs", []):
            told["needs"] = [*told.get("needs", []), RELAY]
        return told

    def _require(self, needed: bool, *names: str) -> None:
        for name in names:
            if needed and not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])

    def _leave_out(self, step: Step) -> None:
        """Drops answers that a later choice made irrelevant, because a radio button cannot be unticked."""
        for name in step.fields:
            if name in self.fields:
                self.errors.pop(name, None)
                self.cleaned_data[name] = [] if isinstance(self.fields[name], forms.MultipleChoiceField) else ""

    def applies(self, step):
        by = set(self.cleaned_data.get("contact_by", []))
        if step is THEM:
            return self.for_someone_else
        if step is PHONE:
            return "phone" in by
        if step is TIMES:
            return bool(by & {"phone", "video"})
        if step is ANSWERS:
            # Only the person who answered can consent to sending them.
            return "include_answers" in self.fields and not self.for_someone_else
        return True

    def heading(self, step):
        return THEIR_BACK if step is BACK and self.for_someone_else else super().heading(step)

    @property
    def for_someone_else(self) -> bool:
        return self.cleaned_data.get("for_whom") == SOMEONE_ELSE

    @property
    def call_slots(self) -> int:
        return call_slots(self.cleaned_data["days"], self.cleaned_data["day_parts"])

    def details(self):
        told = self.cleaned_data
        about = back_in_words(told["how_long"], told["where"], told["seen"])
        details = super().details()
        details["description"] = "\n\n".join(part for part in (about, details["description"]) if part)
        return details

    def also(self):
        told = self.cleaned_data
        kept = {
            "call_slots": self.call_slots,
            "may_leave_voicemail": _said_yes(told["may_leave_voicemail"]),
            "may_say_who_calls": _said_yes(told["may_say_who_calls"]),
            "needs": needs_in_words(told["needs"], told["language"], told["needs_note"]),
        }
        if self.for_someone_else:
            kept |= {
                "for_name": told["their_name"],
                "for_relation": RELATIONS[told["they_are"]].kept,
                "for_agreed": told["they_agree"],
            }
        return kept
