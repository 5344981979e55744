"""A form's answers in words, for the page where the person looks them through. What is changed together stands together."""

from dataclasses import dataclass

from backcare.core import addresses, phones
from enquiries.models import Agreement
from enquiries.report import consent
from enquiries.request_forms import choices

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
    """What a valid form says. A consultation whose safe-contact answers are still missing leaves those out."""
    return _question(form.cleaned_data) if form.kind == "question" else _consultation(form)


def _question(told: dict) -> list[Group]:
    return [
        _you(told, [Row("Your email address", [addresses.in_words(told["email"])])]),
        Group("question", "description", [Row("Your question", _lines(told["description"]))]),
    ]


def _you(told: dict, more: list[Row]) -> Group:
    return Group("name and email address", "name", [Row("Your name", [told["name"]]), *more])


def _consultation(form) -> list[Group]:
    told = form.cleaned_data
    reach = [Row("How we contact you", _named(choices.CONTACT, told["contact_by"]))]
    if told["phone"]:
        reach.append(Row("Phone number", [phones.in_words(told["phone"])]))
    for name in form.safe_contact:
        if told.get(name):
            reach.append(Row(form.fields[name].label, [choices.YES_NO[told[name]]]))
    needs = choices.needs_in_words(told["needs"], told["language"], told["needs_note"])
    times = choices.times_in_words(told["times"])
    if told["best_time"]:
        times.append(told["best_time"])
    who, whose = ("they", "Their") if form.for_someone_else else ("you", "Your")
    back = [
        Row(f"How long {who} have had it", [choices.HOW_LONG.get(told["how_long"], NOT_GIVEN)]),
        Row(f"Where {who} feel it", [choices.WHERE.get(told["where"], NOT_GIVEN)]),
        Row(f"Who {who} have seen about it", _named(choices.SEEN, told["seen"])),
        Row(f"{whose} back pain", _lines(told["description"])),
    ]
    if "include_answers" in form.fields:
        said = ["Yes. " + consent.wording(consent.CONSULTATION)] if form.with_answers else ["No"]
        back.append(Row(form.fields["include_answers"].label, said))
    return [
        Group("contact choices", "contact_by", reach),
        Group("times", "times", [Row("A good time", times or ["Any time"])]),
        Group("answers about who it is for", "for_whom", _for_whom(form)),
        _you(told, [Row("Your email address", [addresses.in_words(told["email"])])]),
        Group("needs", "needs", [Row("What would help us talk with you", needs.splitlines() or ["Nothing needed"])]),
        Group(f"answers about {whose.lower()} back", "how_long", back),
    ]


def _for_whom(form) -> list[Row]:
    told = form.cleaned_data
    if not form.for_someone_else:
        return [Row("Who this is for", ["You"])]
    who = [choices.RELATIONS[told["they_are"]]]
    if told["they_are"] == choices.UNDER_18:
        who.append(choices.SEE_A_GP)
    agreed = [choices.AGREED[told["they_agree"]]]
    if told["they_agree"] == Agreement.NOT_YET:
        agreed.append(choices.UNTIL_THEY_AGREE)
    return [
        Row("Who this is for", ["Someone else"]),
        Row("Their name", [told["their_name"]]),
        Row("Who they are to you", who),
        Row("Do they know and agree?", agreed),
    ]


def _named(known: dict[str, str], chosen: list[str]) -> list[str]:
    return [words for value, words in known.items() if value in chosen] or [NOT_GIVEN]


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]
