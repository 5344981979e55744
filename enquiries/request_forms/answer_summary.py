"""A form's answers in words, for the page on which people check them. Each group has one button to change it."""

from dataclasses import dataclass

from backcare.core import addresses, phones
from enquiries.assessment import handover
from enquiries.models import Agreement, slots_in_words
from enquiries.request_forms import consultation

NOT_GIVEN = "Not given"


@dataclass(frozen=True)
class Row:
    question: str
    answers: list[str]


@dataclass(frozen=True)
class Group:
    """Rows with one button to change them, which opens the form at `begin_at`."""

    what: str  # as in "Change your …"
    begin_at: str
    rows: list[Row]


def groups(form) -> list[Group]:
    """The answers of a valid form, in one group for each page."""
    return _question(form.cleaned_data) if form.kind == "question" else _consultation(form)


def _question(told: dict) -> list[Group]:
    you = [Row("Your name", [told["name"]]), Row("Your email address", [addresses.in_words(told["email"])])]
    return [
        Group("name and email address", "name", you),
        Group("question", "description", [Row("Your question", _lines(told["description"]))]),
    ]


def _consultation(form) -> list[Group]:
    told = form.cleaned_data
    who, whose = ("they", "Their") if form.for_someone_else else ("you", "Your")
    what = {
        consultation.WHO: Group("answer about who it is for", "for_whom", _for_whom(form)),
        consultation.THEM: Group("answers about the other person", "their_name", _them(told)),
        consultation.CONTACT: Group(
            "name, email address and contact choices",
            "name",
            [
                Row("Your name", [told["name"]]),
                Row("How we contact you", _named(consultation.CONTACT_BY, told["contact_by"])),
                Row("Your email address", [addresses.in_words(told["email"]) or NOT_GIVEN]),
            ],
        ),
        consultation.PHONE: Group(
            "phone number and answers about phoning",
            "phone",
            [
                Row("Phone number", [phones.in_words(told["phone"])]),
                *(
                    Row(form.fields[name].label, [consultation.YES_NO.get(told[name], NOT_GIVEN)])
                    for name in ("may_leave_voicemail", "may_say_who_calls")
                ),
            ],
        ),
        consultation.TIMES: Group(
            "times",
            "days",
            [Row("A good time", [*slots_in_words(form.call_slots), *_lines(told["best_time"])] or ["Any time"])],
        ),
        consultation.BACK: Group(
            f"answers about {whose.lower()} back",
            "how_long",
            [
                Row(f"How long {who} have had it", [consultation.HOW_LONG.get(told["how_long"], NOT_GIVEN)]),
                Row(f"Where {who} feel it", [dict(form.fields["where"].choices).get(told["where"], NOT_GIVEN)]),
                Row(
                    f"Who {who} have seen about it", _named(consultation.for_patients(consultation.SEEN), told["seen"])
                ),
                Row(f"{whose} back pain", _lines(told["description"])),
            ],
        ),
        consultation.ANSWERS: Group("choice about your answers", "include_answers", _answers(form)),
        consultation.HELP: Group(
            "needs", "needs", [Row("What would help us talk with you", _needs(told) or ["Nothing needed"])]
        ),
    }
    return [what[step] for step in form.pages]


def _needs(told: dict) -> list[str]:
    return consultation.needs_in_words(told["needs"], told["language"], told["needs_note"]).splitlines()


def _answers(form) -> list[Row]:
    if "include_answers" not in form.fields:
        return []
    said = ["Yes. " + handover.consent_wording(handover.CONSULTATION_CONSENT)] if form.with_answers else ["No"]
    return [Row(form.fields["include_answers"].label, said)]


def _for_whom(form) -> list[Row]:
    return [Row("Who this is for", ["Someone else" if form.for_someone_else else "You"])]


def _them(told: dict) -> list[Row]:
    if not told["their_name"]:
        return []
    who = [consultation.RELATIONS[told["they_are"]].asked]
    if told["they_are"] == consultation.UNDER_18:
        who.append(consultation.SEE_A_GP)
    agreed = [consultation.AGREED[told["they_agree"]]]
    if told["they_agree"] == Agreement.NOT_YET:
        agreed.append(consultation.UNTIL_THEY_AGREE)
    return [
        Row("Their name", [told["their_name"]]),
        Row("Who they are to you", who),
        Row("Do they know and agree?", agreed),
    ]


def _named(known: dict[str, str], chosen: list[str]) -> list[str]:
    return [words for value, words in known.items() if value in chosen] or [NOT_GIVEN]


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]
