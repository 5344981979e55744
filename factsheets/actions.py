"""What changes more than one row of the content. Each verb is one transaction and, where somebody acts, names the actor."""

import logging
from datetime import date

from django.db import transaction
from django.utils import timezone

from factsheets import publishing_rules, review_notifications, revisions, sheet_drafts, team
from factsheets.claims_guard import Finding
from factsheets.models import (
    SIGNED,
    WRITING,
    ContentVersion,
    Edition,
    FactSheet,
    FormerAddress,
    GuardOverride,
    ReviewComment,
    State,
    Step,
)
from factsheets.rendering.document import build
from factsheets.rendering.markdown import BodyError

logger = logging.getLogger(__name__)


class MoveRefused(Exception):
    """The step cannot be taken. The text says why, and what to do."""


class DraftInTheWay(MoveRefused):
    """Restoring earlier words would replace an open draft, which the person has not been shown yet."""

    def __init__(self, draft: FactSheet, lost: list[revisions.Change]):
        super().__init__("An open draft would be replaced. See below what would be lost.")
        self.draft, self.lost = draft, lost
        self.newest = draft.editions.defer("content").first()
        written = draft.editions.filter(step__in=WRITING).exclude(actor="").order_by("number")
        self.writers = list(dict.fromkeys(written.values_list("actor", flat=True)))


# Which step may be taken from which state, and where it leads.
MOVES = {
    Step.SUBMITTED: ({State.DRAFT}, State.IN_REVIEW),
    Step.SIGNED_OFF: ({State.IN_REVIEW, State.PUBLISHED}, State.PUBLISHED),
    Step.SENT_BACK: ({State.IN_REVIEW, State.SCHEDULED}, State.DRAFT),
    Step.REPLANNED: ({State.SCHEDULED}, State.SCHEDULED),
    Step.UNPLANNED: ({State.SCHEDULED}, State.IN_REVIEW),
    Step.REOPENED: ({State.RETIRED}, State.DRAFT),
    Step.RETIRED: ({State.DRAFT, State.IN_REVIEW, State.SCHEDULED, State.PUBLISHED}, State.RETIRED),
}
# These are for a sheet that has an address of its own: a draft over one is discarded instead.
NOT_FOR_DRAFTS = {Step.REOPENED, Step.RETIRED}
# These must be explained to colleagues.
NEEDS_NOTE = {Step.SENT_BACK, Step.REOPENED, Step.RETIRED}
MUST_BE_SOUND = {Step.SUBMITTED, Step.SIGNED_OFF}
# These change the day for which words are signed off, and so are a clinician's.
PLANNING = {Step.REPLANNED, Step.UNPLANNED}
TAKEN_DOWN = "The published page was taken down since. Only a clinician’s sign-off makes it public again."


def refresh(*, sheet: FactSheet) -> bool:
    """Rebuilds the sheet's document after it or a part of it was saved. True if the document changed.

    Raises BodyError when a part cannot be shown; the document that readers see stays as it was.
    """
    document = build(sheet)
    changed = document != sheet.document
    with transaction.atomic():
        if changed:
            sheet.document = document
            sheet.updated_at = timezone.now()
            sheet.save(update_fields=["document", "updated_at"])
        if not sheet.draft_of_id and (draft := sheet.open_draft):
            _refresh_draft(draft)
    return changed


def _refresh_draft(draft: FactSheet) -> None:
    """What the sheet shares with others is in its draft as well. That a draft cannot be shown stops nothing that readers see."""
    try:
        refresh(sheet=draft)
    except BodyError as error:
        logger.warning("A draft keeps its last good document: %s", error)


def refresh_changed() -> list[FactSheet]:
    """Rebuilds every sheet's document after something they share changed. Returns the sheets that changed."""
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
    """Keeps the sheet's present words in its history. None if nothing has changed since the last edition."""
    with transaction.atomic():
        lock(sheet)
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
        lock(sheet)
        last = sheet.editions.first()
        return _append(sheet, Step.EDITED, revisions.snapshot(sheet), last, by=by, note=note, changes=changes)


def transition(
    *,
    sheet: FactSheet,
    step: Step,
    by,
    note: str = "",
    review_due_on: date | None = None,
    publish_on: date | None = None,
    retire_on: date | None = None,
    edition: int | None = None,
) -> Edition:
    """Takes a sheet, or a draft over one, a step along draft → in clinical review → published → retired. Raises MoveRefused.

    `edition` is the number of the newest edition that the actor saw: nobody signs words that changed behind their back.
    `review_due_on` is the day of the next review; a sign-off needs one. With `publish_on`, in the future, the words wait for that
    day; moved to today, they are published at once. The sign-off of a draft ends it: its words become the sheet's, and the edition
    is one of the sheet.
    """
    with transaction.atomic():
        lock(sheet)
        allowed, to = MOVES[step]
        if sheet.state not in allowed or (sheet.draft_of_id and step in NOT_FOR_DRAFTS):
            raise MoveRefused(f"The sheet is now {sheet.state_in_a_sentence}. Read it again before you continue.")
        last = _as_seen(sheet, edition)
        if step in NEEDS_NOTE and not note.strip():
            raise MoveRefused("Give a reason in a sentence or two. Your colleagues will read it.")
        if step in PLANNING and (why_not := publishing_rules.why_not_plan(by)):
            raise MoveRefused(why_not)
        if step in MUST_BE_SOUND:
            _expect_sound(sheet)
        if (
            step == Step.SENT_BACK
            and sheet.state == State.SCHEDULED
            and (why_not := publishing_rules.why_not_unsign(sheet, by))
        ):
            raise MoveRefused(why_not)
        if step == Step.REOPENED and sheet.open_draft:
            raise MoveRefused(
                "It has an open draft. Continue there: when the draft is signed off, the page is public again."
            )
        if step == Step.SIGNED_OFF:
            _expect_resolved(sheet)
            _sign_off(sheet, by, review_due_on)
            _plan(sheet, publish_on, retire_on)
            to = State.SCHEDULED if sheet.publish_on else to
        if step == Step.REPLANNED:
            if publish_on is None:
                raise MoveRefused("Enter the new day. With today’s date it is published now.")
            _plan(sheet, publish_on, retire_on)
            note = note or f"To be published on {publish_on:%-d %B %Y}"
            if sheet.publish_on is None:
                return _publish_as_planned(sheet, by=by)
        if to != State.SCHEDULED:
            sheet.publish_on = None
        if to == State.PUBLISHED and sheet.draft_of_id:
            made = _publish_draft(sheet, Step.SIGNED_OFF, by=by, note=note)
        else:
            if sheet.state == State.SCHEDULED and to in {State.DRAFT, State.IN_REVIEW}:
                sheet.reviewed_on = sheet.reviewed_by = sheet.review_due_on = sheet.retire_on = None
            sheet.state = to
            sheet.save(
                update_fields=["state", "reviewed_on", "reviewed_by", "review_due_on", "publish_on", "retire_on"]
            )
            if step not in MUST_BE_SOUND:
                refresh(sheet=sheet)
            made = _append(sheet, step, revisions.snapshot(sheet), last, by=by, note=note)
        review_notifications.tell(made)
        return made


def _as_seen(sheet: FactSheet, edition: int | None) -> Edition | None:
    """The newest edition. Raises MoveRefused when the actor saw another."""
    last = sheet.editions.first()
    if edition is not None and last and edition != last.number:
        raise MoveRefused("Someone changed the sheet while you were reading it. Read it again before you continue.")
    return last


def _expect_sound(sheet: FactSheet) -> None:
    """Leaves the document as the rows are now, and with it what readers will see. Raises MoveRefused."""
    try:
        refresh(sheet=sheet)
    except BodyError as error:
        raise MoveRefused(f"It cannot be displayed yet. {error}") from error
    if found := publishing_rules.obstacles(sheet, built=sheet.document):
        raise MoveRefused(f"{found[0].text} {f'({len(found)} problems to fix.)' if len(found) > 1 else ''}")


def _expect_resolved(sheet: FactSheet) -> None:
    if open_ones := sheet.comments.filter(resolved_at=None).count():
        raise MoveRefused(f"Resolve the comments first ({open_ones}).")


def _sign_off(sheet: FactSheet, by, review_due_on: date | None) -> None:
    if why_not := publishing_rules.why_not_sign_off(sheet, by):
        raise MoveRefused(why_not)
    if review_due_on is None:
        raise MoveRefused("Enter the date of the next review.")
    if problem := publishing_rules.due_date_problem(review_due_on):
        raise MoveRefused(problem)
    sheet.reviewed_on, sheet.reviewed_by, sheet.review_due_on = timezone.localdate(), by, review_due_on


def _plan(sheet: FactSheet, publish_on: date | None, retire_on: date | None) -> None:
    today = timezone.localdate()
    if publish_on and publish_on < today:
        raise MoveRefused("The date of publication has passed. Enter a later one, or leave it empty to publish it now.")
    later = publish_on if publish_on and publish_on > today else None
    if later and sheet.state == State.PUBLISHED:
        raise MoveRefused("It is published already, so leave the date of publication empty.")
    if later and sheet.review_due_on and later >= sheet.review_due_on:
        raise MoveRefused("Enter a date of publication before the next review.")
    if retire_on and retire_on <= (later or today):
        raise MoveRefused("Enter a date for taking the page down that is after its publication.")
    sheet.publish_on, sheet.retire_on = later, retire_on


# --- the draft over a published sheet ---


def begin_draft(*, sheet: FactSheet, by) -> FactSheet:
    """The draft that will replace the published sheet: the open one, or a new one. Readers keep the published sheet."""
    with transaction.atomic():
        lock(sheet)
        if draft := sheet.open_draft:
            return draft
        if not sheet.is_published:
            raise MoveRefused("Only a published page needs a draft. Edit this one as it is.")
        draft = sheet_drafts.begun_over(sheet)
        refresh(sheet=draft)
        _append(draft, Step.DRAFTED, revisions.snapshot(draft), None, by=by)
        return draft


def discard_draft(*, draft: FactSheet, by, edition: int | None = None) -> Edition:
    """Ends the draft. Its editions stay in the sheet's history, from which they can be restored."""
    with transaction.atomic():
        sheet = draft.draft_of
        lock(sheet)
        _as_seen(draft, edition)
        sheet_drafts.end(draft, sheet)
        content = revisions.snapshot(sheet)
        return _append(sheet, Step.DISCARDED, content, sheet.editions.first(), by=by, before=content)


def correct(*, draft: FactSheet, by, reason: str, edition: int | None = None) -> Edition:
    """Publishes a draft that corrects a slip, without a clinician, who sees it afterwards. Raises MoveRefused when it is more."""
    with transaction.atomic():
        lock(draft)
        _as_seen(draft, edition)
        if draft.state not in {State.DRAFT, State.IN_REVIEW}:
            raise MoveRefused(f"The draft is now {draft.state_in_a_sentence}. Read it again before you continue.")
        if len(reason.split()) < 2:
            raise MoveRefused("Say what you corrected, in a few words. The reviewer and readers will see it.")
        _expect_resolved(draft)
        _expect_sound(draft)
        if why_not := sheet_drafts.Comparison(draft).why_not_small:
            raise MoveRefused(why_not)
        return _publish_draft(draft, Step.CORRECTED, by=by, note=reason)


def _publish_draft(draft: FactSheet, step: Step, *, by, note: str = "") -> Edition:
    """The draft's words become the sheet's, in one transaction, and its signature when it has one."""
    sheet = draft.draft_of
    lock(sheet)
    if step != Step.SIGNED_OFF and not sheet.is_published:
        raise MoveRefused(TAKEN_DOWN)
    before = revisions.snapshot(sheet)
    notes = [each.note for each in draft.editions.filter(step=Step.EDITED).exclude(note="").order_by("number")]
    try:
        sheet_drafts.take_over(draft, sheet)
        sheet.state, sheet.publish_on = State.PUBLISHED, None
        if step in SIGNED:
            for name in SIGNATURE:
                setattr(sheet, name, getattr(draft, name))
        sheet.save(update_fields=["state", "publish_on", "retire_on", "reviewed_on", "reviewed_by", "review_due_on"])
        refresh(sheet=sheet)
    except (revisions.CannotPutBack, BodyError) as error:
        raise MoveRefused(str(error)) from error
    after = revisions.snapshot(sheet)
    changes = revisions.summary(before, after)
    words = note or " ".join(dict.fromkeys(notes))
    last = sheet.editions.first()
    return _append(sheet, step, after, last, by=by, note=words[:300], changes=changes, before=before)


def carry_out_plans(*, today: date) -> list[FactSheet]:
    """Publishes what was signed off for today, and takes down what is due. Anything that fails stays on the desk as overdue."""
    done = []
    for sheet in FactSheet.everything.filter(state=State.SCHEDULED, publish_on__lte=today):
        try:
            with transaction.atomic():
                _publish_as_planned(sheet)
        except MoveRefused as refusal:
            logger.warning("Not published as planned, %s: %s", sheet.slug, refusal)
        else:
            done.append(sheet)
    for sheet in FactSheet.objects.published().filter(retire_on__lte=today):
        try:
            note = "As planned when it was signed off."
            transition(sheet=sheet, step=Step.RETIRED, by=sheet.reviewed_by, note=note)
        except MoveRefused as refusal:
            logger.warning("Not taken down as planned, %s: %s", sheet.slug, refusal)
        else:
            done.append(sheet)
    return done


def why_plan_waits(sheet: FactSheet) -> str:
    """Why words signed off for a day cannot be published on it. Empty if nothing prevents it."""
    signed = publishing_rules.last_sign_off(sheet)
    if signed is None or signed.content != revisions.snapshot(sheet):
        return (
            "Its words have changed since they were signed off, perhaps in a shared statement. "
            "Send it back and have it signed off again."
        )
    if sheet.draft_of_id and not sheet.draft_of.is_published:
        return TAKEN_DOWN
    found = publishing_rules.obstacles(sheet)
    return found[0].text if found else ""


def _publish_as_planned(sheet: FactSheet, by=None) -> Edition:
    """`by` is who moved the day to today; without one, the day has come, and the clinician who signed is named."""
    lock(sheet)
    if sheet.state != State.SCHEDULED:
        raise MoveRefused("Somebody else did this first.")
    if why_not := why_plan_waits(sheet):
        raise MoveRefused(why_not)
    by = by or sheet.reviewed_by
    if sheet.draft_of_id:
        made = _publish_draft(sheet, Step.PUBLISHED, by=by)
    else:
        sheet.state, sheet.publish_on = State.PUBLISHED, None
        sheet.save(update_fields=["state", "publish_on", "retire_on"])
        refresh(sheet=sheet)
        made = _append(sheet, Step.PUBLISHED, revisions.snapshot(sheet), sheet.editions.first(), by=by)
    review_notifications.tell(made)
    return made


def roll_back(*, edition: Edition, by, over: int | None = None) -> Edition | None:
    """Restores the words of an earlier edition, as a new edition. Raises MoveRefused, and then nothing has changed.

    Of a published sheet: what a clinician signed is public again at once, with the signature that it had; anything else goes into
    the draft, and the edition that is returned is one of the draft. Where a draft is open that says something else, it takes its
    place only if `over` is the number of that draft's newest edition: else DraftInTheWay.
    """
    sheet = edition.sheet
    with transaction.atomic():
        lock(sheet)
        if sheet.state == State.SCHEDULED:
            raise MoveRefused("It is signed off and waiting for its day. Send it back to the authors first.")
        before = revisions.snapshot(sheet)
        if before == edition.content and not (
            publishing_rules.changed_since_review(sheet) or _is_to_go(sheet, edition)
        ):
            return None
        if sheet.is_published and (restored := _restore_signed(sheet, edition, by)):
            return restored
        into = begin_draft(sheet=sheet, by=by) if sheet.is_published else sheet
        if into.state == State.SCHEDULED:
            raise MoveRefused("Its draft is signed off and waiting for its day. Send that back to the authors first.")
        before = revisions.snapshot(into)
        if into.pk != sheet.pk and (lost := _lost(into, before, edition, over)):
            raise DraftInTheWay(into, lost)
        try:
            revisions.put_back(into, edition.content)
            refresh(sheet=into)
            if into.draft_of_id:
                sheet_drafts.ask_again(into, before, edition.content)
        except (revisions.CannotPutBack, BodyError) as error:
            raise MoveRefused(str(error)) from error
        return keep_edition(sheet=into, by=by, step=Step.ROLLED_BACK, note=f"Back to {edition.name}")


def _lost(draft: FactSheet, says: dict, edition: Edition, over: int | None) -> list[revisions.Change]:
    """What a draft says in words of its own and would no longer say. Empty where there is none, or the person has seen it."""
    newest = draft.editions.values_list("number", flat=True).first()
    if newest == over or says == edition.content:
        return []
    return revisions.changes(revisions.snapshot(draft.draft_of), says)


def _is_to_go(sheet: FactSheet, edition: Edition) -> bool:
    """The same words were signed to be taken down on another day, or on none, and can be so again."""
    is_signed = sheet.is_published and edition.step in SIGNED and edition.public
    is_past = edition.retire_on and edition.retire_on <= timezone.localdate()
    return is_signed and edition.retire_on != sheet.retire_on and not is_past


class _NotAsSigned(Exception):
    """The words cannot come back exactly as they were signed: something that the sheet shares has changed since."""


def _restore_signed(sheet: FactSheet, edition: Edition, by) -> Edition | None:
    """None, with nothing changed, when the edition bears no signature or cannot be shown as it was signed."""
    if edition.step not in SIGNED or not edition.public or edition.reviewed_by is None:
        return None
    if edition.retire_on and edition.retire_on <= timezone.localdate():
        return None  # signed to be off the site by now
    last = sheet.editions.first()
    before = revisions.snapshot(sheet)
    try:
        with transaction.atomic():
            revisions.put_back(sheet, edition.content)
            sheet.reviewed_on, sheet.reviewed_by = edition.reviewed_on, edition.reviewed_by
            due = edition.review_due_on or edition.reviewed_on + publishing_rules.REVIEW_USUALLY
            sheet.review_due_on, sheet.retire_on = due, edition.retire_on
            sheet.save(update_fields=[*SIGNATURE])
            refresh(sheet=sheet)
            after = revisions.snapshot(sheet)
            if after != edition.content or publishing_rules.obstacles(sheet, built=sheet.document):
                raise _NotAsSigned
            note = f"Back to {edition.name}"
            changes = revisions.summary(before, after)
            return _append(sheet, Step.RESTORED, after, last, by=by, note=note, changes=changes)
    except (_NotAsSigned, revisions.CannotPutBack, BodyError):
        sheet.refresh_from_db()
        return None


# --- what colleagues say about it ---


def comment(*, sheet: FactSheet, section: str, text: str, by) -> ReviewComment:
    """Says something about a section, or about the whole sheet. Until it is resolved the sheet cannot be signed off."""
    text = text.strip()
    if not text:
        raise MoveRefused("Write your comment first.")
    if len(text) > 2000:
        raise MoveRefused("Keep the comment below 2,000 characters.")
    if section and not sheet.sections.filter(slug=section).exists():
        section = ""
    return ReviewComment.objects.create(sheet=sheet, section=section, text=text, by=by, actor=team.account_name(by))


def resolve(*, comment: ReviewComment, by) -> None:
    """Doing it twice changes nothing more."""
    ReviewComment.objects.filter(pk=comment.pk, resolved_at=None).update(
        resolved_at=timezone.now(), resolved_actor=team.account_name(by)
    )


def let_stand(*, sheet: FactSheet, finding: Finding, reason: str, by) -> GuardOverride:
    """Accepts wording that the claims guard stopped, for a written reason. Raises MoveRefused without one."""
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


def change_address(*, sheet: FactSheet, was: str) -> None:
    """Remembers the address a sheet had, so that links to it go on working."""
    FormerAddress.objects.filter(slug=sheet.slug).delete()
    FormerAddress.objects.update_or_create(slug=was, defaults={"sheet": sheet})


# What an edition keeps of the signature below its words.
SIGNATURE = ("reviewed_on", "reviewed_by", "review_due_on", "retire_on")


def _append(
    sheet, step, content, last: Edition | None, *, by, note: str = "", changes=(), before: dict | None = None
) -> Edition:
    """`before` is what the sheet said, where that is not what its newest edition says."""
    # The list of changes on the public page has a new line.
    ContentVersion.changed()
    before = before or (last.content if last else content)
    unasked = {} if sheet.draft_of_id else sheet_drafts.unask(sheet, before, content)
    return Edition.objects.create(
        sheet=sheet,
        number=last.number + 1 if last else 1,
        step=step,
        state=sheet.state,
        public=sheet.is_published,
        content=content,
        changes=list(changes),
        unasked=unasked,
        note=note.strip(),
        by=by,
        actor=team.account_name(by) if by else "",
        **{name: getattr(sheet, name) for name in SIGNATURE if step in SIGNED},
    )


def lock(sheet: FactSheet) -> None:
    """One change of a sheet at a time. On SQLite the transaction itself ensures this."""
    sheet.state = FactSheet.everything.select_for_update().values_list("state", flat=True).get(pk=sheet.pk)
