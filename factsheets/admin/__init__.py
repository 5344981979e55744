from factsheets.admin.shared import FigureAdmin, GlossaryTermAdmin, SafetyAdviceAdmin, SourceAdmin, TopicAdmin
from factsheets.admin.sheet import FactSheetAdmin, SectionAdmin

__all__ = [
    "FactSheetAdmin",
    "FigureAdmin",
    "GlossaryTermAdmin",
    "SafetyAdviceAdmin",
    "SectionAdmin",
    "SourceAdmin",
    "TopicAdmin",
]
