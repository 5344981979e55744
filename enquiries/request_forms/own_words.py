"""Looks for red flags in what a patient wrote in their own words, in any box.

Every text field is read, because people write "my bottom is numb" where a form asks what helps to talk with them. The list is made
from the form's fields, so it includes any box that is added.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django import forms

from backcare.core.encryption import keyed_hash
from backcare.core.forms import TextField
from factsheets import safety
from factsheets.models import Tier
from factsheets.search import redflags

CODES_LENGTH = 120  # characters that an enquiry has for codes
CRISIS = redflags.CRISIS
MARKS = 20  # the latest this many are carried


def codes_in(text: str) -> tuple[str, ...]:
    """Codes of the advice for a patient's words, gravest first. Never raises. Looks at the first redflags.MAX_LENGTH
    characters."""
    reading = redflags.read(text)
    return ((CRISIS,) if reading.crisis else ()) + reading.emergency + reading.urgent


@dataclass(frozen=True)
class Box:
    """One field in which a sign was found."""

    name: str
    label: str
    text: str

    @property
    def mark(self) -> str:
        """A mark that stands for this text without revealing it."""
        return keyed_hash(self.name, self.text, purpose="card shown")[:12]


@dataclass(frozen=True)
class OwnWords:
    """`codes` of the safety advice, the gravest first within each box, and the boxes that gave them. `answers`: those that
    answers to the self-assessment gave."""

    codes: tuple[str, ...]
    boxes: tuple[Box, ...]
    answers: tuple[str, ...] = ()

    def __bool__(self):
        return bool(self.codes)

    def and_answers(self, codes: Iterable[str]) -> "OwnWords":
        """Adds the codes of a self-assessment that is sent too (enquiries.assessment.handover.safety_codes)."""
        codes = tuple(codes)
        return replace(self, codes=tuple(dict.fromkeys([*codes, *self.codes])), answers=codes)

    @property
    def marks(self) -> tuple[str, ...]:
        """Marks of the texts and answers for which the card is shown. A changed text that still has a sign gets a new mark."""
        return (*self.answers, *(box.mark for box in self.boxes))

    def were_shown(self, seen: Iterable[str]) -> bool:
        """Whether the card has been shown for all of it. True if there is no sign."""
        return set(self.marks) <= set(seen)


def boxes(form: forms.Form) -> list[Box]:
    """The boxes of a validated form that hold text. A rejected box holds none yet."""
    return [
        Box(name, str(field.label).replace(" (optional)", ""), form.cleaned_data[name])
        for name, field in form.fields.items()
        if isinstance(field, TextField) and field.is_own_words and form.cleaned_data.get(name)
    ]


def read(form: forms.Form) -> OwnWords:
    """The red flags that the words sound like, box by box, so that no sign is put together from two boxes."""
    found = {box: codes_in(box.text) for box in boxes(form)}
    codes = dict.fromkeys(code for each in found.values() for code in each)
    return OwnWords(tuple(codes), tuple(box for box, each in found.items() if each))


def seen(given: str) -> list[str]:
    """The marks in the hidden field for cards already shown. Forging it only hides a card from the forger."""
    return [mark for mark in given[-MARKS * 20 :].split() if len(mark) < 20][-MARKS:]


def latest(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """Both sets, keeping the latest if there are too many, so that nobody sees the same card again and again."""
    now = list(dict.fromkeys(now))
    return [*(mark for mark in before if mark not in now), *now][-MARKS:]


# The advice for the codes of somebody's signs, shown before they send, on the confirmation and in the email.
#
# It is made from codes alone, so it cannot quote anybody. All its words are the system's.


@dataclass(frozen=True)
class Advice:
    """`cards` is the gravest tier's card or nothing, because two would compete. `crisis` is the crisis lines or None."""

    cards: list[dict]
    crisis: tuple | None

    def __bool__(self):
        return bool(self.cards or self.crisis)

    @property
    def is_emergency(self) -> bool:
        """Its card is the one that every email and page has anyway."""
        return any(card["tier"] == Tier.EMERGENCY for card in self.cards)


def advice(codes: Iterable[str], tiers: list[dict]) -> Advice:
    """`tiers` as from factsheets.safety.tiers(). A code that is no longer in any of them counts as an emergency."""
    codes = set(codes)
    crisis = safety.CRISIS if CRISIS in codes else None
    left = codes - {CRISIS}
    for tier in tiers:
        if tier["tier"] != Tier.ROUTINE and (left & {item["code"] for item in tier["items"]}):
            return Advice([_first(tier, left)], crisis)
    return Advice([_first(tiers[0], left)] if left else [], crisis)


def to_store(codes: Iterable[str], tiers: list[dict]) -> str:
    """The codes as an enquiry stores them: the gravest ones, in at most CODES_LENGTH characters."""
    codes = set(codes)
    order = [CRISIS, *(item["code"] for tier in tiers for item in tier["items"])]
    text = ""
    for code in [*(code for code in dict.fromkeys(order) if code in codes), *sorted(codes - set(order))]:
        if len(text) + 1 + len(code) <= CODES_LENGTH:
            text = f"{text} {code}".strip()
    return text


def _first(tier: dict, codes: set[str]) -> dict:
    """The tier's card, with the signs that somebody's words sound like at the top."""
    return {**tier, "items": sorted(tier["items"], key=lambda item: item["code"] not in codes)}
