"""The draft over a published sheet: a separate row with its own sections, which no public page reads.

Its verbs, each with its actor, are in factsheets/actions.py; the decision is docs/decisions/0050-a-draft-is-a-copy-of-the-sheet.md.
"""

import re
import secrets
from collections.abc import Iterator
from difflib import SequenceMatcher

from django.http import QueryDict
from django.utils.functional import cached_property

from factsheets import pasted_citation, revisions
from factsheets.autosave import ASIDE
from factsheets.live_preview import place_of
from factsheets.models import (
    DraftQuestions,
    FactSheet,
    GuardOverride,
    SearchQuestions,
    Section,
    State,
    StatementUse,
    UnsavedEdit,
)
from factsheets.revisions import SECTION, SHEET, WORD, Change

# A small correction needs no clinical judgement: our own rule.
MAX_CORRECTED_WORDS = 12
CORRECTABLE = {
    *(SHEET[name] for name in ("title", "summary", "audience", "in_short", "key_points")),
    *(SECTION[name] for name in ("heading", "body")),
}
# If one of these changes, the meaning may too: a number, a citation or address, and how sure or how urgent something is.
WEIGHTY = re.compile(
    r"\d|[\[\]()<>@%£#*|]|n[’']t\b|\b(?:no|not|nor|never|none|without|cannot|only|if|unless|until|may|might|can|could|should|must|will|all"
    r"|some|most|many|few|more|less|always|often|rarely|before|after|one|two|three|four|five|six|seven|eight|nine|ten|half|twice"
    r"|once|hours?|days?|weeks?|months?|years?|emergency|urgent\w*|risks?|safe\w*|unsafe\w*|999|111"
    r"|help\w*|harm\w*|hurt\w*|better|worse\w*|best|worst|eas(?:e|es|ed|ing)|increas\w*|decreas\w*|reduc\w*|rais\w*|lower\w*"
    r"|avoid\w*|stop\w*|start\w*|keep\w*|prevent\w*|caus\w*|cur(?:e|es|ed|ing)|heal\w*|(?:un)?likely|(?:un)?proven|weak\w*"
    r"|strong\w*|recommend\w*|advis\w*|against|high\w*|low)\b",
    re.IGNORECASE,
)


def begun_over(sheet: FactSheet) -> FactSheet:
    """Makes a copy of the sheet's rows. Only staff can open its address."""
    draft = FactSheet.everything.create(
        **{name: getattr(sheet, name) for name in SHEET},
        slug=f"draft-{secrets.token_hex(8)}",
        position=sheet.position,
        written_on=sheet.written_on,
        state=State.DRAFT,
        draft_of=sheet,
    )
    for section in sheet.sections.prefetch_related("statement_uses"):
        uses = list(section.statement_uses.all())
        section.pk, section.sheet = None, draft
        section._state.adding = True
        section.save()
        for use in uses:
            use.pk, use.section = None, section
            use._state.adding = True
            use.save()
    for part in [*sheet.related.all(), *sheet.source_uses.all(), *sheet.overrides.all()]:
        part.pk, part.sheet = None, draft
        part._state.adding = True
        part.save()
    _hand_on_what_is_typed(sheet, draft)
    return draft


def take_over(draft: FactSheet, sheet: FactSheet) -> None:
    """Gives the sheet the draft's words and its whole record, and ends the draft. Raises CannotPutBack."""
    content = revisions.snapshot(draft)
    # A snapshot that says nothing of what the studies found is, here, one of a sheet that says nothing of it.
    revisions.put_back(sheet, {**content, "findings": content.get("findings", {})})
    known = set(sheet.overrides.values_list("key", flat=True))
    GuardOverride.objects.filter(sheet=draft).exclude(key__in=known).update(sheet=sheet)
    _publish_questions(draft)
    end(draft, sheet)


def end(draft: FactSheet, sheet: FactSheet) -> None:
    """Moves the draft's editions and comments to the sheet, after its own, and deletes the draft."""
    last = sheet.editions.first()
    number = last.number if last else 0
    for edition in draft.editions.order_by("number").defer("content"):
        number += 1
        edition.sheet, edition.number = sheet, number
        edition.save(update_fields=["sheet", "number"])
    draft.comments.update(sheet=sheet)
    _hand_on_what_is_typed(draft, sheet)
    draft.delete()


def _hand_on_what_is_typed(sheet: FactSheet, to: FactSheet) -> None:
    """What editors typed and did not save waits for them in the row that they will edit next."""
    now = {slug: str(pk) for pk, slug in to.sections.values_list("pk", "slug")}
    numbers = {str(pk): now.get(slug, "") for pk, slug in sheet.sections.values_list("pk", "slug")}
    for row in UnsavedEdit.objects.filter(sheet=sheet).exclude(typed=""):
        part, aside, _ = row.part.partition(ASIDE)
        if part.startswith("section-"):
            number = numbers.get(part.removeprefix("section-"))
            part = f"section-{number}" if number else ""
        if not part:
            continue  # its section is gone, so what was typed belongs nowhere
        typed = _as_of(QueryDict(row.typed, mutable=True), part, numbers, to)
        part += aside
        UnsavedEdit.objects.filter(sheet=to, part=part, by=row.by).delete()
        UnsavedEdit.objects.filter(pk=row.pk).update(sheet=to, part=part, typed=typed.urlencode())


def _as_of(typed: QueryDict, part: str, numbers: dict[str, str], to: FactSheet) -> QueryDict:
    """What a form of one sheet holds, with the numbers that its records have in the other. Else it could not be saved there.

    `numbers`: those of its sections, each with the one that the section has there.
    """
    for name in ("after", "initial-after"):
        if typed.get(name):
            typed[name] = numbers.get(typed[name], "")
    if "sheet" in typed:
        typed["sheet"] = str(to.pk)
    owner = part.removeprefix("section-")
    rows = {
        "related": (to.related, "to", "sheet", str(to.pk)),
        "source_uses": (to.source_uses, "source", "sheet", str(to.pk)),
    }
    if owner.isdecimal():
        rows = {"statement_uses": (StatementUse.objects.filter(section=owner), "statement", "section", owner)}
    for prefix, (known, key, parent, number) in rows.items():
        if f"{prefix}-TOTAL_FORMS" in typed:
            _renumber(
                typed, prefix, {str(one): str(pk) for one, pk in known.values_list(key, "pk")}, key, parent, number
            )
    return typed


def _renumber(typed: QueryDict, prefix: str, known: dict[str, str], key: str, parent: str, number: str) -> None:
    """Rows of a form by the numbers in `known`, those that are not there as new ones behind them."""
    rows: dict[str, dict[str, str]] = {}
    for name in [each for each in typed if re.match(rf"{prefix}-\d+-", each)]:
        _, at, field = name.rsplit("-", 2)
        rows.setdefault(at, {})[field] = typed.pop(name)[-1]
    for row in rows.values():
        named = row.get(key, "")
        if prefix == "source_uses":  # it is named in words there
            found = pasted_citation.known(named)
            named = str(found[0].pk) if len(found) == 1 else ""
        row |= {"id": known.pop(named, "") if row.get("id") else "", parent: number}
    ordered = sorted(rows.values(), key=lambda row: not row["id"])
    for at, row in enumerate(ordered):
        for field, value in row.items():
            typed[f"{prefix}-{at}-{field}"] = value
    typed[f"{prefix}-TOTAL_FORMS"] = str(len(ordered))
    typed[f"{prefix}-INITIAL_FORMS"] = str(sum(bool(row["id"]) for row in ordered))


def keep_questions(section: Section, asked: list[str], *, was: str) -> None:
    """What patients ask that this section of a draft answers, for when it is published. `was`: its address before this save."""
    place = place_of(section.sheet, was)
    before = list(SearchQuestions.objects.filter(place=place).values_list("questions", flat=True))
    own, _ = DraftQuestions.objects.get_or_create(
        section=section, defaults={"place": place, "before": before[0] if before else []}
    )
    own.questions = asked
    own.save(update_fields=["questions"])


def _questions(draft: FactSheet):
    return DraftQuestions.objects.filter(section__sheet=draft).select_related("section__figure").order_by("section")


def _publish_questions(draft: FactSheet) -> None:
    """Search goes by the draft's questions from now on. What colleagues added or took out meanwhile stays so."""
    written, left = {}, set()
    for own in _questions(draft):
        live = SearchQuestions.objects.filter(place=own.place).first()
        now = live.questions if live else []
        kept = [each for each in own.questions if each in now or each not in own.before]
        written[place_of(draft, own.section.slug)] = kept + [each for each in now if each not in {*own.before, *kept}]
        left.add(own.place)
    SearchQuestions.objects.filter(
        place__in=left.difference(place for place, asked in written.items() if asked)
    ).delete()
    for place, asked in written.items():
        if asked:
            SearchQuestions.objects.update_or_create(place=place, defaults={"questions": asked})


def unask(sheet: FactSheet, before: dict, after: dict) -> dict[str, list[str]]:
    """Takes what patients ask at sections that the sheet no longer has out of search, and gives it, by address, to be kept.

    `before` and `after` are snapshots. What was taken out with a section that is there again is asked again.
    """
    gone, back = _addresses(before) - _addresses(after), _addresses(after) - _addresses(before)
    for slug in back:
        if asked := taken_out(sheet, slug):
            SearchQuestions.objects.get_or_create(place=place_of(sheet, slug), defaults={"questions": asked})
    rows = SearchQuestions.objects.filter(place__in=[place_of(sheet, slug) for slug in gone])
    found = {row.place.partition("#")[2]: row.questions for row in rows}
    rows.delete()
    return found


def _addresses(content: dict) -> set[str]:
    """The addresses of all sections of a snapshot."""
    return {slug for each in content["sections"] for slug in (each["slug"], *each.get("former_slugs", []))}


def taken_out(sheet: FactSheet, slug: str) -> list[str]:
    """What patients asked at a section that the sheet once had, when it was taken out."""
    kept = sheet.editions.exclude(unasked={}).values_list("unasked", flat=True)
    return next((each[slug] for each in kept if slug in each), [])


def ask_again(draft: FactSheet, before: dict, after: dict) -> None:
    """The same for a draft into which sections came back: it waits with them."""
    for slug in _addresses(after) - _addresses(before):
        section = draft.sections.filter(slug=slug).first()
        is_live = SearchQuestions.objects.filter(place=place_of(draft, slug)).exists()
        if section and not is_live and (asked := taken_out(draft.draft_of, slug)):
            keep_questions(section, asked, was=slug)


class Comparison:
    """A draft beside the published sheet. Each is read only once."""

    def __init__(self, draft: FactSheet):
        self.draft = draft
        self.live, self.new = revisions.snapshot(draft.draft_of), revisions.snapshot(draft)

    @cached_property
    def wording(self) -> list[Change]:
        """The differences from what readers see now to what they would see, which is what a clinician signs."""
        return revisions.changes(self.live, self.new)

    @cached_property
    def differences(self) -> list[Change]:
        """The wording, and the questions that search goes by."""
        asked = [
            Change(
                str(own.section),
                "patients’ questions",
                "\n".join(own.before),
                "\n".join(own.questions),
                at=own.section.slug,
            )
            for own in _questions(self.draft)
            if own.before != own.questions
        ]
        return self.wording + asked + list(self._no_longer_asked())

    def _no_longer_asked(self) -> Iterator[Change]:
        """The patients' questions of sections that the draft leaves out."""
        gone = _addresses(self.live) - _addresses(self.new)
        if not gone:
            return
        moved = set(_questions(self.draft).values_list("place", flat=True))
        names = {section.slug: str(section) for section in self.draft.draft_of.sections.all()}
        for row in SearchQuestions.objects.filter(place__in=[place_of(self.draft, slug) for slug in gone]).exclude(
            place__in=moved
        ):
            slug = row.place.partition("#")[2]
            yield Change(names.get(slug, slug), "patients’ questions", "\n".join(row.questions), "", at=slug)

    @cached_property
    def underneath(self) -> list[Change]:
        """What happened to the published sheet since the draft was begun, and the draft would undo.

        Statements that sheets share are in both.
        """
        begun = self.draft.editions.order_by("number").first()
        if begun is None:
            return []
        return [each for each in revisions.changes(begun.content, self.live) if not each.statement]

    @cached_property
    def why_not_small(self) -> str:
        """Why the draft is more than a small correction, so a clinician must read it. Empty if it is not."""
        if not self.differences:
            return "The draft says the same as the published page."
        if why_not := why_more_than_a_slip(self.wording, CORRECTABLE):
            return why_not
        kept = set(self.draft.draft_of.overrides.values_list("key", flat=True))
        if self.draft.overrides.exclude(key__in=kept).exists():
            return "It has wording that the claims guard stopped. Send it for clinical review."
        return ""


def why_more_than_a_slip(found: list[Change], correctable: set[str]) -> str:
    """Why these changes need a clinician's judgement. Empty if they only correct wording.

    `correctable`: the fields of which only the wording may be different, as `Change.field` names them.
    """
    words = 0
    for each in found:
        place = each.field if each.part in {"", revisions.SHEET_ITSELF} else each.part
        if each.statement or each.field not in correctable or not (each.before.strip() and each.after.strip()):
            return f"More than wording has changed: {place}. Send it for clinical review."
        old, new = WORD.findall(each.before), WORD.findall(each.after)
        for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                continue
            gone, come = ([word for word in run if word.strip()] for run in (old[a:b], new[c:d]))
            words += max(len(gone), len(come))
            # The same weighty words on both sides, as where a comma is put behind one, change nothing.
            if WEIGHTY.findall(" ".join(gone)) != WEIGHTY.findall(" ".join(come)):
                return (
                    f"A number, a source, or a word that can change the meaning is different: {place}. "
                    "Send it for clinical review."
                )
    if words > MAX_CORRECTED_WORDS:
        return f"{words} words have changed, more than {MAX_CORRECTED_WORDS}. Send it for clinical review."
    return ""
