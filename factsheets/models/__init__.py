from factsheets.models.approval import Approval, Decision, Register, Subject
from factsheets.models.draft import DRAFT_WRITING, DraftState, DraftStep
from factsheets.models.edition import (
    SIGNED,
    WRITING,
    Edition,
    GuardOverride,
    KeptClaim,
    ReviewComment,
    ReviewReminder,
    SharedDraft,
    SharedDraftEvent,
    SharedEdition,
    SharedStep,
    Step,
)
from factsheets.models.evidence import BENEFITS, Claim, ClaimStatus, Direction, Grade, Statement, StatementUse
from factsheets.models.figure import Figure
from factsheets.models.picture import Picture, PictureFile
from factsheets.models.readers import Answer, Reason, SheetFeedback, SheetReads
from factsheets.models.safety import SafetyAdvice, SafetyDraft, SafetyDraftEvent, SafetyEdition, SafetyStep, Tier
from factsheets.models.search import DraftQuestions, SearchMiss, SearchQuestions, Synonym
from factsheets.models.section import Aspect, Layer, Question, Section, SectionKind, Tradition
from factsheets.models.sheet import QUESTIONS, FactSheet, FormerAddress, RelatedSheet, SheetKind, State, Topic
from factsheets.models.source import LinkOutcome, Source, SourceLink, SourceUse
from factsheets.models.team import TeamMember
from factsheets.models.unsaved import ContentUpload, UnsavedEdit
from factsheets.models.version import ContentVersion, InstalledRecord, SiteNotice
from factsheets.models.words import GlossaryTerm, WordList

__all__ = [
    "BENEFITS",
    "DRAFT_WRITING",
    "QUESTIONS",
    "SIGNED",
    "WRITING",
    "Answer",
    "Approval",
    "Aspect",
    "Claim",
    "ClaimStatus",
    "ContentUpload",
    "ContentVersion",
    "Decision",
    "Direction",
    "DraftQuestions",
    "DraftState",
    "DraftStep",
    "Edition",
    "FactSheet",
    "Figure",
    "FormerAddress",
    "GlossaryTerm",
    "Grade",
    "GuardOverride",
    "InstalledRecord",
    "KeptClaim",
    "Layer",
    "LinkOutcome",
    "Picture",
    "PictureFile",
    "Question",
    "Reason",
    "Register",
    "RelatedSheet",
    "ReviewComment",
    "ReviewReminder",
    "SafetyAdvice",
    "SafetyDraft",
    "SafetyDraftEvent",
    "SafetyEdition",
    "SafetyStep",
    "SearchMiss",
    "SearchQuestions",
    "Section",
    "SectionKind",
    "SharedDraft",
    "SharedDraftEvent",
    "SharedEdition",
    "SharedStep",
    "SheetFeedback",
    "SheetKind",
    "SheetReads",
    "SiteNotice",
    "Source",
    "SourceLink",
    "SourceUse",
    "State",
    "Statement",
    "StatementUse",
    "Step",
    "Subject",
    "Synonym",
    "TeamMember",
    "Tier",
    "Topic",
    "Tradition",
    "UnsavedEdit",
    "WordList",
]
