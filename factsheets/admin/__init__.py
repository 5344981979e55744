from factsheets.admin.shared import (
    ClaimAdmin,
    FigureAdmin,
    GlossaryTermAdmin,
    SafetyAdviceAdmin,
    SourceAdmin,
    TopicAdmin,
)
from factsheets.admin.sheet import FactSheetAdmin, SectionAdmin

__all__ = [
    "ClaimAdmin",
    "FactSheetAdmin",
    "FigureAdmin",
    "GlossaryTermAdmin",
    "SafetyAdviceAdmin",
    "SectionAdmin",
    "SourceAdmin",
    "TopicAdmin",
]
