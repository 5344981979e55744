"""The advice that belongs to the codes of somebody's signs: before they send, on the confirmation, and in the mail.

Only codes come in, so nothing that comes out can quote anybody. The words are the system's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from enquiries.request_forms.red_flag_text import CODES_LENGTH, CRISIS
from factsheets import safety
from factsheets.models import Tier


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


def kept(codes: Iterable[str], tiers: list[dict]) -> str:
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
