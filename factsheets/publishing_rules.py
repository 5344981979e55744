"""When a sheet may be public, who may sign it off, and what prevents it.

The rules are the clinic's own promise to readers: every sheet rests on named sources that a reader can find and date, carries
the emergency advice, passed the claims guard, and says when it was last read by a clinician who did not write it, and when it will
be read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max, Q
from django.utils import timezone

from factsheets import claims_guard, markup_checks, review_notifications, safety, team
from factsheets.models import (
    SIGNED,
    Claim,
    ClaimStatus,
    Edition,
    FactSheet,
    Layer,
    Section,
    SectionKind,
    Source,
    State,
    Step,
)
from factsheets.models.edition import WRITING
from factsheets.models.section import MAX_CALLOUTS
from factsheets.rendering.document import build
from factsheets.rendering.markdown import BodyError

# Our own rule. A year is what we offer first.
MAX_REVIEW_PERIOD = timedelta(days=2 * 366)
REVIEW_USUALLY = timedelta(days=365)
# What a sheet does not have yet when it has just been begun.
FACTS = {"summary": "the summary", "audience": "who it is for", "key_points": "the key points"}


@dataclass(frozen=True)
class Obstacle:
    """Why a sheet may not be public as it stands, in a sentence that says what to do."""

    text: str
    place: str = ""
    finding: claims_guard.Finding | None = None

    def __str__(self):
        return f"{self.place}: {self.text}" if self.place else self.text


def sections_of(sheet: FactSheet) -> list[Section]:
    """The sections with everything that the checks and the document need, for callers that need more than one of these."""
    return list(sheet.sections.select_related("figure").prefetch_related("statement_uses__statement__sources"))


def obstacles(sheet: FactSheet, *, sections: list[Section] | None = None, built: dict | None = None) -> list[Obstacle]:
    """Everything that keeps the sheet, as its rows are now, from being published.

    `sections` are those of `sections_of`, and `built` is the document made of these rows, where the caller has them.
    """
    found = []
    sections = sections_of(sheet) if sections is None else sections
    try:
        document = built or build(sheet, sections)
    except BodyError as error:
        return [Obstacle(f"It cannot be displayed yet. {error}")]
    if unwritten := [words for name, words in FACTS.items() if not getattr(sheet, name).strip()]:
        found.append(Obstacle(f"Write {' and '.join(unwritten)}."))
    if not any(section.kind == SectionKind.TEXT and (section.heading or section.question) for section in sections):
        found.append(Obstacle("It has no text yet. Add a text section with a question or a heading."))
    if sheet.in_short:
        found += _unanswered(sheet, sections)
    if not document["references"]:
        found.append(
            Obstacle("It has no sources. Find one with “Cite a source” below a text, or show a statement of evidence.")
        )
    found += [
        Obstacle(f"The source “{source}” needs {' and '.join(source.lacks)} before a published sheet may cite it.")
        for source in Source.objects.filter(key__in=[each["key"] for each in document["references"]])
        if source.lacks
    ]
    for section in sections:
        if section.kind == SectionKind.EVIDENCE and not section.evidence:
            found.append(Obstacle("Add a statement of evidence to this section, or delete the section.", str(section)))
    if not sheet.is_published:
        found += _broken(sheet, sections)
    if (callouts := sum(section.kind == SectionKind.CALLOUT for section in sections)) > MAX_CALLOUTS:
        found.append(
            Obstacle(f"It has {callouts} important notes. Keep no more than {MAX_CALLOUTS}, so that they stand out.")
        )
    dropped = set(Claim.objects.filter(status=ClaimStatus.DROP).values_list("ref", flat=True))
    for section in sections:
        refs = {*section.claim_refs, *(ref for each in section.evidence for ref in each.claim_refs)}
        if bad := sorted(refs & dropped):
            text = f"It cites {', '.join(bad)}, which the list of claims says must not be published."
            found.append(Obstacle(text, str(section)))
    try:
        safety.tiers()
    except safety.SafetyAdviceMissing:
        found.append(Obstacle("The emergency advice is missing from the site. Load the content before anything else."))
    found += [Obstacle(each.rule, each.section, each) for each in open_findings(sheet, document)]
    return found


def broken_for_readers(sheet: FactSheet, sections: list[Section] | None = None) -> list[Obstacle]:
    """What readers of a public page see broken, such as a link to a page that was taken down since. Empty for any other.

    It is fixed in a draft, and blocks nothing: what it links to may be retired any day, which must not hold up the red flags.
    `sections` are those of `sections_of`, where the caller has them.
    """
    if not sheet.is_published:
        return []
    return _broken(sheet, sections_of(sheet) if sections is None else sections)


def _broken(sheet: FactSheet, sections: list) -> list[Obstacle]:
    return [Obstacle(problem, place) for place, problem in markup_checks.broken_in(sheet, sections)]


def _unanswered(sheet: FactSheet, sections: list) -> Iterator[Obstacle]:
    """What is wrong with the leaflet's fixed questions, for a sheet that has layers."""
    leaflet = [section for section in sections if section.layer == Layer.LEAFLET]
    for section in leaflet:
        if section.question not in sheet.questions:
            words = f"“{section.get_question_display()}” belongs to another kind of sheet." if section.question else ""
            yield Obstacle(f"{words} Choose the question that this section answers.".strip(), str(section))
    answered = {section.question for section in leaflet}
    for question in sheet.questions:
        if question not in answered:
            yield Obstacle(f"The leaflet does not answer “{question.label}” yet.")


def open_findings(sheet: FactSheet, document: dict) -> list[claims_guard.Finding]:
    """What the claims guard stops and nobody has allowed."""
    overridden = set(sheet.overrides.values_list("key", flat=True))
    found = claims_guard.findings(document)
    for reason in sheet.related.values_list("reason", flat=True):
        found += claims_guard.wording("related pages", reason)
    return [each for each in found if each.key not in overridden]


def last_sign_off(sheet: FactSheet) -> Edition | None:
    """The newest edition that a clinician has signed; of a draft, only where the draft itself was signed."""
    return _signed(sheet).first()


def _signed(sheet: FactSheet):
    """Of a published sheet, only what readers saw: a draft may have been signed for a day, and then discarded.

    Of another, only what stands: a signature for a day ends when the day is cancelled or the words are sent back.
    """
    signed = sheet.editions.filter(step__in=SIGNED)
    if sheet.is_published:
        return signed.filter(public=True)
    ended = sheet.editions.filter(step__in=[Step.SENT_BACK, Step.UNPLANNED]).aggregate(number=Max("number"))["number"]
    return signed.filter(Q(public=True) | Q(number__gt=ended or 0))


def written_since_sign_off(sheet: FactSheet):
    """The editions that no clinician has signed; of a draft that none has, also those of the sheet that it is to replace.

    The words of a draft that was discarded are in neither, unless somebody has put an earlier edition back since.
    """
    unsigned = _unsigned(sheet)
    if sheet.draft_of_id and not _signed(sheet).exists():
        unsigned |= _unsigned(sheet.draft_of, put_back_in=sheet)
    return Edition.objects.filter(unsigned, step__in=WRITING).defer("content")


def _unsigned(sheet: FactSheet, put_back_in: FactSheet | None = None) -> Q:
    signed = _signed(sheet).values_list("number", flat=True).first()
    since = Q(sheet=sheet, number__gt=signed or 0)
    put_back = Edition.objects.filter(since | Q(sheet=put_back_in or sheet), step=Step.ROLLED_BACK)
    return since & Q(public=True) if sheet.is_published and not put_back.exists() else since


def only_corrected(sheet: FactSheet) -> bool:
    """All that readers see and the reviewer did not are small corrections."""
    return not written_since_sign_off(sheet).filter(public=True).exclude(step=Step.CORRECTED).exists()


def changed_since_review(sheet: FactSheet) -> bool:
    """Readers see words that the reviewer did not."""
    written = written_since_sign_off(sheet)
    return sheet.reviewed_on is not None and (written.filter(public=True) if sheet.is_published else written).exists()


def why_not_edit(sheet: FactSheet) -> str:
    """Why the words of this row may not be changed now. Empty when they may."""
    if sheet.is_published:
        return (
            "This page was published after you opened it, and readers see it. What you typed is kept: "
            "begin a draft on the sheet’s own page, and you will find it there."
        )
    if sheet.state == State.SCHEDULED:
        return (
            "It has been signed off and is waiting for its day, so nothing was saved. What you typed is kept: "
            "press “Edit it, and end the signature” on the sheet’s own page, and you will find it here."
        )
    return ""


def why_not_sign_off(sheet: FactSheet, user) -> str:
    """Why this person may not sign this sheet off now. Empty when they may."""
    if not user.has_perm("factsheets.sign_off_factsheet"):
        return "Only a clinician can sign off fact sheets."
    if sheet.state == State.SCHEDULED:
        return "It is signed off already."
    if sheet.state not in {State.IN_REVIEW, State.PUBLISHED}:
        return "Send it for clinical review first."
    if written_since_sign_off(sheet).filter(by=user).exists():
        return "You wrote part of it since the last sign-off, so another clinician must review it."
    return team.why_no_reviewer(user)


def why_not_unsign(sheet: FactSheet, user) -> str:
    """Why this person may not end a signature for a planned day by taking the words back. Empty when they may.

    It is a clinician's word, so a clinician or an owner may, and who wrote or sent what was signed.
    """
    if user.has_perm("factsheets.sign_off_factsheet") or user.pk in review_notifications.authors(sheet):
        return ""
    return "It is signed off. Ask its author or a clinician to take it back."


def why_not_plan(user) -> str:
    """Why this person may not change the day for which words are signed off. Empty when they may."""
    may = user.has_perm("factsheets.sign_off_factsheet")
    return "" if may else "Only a clinician can change the planned day."


def due_date_problem(due_on: date) -> str:
    """What is wrong with a date for the next review. Empty when nothing is."""
    today = timezone.localdate()
    if due_on <= today:
        return "Enter a next review date in the future."
    if due_on - today > MAX_REVIEW_PERIOD:
        return "Enter a next review date within two years."
    return ""
