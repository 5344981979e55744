from factsheets.models.claim import Claim, ClaimStatus
from factsheets.models.evidence import Direction, EvidenceStatement, Grade
from factsheets.models.figure import Figure
from factsheets.models.glossary import GlossaryTerm
from factsheets.models.installed import InstalledRecord
from factsheets.models.safety import SafetyAdvice, Tier
from factsheets.models.section import Aspect, Kind, Section, View
from factsheets.models.sheet import FactSheet, RelatedSheet, State, Topic
from factsheets.models.source import Source

__all__ = [
    "Aspect",
    "Claim",
    "ClaimStatus",
    "Direction",
    "EvidenceStatement",
    "FactSheet",
    "Figure",
    "GlossaryTerm",
    "Grade",
    "InstalledRecord",
    "Kind",
    "RelatedSheet",
    "SafetyAdvice",
    "Section",
    "Source",
    "State",
    "Tier",
    "Topic",
    "View",
]
