"""Which red flags a patient's own words sound like, before they send them and for whoever reads them.

The reading is the search's (factsheets.search.redflags); here is what an enquiry keeps of it and which card it shows.
"""

from dataclasses import dataclass

from factsheets.models import Tier
from factsheets.search import redflags

CODES_LENGTH = 120  # characters that the enquiry keeps of its codes
CRISIS = redflags.CRISIS


@dataclass(frozen=True)
class Signs:
    """Codes of the advice that a text points at, the gravest first, and whether it sounds like a crisis."""

    emergency: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    crisis: bool = False

    def __bool__(self):
        return bool(self.codes)

    @property
    def codes(self) -> tuple[str, ...]:
        return ((CRISIS,) if self.crisis else ()) + self.emergency + self.urgent

    @property
    def kept(self) -> str:
        """As the enquiry keeps them: at most CODES_LENGTH characters, the gravest of them."""
        kept = ""
        for code in self.codes:
            if len(kept) + 1 + len(code) <= CODES_LENGTH:
                kept = f"{kept} {code}".strip()
        return kept

    def cards(self, tiers: list[dict]) -> list[dict]:
        """The gravest tier that the words sound like, with what they sound like first. One: two would push each other away."""
        for tier, codes in ((Tier.EMERGENCY, self.emergency), (Tier.URGENT, self.urgent)):
            if codes:
                [found] = [each for each in tiers if each["tier"] == tier]
                return [{**found, "items": sorted(found["items"], key=lambda item: item["code"] not in codes)}]
        return []


def read(text: str) -> Signs:
    """What a patient's own words sound like. Never raises; looks at the first redflags.MAX_LENGTH characters."""
    reading = redflags.read(text)
    return Signs(reading.emergency, reading.urgent, reading.crisis)
