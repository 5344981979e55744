from factsheets.admin.approval import ApprovalAdmin
from factsheets.admin.figure import FigureAdmin
from factsheets.admin.notice import SiteNoticeAdmin
from factsheets.admin.red_flags import SafetyAdviceAdmin
from factsheets.admin.search import SearchMissAdmin, SearchQuestionsAdmin, SynonymAdmin
from factsheets.admin.section import SectionAdmin
from factsheets.admin.shared import (
    ClaimAdmin,
    GlossaryTermAdmin,
    SourceAdmin,
    TopicAdmin,
    WordListAdmin,
)
from factsheets.admin.sheet import FactSheetAdmin
from factsheets.admin.statement import StatementAdmin
from factsheets.admin.team import TeamMemberAdmin

__all__ = [
    "ApprovalAdmin",
    "ClaimAdmin",
    "FactSheetAdmin",
    "FigureAdmin",
    "GlossaryTermAdmin",
    "SafetyAdviceAdmin",
    "SearchMissAdmin",
    "SearchQuestionsAdmin",
    "SectionAdmin",
    "SiteNoticeAdmin",
    "SourceAdmin",
    "StatementAdmin",
    "SynonymAdmin",
    "TeamMemberAdmin",
    "TopicAdmin",
    "WordListAdmin",
]
