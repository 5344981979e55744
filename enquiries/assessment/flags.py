"""The red flags as the self-assessment asks about and shows them. Their words come only from the SafetyAdvice records."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import cached_property
from django.utils.text import capfirst

from enquiries.assessment.questions import ASKED, SHOWN
from factsheets import safety
from factsheets.models import SafetyAdvice
from factsheets.safety import SafetyAdviceMissing


@dataclass(frozen=True)
class Flags:
    records: dict[str, SafetyAdvice]  # by code, in the order they are asked

    def asked(self, tier: str) -> list[SafetyAdvice]:
        """Staff may add to the ledger's list for a tier. Such a record is asked about and judged like the others."""
        return [record for record in self.records.values() if record.in_assessment and record.tier == tier]

    def options(self, tier: str) -> list[tuple[str, str]]:
        return [(record.code, capfirst(record.text)) for record in self.asked(tier)]

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the list, because "none of these" was an answer to this list in these words."""
        words = [[record.code, record.text] for tier in ASKED for record in self.asked(tier)]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def missing(records: Mapping[str, SafetyAdvice]) -> list[str]:
    """What the questions and rules need from the red flags but cannot find: one sentence for each."""
    found = [
        f"“Check your symptoms” asks {code} as {tier}, so it must stay in that tier and be asked."
        for tier, codes in ASKED.items()
        for code in codes
        if code not in records or records[code].tier != tier or not records[code].in_assessment
    ]
    return found + [
        f"“Check your symptoms” gives {code} as a reason, so it must stay." for code in SHOWN if code not in records
    ]


def flags() -> Flags:
    """Raises SafetyAdviceMissing when the ledger's list is not complete: a shorter list would send people home wrongly."""
    records = {record.code: record for record in safety.records()}
    if found := missing(records):
        raise SafetyAdviceMissing(" ".join(found))
    return Flags(records)
