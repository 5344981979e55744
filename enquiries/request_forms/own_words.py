"""Reads what a patient wrote in their own words, in any box, for red flags.

Every text field is read: people write "my bottom is numb" where a form asks what helps to talk with them. The list is made from the
form's fields, so a box that is added is read as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django import forms

from backcare.core.encryption import keyed_hash
from backcare.core.forms import TextField
from factsheets import safety
from factsheets.models import Tier
from factsheets.search import redflags

CODES_LENGTH = 120  # characters that the enquiry keeps of its codes
CRISIS = redflags.CRISIS
MARKS = 20  # as many are carried, the latest


def codes_in(text: str) -> tuple[str, ...]:
    """Codes of the advice that a patient's words point at, the gravest first. Never raises; looks at the first redflags.MAX_LENGTH
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
        """A mark that identifies this text without revealing it."""
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
        """With the codes of a self-assessment that goes along (enquiries.assessment.handover.safety_codes)."""
        codes = tuple(codes)
        return replace(self, codes=tuple(dict.fromkeys([*codes, *self.codes])), answers=codes)

    @property
    def marks(self) -> tuple[str, ...]:
        """What the card is shown for: these texts and these answers. A changed text that still holds a sign is another."""
        return (*self.answers, *(box.mark for box in self.boxes))

    def were_shown(self, seen: Iterable[str]) -> bool:
        """Whether the card was shown for all of it. Without a sign there is none to show."""
        return set(self.marks) <= set(seen)


def boxes(form: forms.Form) -> list[Box]:
    """The boxes of a checked form that hold a text. A box that was refused holds none yet."""
    return [
        Box(name, str(field.label).replace(" (optional)", ""), form.cleaned_data[name])
        for name, field in form.fields.items()
        if isinstance(field, TextField) and field.is_own_words and form.cleaned_data.get(name)
    ]


def read(form: forms.Form) -> OwnWords:
    """Which red flags the words sound like, box by box: a sign is never put together from two boxes."""
    found = {box: codes_in(box.text) for box in boxes(form)}
    codes = dict.fromkeys(code for each in found.values() for code in each)
    return OwnWords(tuple(codes), tuple(box for box, each in found.items() if each))


def seen(given: str) -> list[str]:
    """The marks in a hidden field that says for what somebody was shown the card. A forged one only hides a card."""
    return [mark for mark in given[-MARKS * 20 :].split() if len(mark) < 20][-MARKS:]


def latest(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """Both, without what has too many after it: those of now stay, so that nobody meets the same card again and again."""
    now = list(dict.fromkeys(now))
    return [*(mark for mark in before if mark not in now), *now][-MARKS:]


# The advice that belongs to the codes of somebody's signs: before they send, on the confirmation, and in the mail.
#
# Only codes come in, so nothing that comes out can quote anybody. The words are the system's.


@dataclass(frozen=True)
class Advice:
    """`cards` is the gravest tier's card or nothing: two would push each other away. `crisis` is the crisis lines or None."""

    cards: list[dict]
    crisis: tuple | None

    def __bool__(self):
        return bool(self.cards or self.crisis)

    @property
    def is_emergency(self) -> bool:
        """Its card is the one that every mail and page carries anyway."""
        return any(card["tier"] == Tier.EMERGENCY for card in self.cards)


def advice(codes: Iterable[str], tiers: list[dict]) -> Advice:
    """`tiers` as factsheets.safety.tiers() gives them. A code that is no longer in any of them counts as an emergency."""
    codes = set(codes)
    crisis = safety.CRISIS if CRISIS in codes else None
    left = codes - {CRISIS}
    for tier in tiers:
        if tier["tier"] != Tier.ROUTINE and (left & {item["code"] for item in tier["items"]}):
            return Advice([_first(tier, left)], crisis)
    return Advice([_first(tiers[0], left)] if left else [], crisis)


def to_store(codes: Iterable[str], tiers: list[dict]) -> str:
    """As the enquiry keeps them: at most CODES_LENGTH characters, the gravest of them."""
    codes = set(codes)
    order = [CRISIS, *(item["code"] for tier in tiers for item in tier["items"])]
    text = ""
    for code in [*(code for code in dict.fromkeys(order) if code in codes), *sorted(codes - set(order))]:
        if len(text) + 1 + len(code) <= CODES_LENGTH:
            text = f"{text} {code}".strip()
    return text


def _first(tier: dict, codes: set[str]) -> dict:
    """The tier's card with what somebody's words sound like at its top."""
    return {**tier, "items": sorted(tier["items"], key=lambda item: item["code"] not in codes)}
