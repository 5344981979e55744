"""What the claims guard finds in wording outside the sheets: who kept each sentence, why, and who agreed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from enquiries.mail import replies, wordings
from enquiries.models import ReplyTemplate, WordingEdition
from enquiries.models.wording import SavedWords
from factsheets import claims_guard, second_reading, shared_revisions
from factsheets.models import KeptClaim, SharedEdition, SiteNotice

NOTICE, WORDING, TEMPLATE = (
    "admin:factsheets_sitenotice_change",
    "admin:enquiries_wording",
    "admin:enquiries_replytemplate_change",
)


@dataclass(frozen=True)
class InUse:
    """A sentence that patients can read. `reason` is empty if the guard learnt to find it only after it was saved."""

    title: str
    page: str  # the name of the address at which it is edited
    pk: Any
    by: SharedEdition | SavedWords | None
    reason: str
    finding: claims_guard.Finding
    second: KeptClaim | None = None

    @property
    def key(self) -> str:
        return second_reading.key_of(self.finding)

    @property
    def asked_by_id(self) -> int | None:
        """The person who cannot agree: the one who asked or, without a row, who saved the words."""
        asked = self.second or self.by
        return asked.by_id if asked else None

    @property
    def is_agreed(self) -> bool:
        return self.second is not None and self.second.agreed_at is not None


def in_use() -> list[InUse]:
    """All of them: in notices to come or shown now, in wordings in force, and in reply templates on offer. Raises Error."""
    found = list(_found())
    rows = {row.key: row for row in KeptClaim.objects.filter(key__in={each.key for each in found})} if found else {}
    return [replace(each, second=rows.get(each.key)) for each in found]


def _found() -> Iterator[InUse]:
    for notice in SiteNotice.objects.filter(ends_at__gt=timezone.now()):
        findings = claims_guard.free_text("text", notice.text)
        saved: SharedEdition | SavedWords | None
        saved = shared_revisions.editions(SiteNotice, notice.pk).first() if findings else None
        yield from (InUse("Notice", NOTICE, notice.pk, saved, notice.kept_because, each) for each in findings)
    newest = WordingEdition.objects.filter(key=OuterRef("key")).order_by("-number").values("pk")[:1]
    for edition in WordingEdition.objects.filter(pk=Subquery(newest)).order_by("key"):
        wording = wordings.WORDINGS.get(edition.key)
        if wording and (parts := wordings.parts_of(wording, edition)) is not wording.default:
            findings = wordings.claims(parts)
            because = edition.kept_because
            yield from (InUse(wording.name, WORDING, edition.key, edition, because, each) for each in findings)
    for template in ReplyTemplate.objects.offered():
        findings = replies.claims(template.subject, template.text)
        saved = template.editions.first() if findings else None
        title = f"Reply template “{template.name}”"
        yield from (InUse(title, TEMPLATE, template.pk, saved, template.kept_because, each) for each in findings)


def row_of(key: str) -> KeptClaim | None:
    """The row of a sentence that somebody asked about. Makes one for a sentence kept before a second person was needed."""
    row = KeptClaim.objects.filter(key=key).first()
    if row is None and (kept := next((each for each in in_use() if each.key == key), None)):
        asked = {
            "rule": kept.finding.rule,
            "sentence": kept.finding.sentence,
            "reason": kept.reason or "No reason was given.",
        }
        who = (
            {"by": kept.by.by, "actor": kept.by.actor or "Unknown", "at": kept.by.at}
            if kept.by
            else {"actor": "Unknown"}
        )
        row, _ = KeptClaim.objects.get_or_create(key=key, defaults=asked | who | {"alone": True})
    return row
