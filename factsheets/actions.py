"""What changes more than one row of the content. Each verb is one transaction and, where somebody acts, names the actor."""

import logging
from datetime import date

from django.db import transaction
from django.utils import timezone

from factsheets import publication, revisions, team
from factsheets.guard import Finding
from factsheets.models import ContentVersion, Edition, FactSheet, FormerAddress, GuardOverride, Section, State, Step
from factsheets.rendering.document import build, in_reading_order
from factsheets.rendering.markdown import BodyError

logger = logging.getLogger(__name__)


class MoveRefused(Exception):  # noqa: N818 - reads as what happened
    """The step cannot be taken. The text says why, and what to do."""


# Which step may be taken from which state, and where it leads.
MOVES = {
    Step.SUBMITTED: ({State.DRAFT}, State.IN_REVIEW),
    Step.SENT_BACK: ({State.IN_REVIEW}, State.DRAFT),
    Step.SIGNED_OFF: ({State.IN_REVIEW, State.PUBLISHED}, State.PUBLISHED),
    Step.REOPENED: ({State.PUBLISHED, State.RETIRED}, State.DRAFT),
    Step.RETIRED: ({State.DRAFT, State.IN_REVIEW, State.PUBLISHED}, State.RETIRED),
}
# These must be explained to colleagues.
NEEDS_NOTE = {Step.SENT_BACK, Step.REOPENED, Step.RETIRED}
MUST_BE_SOUND = {Step.SUBMITTED, Step.SIGNED_OFF}


def refresh(*, sheet: FactSheet) -> bool:
    """Makes the sheet's document anew after it or a part of it was saved. True when the document changed.

    Raises BodyError when a part cannot be shown; the document that readers see stays as it was.
    """
    document = build(sheet)
    changed = document != sheet.document
    with transaction.atomic():
        if changed:
            sheet.document = document
            sheet.updated_at = timezone.now()
            sheet.save(update_fields=["document", "updated_at"])
    return changed


def refresh_changed() -> list[FactSheet]:
    """Makes every sheet's document anew, after something they share changed. Returns the sheets that changed."""
    changed = []
    with transaction.atomic():
        for sheet in FactSheet.objects.all():
            try:
                if refresh(sheet=sheet):
                    changed.append(sheet)
            except BodyError as error:
                logger.warning("Sheet %s keeps its last good document: %s", sheet.slug, error)
    return changed


def refresh_all() -> int:
    """`refresh_changed`, for those who only count."""
    return len(refresh_changed())


def keep_edition(*, sheet: FactSheet, by=None, step: Step = Step.EDITED, note: str = "") -> Edition | None:
    """Keeps the sheet's words as they now are in its history. None when nothing of them changed since the last edition."""
    with transaction.atomic():
        _lock(sheet)
        last = sheet.editions.first()
        content = revisions.snapshot(sheet)
        if last and last.content == content:
            return None
        changes = revisions.summary(last.content, content) if last else []
        return _append(sheet, step, content, last, by=by, note=note, changes=changes)


def ask_for_review(*, sheet: FactSheet, by, changes: list[str], note: str = "") -> Edition:
    """Notes in the sheet's history that something it rests on has changed, such as the year of a source.

    Its own words are the same, and yet they count as changed since the last sign-off.
    """
    with transaction.atomic():
        _lock(sheet)
        last = sheet.editions.first()
        return _append(sheet, Step.EDITED, revisions.snapshot(sheet), last, by=by, note=note, changes=changes)


def transition(
    *,
    sheet: FactSheet,
    step: Step,
    by,
    note: str = "",
    review_due_on: date | None = None,
    edition: int | None = None,
) -> Edition:
    """Takes a sheet one step along draft → in clinical review → published → retired. Raises MoveRefused.

    `edition` is the number of the newest edition that the actor saw: nobody signs words that changed behind their back.
    `review_due_on` is the day of the next review; a sign-off needs one.
    """
    with transaction.atomic():
        _lock(sheet)
        allowed, to = MOVES[step]
        if sheet.state not in allowed:
            raise MoveRefused(f"The sheet is now {sheet.get_state_display()}. Look at it again before you continue.")
        last = sheet.editions.first()
        if edition is not None and last and edition != last.number:
            raise MoveRefused("Someone changed the sheet while you were reading it. Read it again before you continue.")
        if step in NEEDS_NOTE and not note.strip():
            raise MoveRefused("Give a reason in a sentence or two. Your colleagues will read it.")
        if step in MUST_BE_SOUND and (found := publication.obstacles(sheet)):
            raise MoveRefused(f"{found[0].text} {f'({len(found)} problems to fix.)' if len(found) > 1 else ''}")
        if step == Step.SIGNED_OFF:
            _sign_off(sheet, by, review_due_on)
        sheet.state = to
        sheet.save(update_fields=["state", "reviewed_on", "reviewed_by", "review_due_on"])
        refresh(sheet=sheet)
        return _append(sheet, step, revisions.snapshot(sheet), last, by=by, note=note)


def _sign_off(sheet: FactSheet, by, review_due_on: date | None) -> None:
    if why_not := publication.why_not_sign_off(sheet, by):
        raise MoveRefused(why_not)
    if review_due_on is None:
        raise MoveRefused("Enter the date of the next review.")
    if problem := publication.due_date_problem(review_due_on):
        raise MoveRefused(problem)
    sheet.reviewed_on, sheet.reviewed_by, sheet.review_due_on = timezone.localdate(), by, review_due_on


def roll_back(*, edition: Edition, by) -> Edition | None:
    """Puts the words of an earlier edition back, as a new edition. Raises MoveRefused, and then nothing has changed."""
    sheet = edition.sheet
    with transaction.atomic():
        _lock(sheet)
        try:
            revisions.put_back(sheet, edition.content)
            refresh(sheet=sheet)
        except (revisions.CannotPutBack, BodyError) as error:
            raise MoveRefused(str(error)) from error
        if sheet.is_published and (found := publication.obstacles(sheet)):
            raise MoveRefused(f"This wording cannot be published. {found[0].text} Move the sheet back to draft first.")
        return keep_edition(sheet=sheet, by=by, step=Step.ROLLED_BACK, note=f"Back to edition {edition.number}")


def let_stand(*, sheet: FactSheet, finding: Finding, reason: str, by) -> GuardOverride:
    """Lets wording stand that the claims guard stopped, for a written reason. Raises MoveRefused without one."""
    if len(reason.split()) < 3:
        raise MoveRefused("Give a reason in one sentence. It is kept with your name.")
    override, _ = GuardOverride.objects.get_or_create(
        sheet=sheet,
        key=finding.key,
        defaults={
            "rule": finding.rule,
            "place": finding.section[:300],
            "sentence": finding.sentence,
            "reason": reason.strip(),
            "by": by,
            "actor": team.account_name(by),
        },
    )
    return override


def place_section(*, section: Section, after: Section | None) -> None:
    """Puts a section behind another of its sheet, or first, and numbers them all anew with gaps of ten."""
    with transaction.atomic():
        _lock(section.sheet)
        order = list(section.sheet.sections.exclude(pk=section.pk))
        order.insert(order.index(after) + 1 if after else 0, section)
        _number(order)
        # As readers find them: a section moved below another question stands at that end of its own.
        _number(in_reading_order(section.sheet, order))
        Section.objects.bulk_update(order, ["position"])


def _number(order: list[Section]) -> None:
    for number, each in enumerate(order, start=1):
        each.position = number * 10


def shift_section(*, section: Section, up: bool, by) -> None:
    """Moves a section one place up or down, below its own question. At the end of that it stays."""
    with transaction.atomic():
        sheet = section.sheet
        order = in_reading_order(sheet, sheet.sections.all())
        at = order.index(section)
        to = at - 1 if up else at + 1
        if not 0 <= to < len(order) or stands_below(order[to]) != stands_below(section):
            return
        _number(order)
        order[at].position, order[to].position = order[to].position, order[at].position
        Section.objects.bulk_update(order, ["position"])
        refresh(sheet=sheet)
        keep_edition(sheet=sheet, by=by)


def put_section(*, section: Section, after: Section | None, by) -> None:
    """Moves a section behind another that stands below the same question, or first below it. Elsewhere it stays where it is."""
    if after is not None and (after.pk == section.pk or stands_below(after) != stands_below(section)):
        return
    with transaction.atomic():
        sheet = section.sheet
        order = [each for each in in_reading_order(sheet, sheet.sections.all()) if each.pk != section.pk]
        own = [at for at, each in enumerate(order) if stands_below(each) == stands_below(section)]
        order.insert(order.index(after) + 1 if after else own[0] if own else 0, section)
        _number(order)
        Section.objects.bulk_update(order, ["position"])
        refresh(sheet=sheet)
        keep_edition(sheet=sheet, by=by)


def stands_below(section: Section) -> tuple[str, str]:
    """Its layer and question: only among those of the same can a section change places."""
    return section.layer, section.question


def change_address(*, sheet: FactSheet, was: str) -> None:
    """Remembers the address a sheet had, so that links to it go on working."""
    FormerAddress.objects.filter(slug=sheet.slug).delete()
    FormerAddress.objects.update_or_create(slug=was, defaults={"sheet": sheet})


def _append(sheet, step, content, last: Edition | None, *, by, note: str, changes=()) -> Edition:
    # The list of changes on the public page has a new line.
    ContentVersion.changed()
    return Edition.objects.create(
        sheet=sheet,
        number=last.number + 1 if last else 1,
        step=step,
        state=sheet.state,
        public=sheet.is_published,
        content=content,
        changes=list(changes),
        note=note.strip(),
        by=by,
        actor=team.account_name(by) if by else "",
    )


def _lock(sheet: FactSheet) -> None:
    """One change of a sheet at a time. On SQLite the transaction itself sees to it."""
    sheet.state = FactSheet.objects.select_for_update().values_list("state", flat=True).get(pk=sheet.pk)
