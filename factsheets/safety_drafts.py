"""Red flags are changed in a draft of the whole set, and go live when a second person, a clinician, has approved it.

Only `approve` changes what patients read. An edit begins a draft if none is open.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from factsheets import (
    actions,
    approvals,
    draft_workflow,
    publishing_rules,
    review_notifications,
    safety_revisions,
    shared_revisions,
    team,
)
from factsheets.draft_workflow import DraftRefused
from factsheets.models import (
    ContentVersion,
    DraftState,
    DraftStep,
    InstalledRecord,
    SafetyAdvice,
    SafetyDraft,
    SafetyEdition,
    SafetyStep,
    Source,
    Subject,
    Tier,
)
from factsheets.models.draft import DraftEvent
from factsheets.models.section import GAP
from factsheets.revisions import Change
from factsheets.safety_revisions import FIELDS, in_order, snapshot

MANY = {field.name for field in SafetyAdvice._meta.many_to_many}


@dataclass(frozen=True)
class Problem:
    """Why a set of red flags cannot be published. `code` and `place`, in words, are empty if it is about the whole set."""

    code: str
    text: str
    place: str = ""


class FlagChanged(DraftRefused):
    """A colleague changed the flag while somebody had it open: what it says now and, if known, who wrote that."""

    def __init__(self, flag: dict, event: DraftEvent | None):
        super().__init__("A colleague changed this red flag while you had it open.")
        self.flag = flag
        self.who = event.actor if event else "An update of the site"
        self.at = event.at if event else None


# What other apps need from the set: each gives a sentence for everything that it misses.
requirements: list[Callable[[dict[str, SafetyAdvice]], list[str]]] = []


def current() -> SafetyDraft | None:
    return SafetyDraft.objects.filter(is_open=True).first()


def whole(flag: dict) -> dict:
    """The flag with every field that there is today. One from an old edition may lack some, and have some that no longer exist."""
    return {name: deepcopy(flag[name]) if name in flag else _default(name) for name in FIELDS}


def _default(name: str):
    return [] if name in MANY else SafetyAdvice._meta.get_field(name).get_default()


def record_of(flag: dict) -> SafetyAdvice:
    """The flag as an unsaved record: to check it, and to preview it."""
    return SafetyAdvice(**{name: value for name, value in whole(flag).items() if name not in MANY})


def records_of(content: list[dict]) -> list[SafetyAdvice]:
    """In the order in which `safety.records()` gives the live ones."""
    return sorted(map(record_of, content), key=lambda record: (record.position, record.code))


def find(content: list[dict], code: str) -> dict | None:
    return next((flag for flag in content if flag["code"] == code), None)


def fingerprint(flag: dict | None) -> str:
    """A fingerprint of what a flag says. Empty if there is no such flag."""
    return approvals.digest_of(whole(flag))[:16] if flag else ""


# --- what prevents publishing ---


def problems(content: list[dict]) -> list[Problem]:
    found = []
    known = set(Source.objects.values_list("key", flat=True))
    for flag in content:
        place = safety_revisions.name(flag)
        try:
            record_of(flag).full_clean(validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            found += [
                Problem(flag["code"], f"{safety_revisions.WORDS.get(name, name).capitalize()}: {message}", place)
                for name, messages in error.message_dict.items()
                for message in messages
            ]
        lost = [key for [key] in flag["sources"] if key not in known]
        found += [Problem(flag["code"], f"The source {key} no longer exists. Choose another.", place) for key in lost]
    for tier in Tier:
        if not any(flag["tier"] == tier for flag in content):
            found.append(Problem("", f"“{tier.label}” has no red flags left. Each tier must keep at least one."))
    if not any(flag["tier"] == Tier.EMERGENCY and flag["on_compact_card"] for flag in content):
        found.append(Problem("", "The short emergency card is empty. Put at least one emergency sign on it."))
    records = {flag["code"]: record_of(flag) for flag in content}
    return found + [Problem("", sentence) for needed in requirements for sentence in needed(records)]


def gaps(content: list[dict]) -> list[dict]:
    """Flags without word patterns, which nothing that people type can match."""
    return [flag for flag in content if flag["tier"] != Tier.ROUTINE and not flag["patterns"]]


def difference(draft: SafetyDraft) -> list[Change]:
    """What would change for patients and staff."""
    return safety_revisions.changes(snapshot(), draft.content)


def repeating(draft: SafetyDraft) -> list[shared_revisions.Use]:
    """Where public sheets repeat what the draft changes. They need to be read again once it is published."""
    return shared_revisions.repeating(safety_revisions.reworded(snapshot(), draft.content))


def is_behind(draft: SafetyDraft) -> bool:
    """Whether the live set has changed since the draft was begun, as when the site's content is upgraded."""
    return snapshot() != draft.base


def why_not_approve(draft: SafetyDraft, user) -> str:
    """Why this person cannot approve it. Empty when they can."""
    if not user.has_perm("factsheets.add_approval"):
        return "Only a clinician can approve this."
    if draft_workflow.wrote(draft, user):
        return "You wrote part of this draft, so someone else must approve it."
    return team.why_no_reviewer(user)


# --- writing ---


def save_flag(*, code: str, values: dict, opened: str, by) -> SafetyDraft | None:
    """Changes a flag. None if nothing changed. Raises DraftRefused.

    `opened` is the fingerprint of the flag that the person had before them.
    """

    def edit(content):
        flag = find(content, code)
        if flag is None:
            raise DraftRefused("A colleague has retired this red flag. Copy anything you need from this page.")
        if fingerprint(flag) != opened:
            raise FlagChanged(flag, _last_writer(code))
        changed = [name for name in values if flag[name] != values[name]]
        flag.update(values)
        return f"{safety_revisions.name(flag)}: {', '.join(_words(name) for name in changed)}"

    return _change(edit, by)


def _last_writer(code: str) -> DraftEvent | None:
    """Who last changed this flag in the open draft."""
    draft = current()
    # It names the flag's words first, and in older drafts its number.
    named = Q(what__contains=f"({code}):") | Q(what__startswith=f"{code}:")
    return draft.events.filter(named).first() if draft else None


def add_flag(*, values: dict, by) -> str:
    """Adds a flag at the end of its tier, with a new number, which it returns. Raises DraftRefused."""
    taken = _numbers_ever()

    def edit(content):
        number = next(n for n in range(1, len(taken) + len(content) + 2) if f"RF-X{n}" not in taken)
        places = [flag["position"] for flag in content if flag["tier"] == values["tier"]]
        code = f"RF-X{number}"
        flag = whole({**values, "code": code, "position": max(places, default=0) + GAP})
        content.append(flag)
        added.append(code)
        return f"{safety_revisions.name(flag)}: added"

    added: list[str] = []
    _change(edit, by)
    return added[-1]


def _numbers_ever() -> set[str]:
    """Every number that a flag has or had. A retired flag keeps its number, because enquiries and histories name it."""
    sets = [
        snapshot(),
        *SafetyEdition.objects.values_list("content", flat=True),
        *SafetyDraft.objects.values_list("content", flat=True),
    ]
    installed = InstalledRecord.objects.filter(label=SafetyAdvice._meta.label_lower)
    return {flag["code"] for each in sets for flag in each} | set(installed.values_list("natural_key", flat=True))


def shift_flag(*, code: str, up: bool, by) -> SafetyDraft | None:
    """Moves a flag one place up or down within its tier, unless it is already at that end."""

    def edit(content):
        flag = find(content, code)
        tier = [each for each in in_order(content) if flag and each["tier"] == flag["tier"]]
        at = tier.index(flag) if flag else 0
        to = at - 1 if up else at + 1
        if flag is None or not 0 <= to < len(tier):
            return ""
        places = sorted({each["position"] for each in tier})
        if len(places) < len(tier):
            places = [places[0] + GAP * number for number in range(len(tier))]
        tier.insert(to, tier.pop(at))
        for each, place in zip(tier, places, strict=True):
            each["position"] = place
        return f"{safety_revisions.name(flag)}: moved {'up' if up else 'down'}"

    return _change(edit, by)


def retire_flag(*, code: str, by) -> SafetyDraft | None:
    """Takes a flag out. Raises DraftRefused for the last flag of a tier, and for one that the self-assessment needs."""

    def edit(content):
        flag = find(content, code)
        if flag is None:
            raise DraftRefused("A colleague has already retired it.")
        content.remove(flag)
        return f"{safety_revisions.name(flag)}: retired"

    return _change(edit, by)


def take_field(*, code: str, field: str, value, by) -> SafetyDraft | None:
    """Puts what newer site content says into the draft. Raises DraftRefused."""

    def edit(content):
        flag = find(content, code)
        if flag is None:
            raise DraftRefused(
                f"The draft retires this red flag ({code}). Discard the draft first, or keep your wording."
            )
        flag[field] = value
        return f"{safety_revisions.name(flag)}: {_words(field)}, from new site content"

    return _change(edit, by)


def put_back(*, edition: SafetyEdition, by) -> SafetyDraft:
    """Begins a draft with the words of an earlier edition. Raises DraftRefused."""
    draft = begin(content=edition.content, what=f"Everything as in edition {edition.number}", by=by)
    if draft is None:
        raise DraftRefused(f"Patients already see the wording of edition {edition.number}.")
    return draft


def begin(*, content: list[dict], what: str, by) -> SafetyDraft | None:
    """Begins a draft with this set of red flags. None if it is what patients already see. Raises DraftRefused."""
    if current():
        raise DraftRefused("There is already an open draft. Publish or discard it first, so that no work is lost.")

    def edit(now):
        now[:] = [whole(flag) for flag in content]
        return what

    return _change(edit, by, step=DraftStep.PUT_BACK, strict=False)


def bring_up_to_date(*, by) -> SafetyDraft | None:
    """Adds what has changed in the live set since the draft was begun. If both changed a field, the draft's words stay."""
    live = snapshot()

    def edit(content):
        draft = current()
        if draft is None:
            raise DraftRefused("There is no open draft.")
        content[:] = _merged(draft.base, live, content)
        return "With the live changes made since it was started"

    return _change(edit, by, step=DraftStep.UPDATED, strict=False, base=live)


def _merged(base: list[dict], live: list[dict], mine: list[dict]) -> list[dict]:
    was, now, ours = ({flag["code"]: whole(flag) for flag in content} for content in (base, live, mine))
    merged = []
    for code in dict.fromkeys([*now, *ours]):
        if code in now and code in ours:
            old = was.get(code, {})
            merged.append(
                {name: ours[code][name] if ours[code][name] != old.get(name) else now[code][name] for name in FIELDS}
            )
        elif code in now:
            # It was retired in the draft, and stays so unless its words have changed, which somebody should see.
            if was.get(code) != now[code]:
                merged.append(now[code])
        elif was.get(code) != ours[code]:
            merged.append(ours[code])
    return merged


def _words(name: str) -> str:
    return safety_revisions.WORDS.get(name, name)


def _change(edit, by, *, step=DraftStep.EDITED, strict=True, base: list[dict] | None = None) -> SafetyDraft | None:
    """Applies `edit` to a copy of the draft's content. It says what it did. None when nothing is different then.

    `strict`: a change that makes the set worse than it was is refused at once.
    """
    try:
        with transaction.atomic():
            live = snapshot()
            draft = _locked() or SafetyDraft(content=live, base=live)
            before = draft.content
            content = deepcopy(before)
            what = edit(content)
            content = in_order(content)
            if content == before and base is None:
                return None
            if strict and (worse := [each for each in problems(content) if each not in problems(before)]):
                raise DraftRefused(worse[0].text)
            draft.content = content
            if base is not None:
                draft.base = base
            found = safety_revisions.changes(before, content)
            draft_workflow.record(draft, DraftState.WRITING, step, by, what=what, changes=found)
            return draft
    except IntegrityError as error:
        raise DraftRefused(
            "A colleague started a draft at the same moment. Try again to add your change to it."
        ) from error


def _locked() -> SafetyDraft | None:
    return SafetyDraft.objects.select_for_update().filter(is_open=True).first()


# --- from draft to live ---


def _seen(version: int | None) -> SafetyDraft:
    return draft_workflow.as_seen(_locked(), version)


def send(*, version: int | None, note: str, by) -> None:
    """Sends the draft to the clinicians. Raises DraftRefused."""
    with transaction.atomic():
        draft = _seen(version)
        _must_be_ready(draft)
        review_notifications.tell_of_draft(draft_workflow.send(draft, note, by))


def send_back(*, version: int | None, note: str, by) -> None:
    """Gives the draft back to its authors, with what to change. Raises DraftRefused."""
    with transaction.atomic():
        review_notifications.tell_of_draft(draft_workflow.send_back(_seen(version), note, by))


def discard(*, version: int | None, by) -> None:
    """Closes the draft. What patients read stays as it is, and the draft is kept. Raises DraftRefused."""
    with transaction.atomic():
        draft_workflow.discard(_seen(version), by)


def _must_be_ready(draft: SafetyDraft) -> None:
    if not difference(draft):
        raise DraftRefused("The draft is the same as what patients see now.")
    if is_behind(draft):
        raise DraftRefused("The live red flags have changed since the draft was started. Update the draft first.")
    if found := problems(draft.content):
        raise DraftRefused(": ".join(filter(None, [found[0].place, found[0].text])))


def digest_of(draft: SafetyDraft) -> str:
    """A fingerprint of the draft and of what it would replace, as one page showed them."""
    return approvals.digest_of([draft.pk, draft.version, draft.content, snapshot()])


def approve(*, digest: str, by) -> SafetyEdition:
    """Publishes the draft and records the clinician's approval of the whole set. Raises DraftRefused."""
    with transaction.atomic():
        draft = _locked()
        if draft is None or draft.state != DraftState.IN_REVIEW:
            raise DraftRefused("The draft is not waiting for approval. Check the history.")
        if digest != digest_of(draft):
            raise DraftRefused("The draft changed while you were reading it. Read it again before you approve it.")
        if why_not := why_not_approve(draft, by):
            raise DraftRefused(why_not)
        _must_be_ready(draft)
        if not SafetyEdition.objects.exists():
            safety_revisions.keep(step=SafetyStep.INSTALLED)
        to_read_again, was = repeating(draft), snapshot()
        _make_live(draft.content)
        review_notifications.tell_of_draft(draft_workflow.record(draft, DraftState.PUBLISHED, DraftStep.PUBLISHED, by))
        edition = safety_revisions.keep(
            step=SafetyStep.PUBLISHED,
            by=by,
            actor=team.account_name(by),
            authors=", ".join(event.actor for event in draft_workflow.authors(draft))[:500],
            note=draft.note,
        )
        _ask_to_read_again(to_read_again, was, draft, by)
        now = approvals.standing(Subject.RED_FLAGS)
        approvals.record(
            subject=Subject.RED_FLAGS,
            version=now.version,
            digest=now.digest,
            by=by,
            **approvals.signed_by(by),
        )
        return edition


def _ask_to_read_again(found: list[shared_revisions.Use], was: list[dict], draft: SafetyDraft, by) -> None:
    """Puts the sheets that repeat a changed flag on the reviewers' list. The flag's author may not sign them."""
    author = next((each.by for each in reversed(draft_workflow.authors(draft)) if each.by), by)
    before = {flag["code"]: flag for flag in was}
    for sheet in {use.sheet.pk: use.sheet for use in found}.values():
        codes = {code for use in found if use.sheet == sheet for code in use.flags}
        signs = [safety_revisions.heading(before[code]) for code in sorted(codes)]
        changes = [f"Changed: warning sign “{sign}”" for sign in signs]  # readers see this list
        actions.ask_for_review(sheet=sheet, by=author, changes=changes)


def _make_live(content: list[dict]) -> None:
    """Makes the rows what `content` says, and everything that is made of them. Raises DraftRefused."""
    live = {record.code: record for record in SafetyAdvice.objects.all()}
    for flag in map(whole, content):
        record = live.pop(flag["code"], None) or SafetyAdvice()
        for name in FIELDS:
            if name not in MANY:
                setattr(record, name, flag[name])
        record.save()
        record.sources.set(Source.objects.filter(key__in=[key for [key] in flag["sources"]]))
    for record in live.values():
        record.delete()
    ContentVersion.changed()
    for sheet in actions.refresh_changed():
        if sheet.is_published and (found := publishing_rules.obstacles(sheet)):
            raise DraftRefused(f"“{sheet.title}” could not stay published with this wording. {found[0].text}")
