"""Approvals: which questions and red flags a named clinician has approved, and whether patients are still shown those.

The self-assessment gives advice made for one person, so a named person has to answer for it. Outside a local run it is shown only
while both of its subjects are approved: the questions with their rules, and the red flags. An approval is bound to a hash of the
words, so every way of changing them (the staff desk, `load_content`, new code) ends it by itself.

The questions belong to another app, which registers them here when it starts.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum

from django.conf import settings
from django.db import Error, transaction
from django.utils import timezone

from factsheets import safety, team
from factsheets.models import Approval, ContentVersion, Decision, Register, SafetyEdition, Subject
from factsheets.safety_revisions import snapshot

# What patients are shown of a red flag and judged by. The word patterns decide only when a card is shown earlier.
SHOWN = ("code", "tier", "text", "short_text", "on_compact_card", "action", "in_assessment")


class ApprovalRefused(Exception):
    """The decision cannot be recorded. The text says why, and what to do."""


@dataclass(frozen=True)
class Approvable:
    """Something that is approved as a whole.

    `content` gives everything that the approval covers, as plain values, dataclasses and enums; `version` what staff and patients
    call it; `template` shows it to the clinician with what `context` gives.
    """

    content: Callable[[], object]
    version: Callable[[], str]
    template: str
    context: Callable[[], dict]


_approvable: dict[str, Approvable] = {}


def register(subject: Subject, approvable: Approvable) -> None:
    _approvable[subject] = approvable


def of(subject: str) -> Approvable:
    return _approvable[subject]


# --- the hash ---


def digest_of(value) -> str:
    """SHA-256 of a canonical text of the value. Raises TypeError for what has none: nothing may be left out unseen."""
    canonical = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def plain(value):
    """The value as JSON holds it. A set is put in order; a list keeps the order it has."""
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    raise TypeError(f"An approval cannot cover {type(value).__name__}.")


# --- the state of an approval ---


@dataclass(frozen=True)
class Standing:
    """What is shown now, and the newest decision about it."""

    subject: Subject
    version: str
    digest: str
    newest: Approval | None

    @property
    def approval(self) -> Approval | None:
        """The approval that covers what is shown now. An older one does not count: a newer decision replaced it."""
        newest = self.newest
        return newest if newest and newest.decision == Decision.APPROVED and newest.digest == self.digest else None

    @property
    def why_not(self) -> str:
        """Why there is no approval that counts, for staff. Empty when there is one."""
        if self.approval:
            return ""
        if self.newest is None:
            return f"No clinician has approved the {self.subject.label} yet."
        day = f"{timezone.localdate(self.newest.at):%-d %B %Y}"
        if self.newest.decision == Decision.WITHDRAWN:
            return f"{self.newest.actor} withdrew the approval on {day}: {self.newest.reason}"
        return (
            f"{self.newest.clinician} approved earlier wording on {day}. The {self.subject.label} have changed since."
        )

    @property
    def who_and_when(self) -> str:
        """Whose approval covers what is shown now. Empty without one."""
        if not self.approval:
            return ""
        return f"{self.approval.clinician} on {timezone.localdate(self.approval.at):%-d %B %Y}"


def standing(subject: str) -> Standing:
    """Raises KeyError for a subject that no app has registered."""
    approvable = of(subject)
    newest = Approval.objects.filter(subject=subject).first()
    return Standing(Subject(subject), approvable.version(), digest_of(approvable.content()), newest)


def check_is_open() -> bool:
    """Whether patients may use the self-assessment. Also False while the database is away."""
    if not settings.CHECK_NEEDS_APPROVAL:
        return True
    try:
        return all(standing(subject).approval for subject in Subject.values)
    except Error:
        return False


# --- deciding ---


def signed_by(user) -> dict[str, str]:
    """Who answers for an approval, as an owner entered them among the people who work here. It stays so in the approval.

    Raises ApprovalRefused for somebody without a register and a number.
    """
    person = team.of(user)
    if person is None or not person.is_registered:
        raise ApprovalRefused(team.why_no_reviewer(user))
    return {"name": person.name, "register": person.register, "number": person.number}


def approve(*, subject: str, digest: str, by) -> Approval:
    """Records a clinician's approval of what they were shown. Raises ApprovalRefused when it changed since.

    `digest` is that of the page they read.
    """
    with transaction.atomic():
        now = standing(subject)
        if digest != now.digest:
            raise ApprovalRefused("The wording changed while you were reading it. Read it again before you approve it.")
        return record(subject=subject, version=now.version, digest=now.digest, by=by, **signed_by(by))


def withdraw(*, subject: str, reason: str, by) -> Approval:
    """Withdraws the approval, for a written reason. Raises ApprovalRefused."""
    if len(reason.split()) < 3:
        raise ApprovalRefused("Give a reason in one sentence. Your colleagues will read it.")
    with transaction.atomic():
        now = standing(subject)
        if not now.approval:
            raise ApprovalRefused("There is no approval to withdraw.")
        return record(
            subject=subject,
            decision=Decision.WITHDRAWN,
            version=now.version,
            digest=now.digest,
            reason=reason.strip(),
            by=by,
        )


def record(*, by, **values) -> Approval:
    """Adds a decision. Cached pages follow at once."""
    made = Approval.objects.create(by=by, actor=team.account_name(by), **values)
    ContentVersion.changed()
    return made


# --- the red flags ---


def red_flags() -> dict:
    """Everything that patients read of the red flags, in their order. Not their word patterns."""
    flags = [{name: flag.get(name) for name in SHOWN} for flag in snapshot()]
    return {
        "flags": flags,
        "headings": safety.HEADINGS,
        "afterwords": safety.AFTERWORDS,
        "crisis": safety.CRISIS,
        "hurt": safety.HURT,
    }


def red_flags_version() -> str:
    newest = SafetyEdition.objects.defer("content").first()
    return f"edition {newest.number}, {timezone.localdate(newest.at):%-d %B %Y}" if newest else "no edition yet"


register(
    Subject.RED_FLAGS,
    Approvable(
        red_flags,
        red_flags_version,
        "admin/factsheets/approval/red_flags.html",
        lambda: safety.for_clinicians(snapshot()),
    ),
)

# What each register's numbers look like, to catch a slip of the keyboard: it is not looked up.
NUMBERS = {
    Register.GMC: (r"\d{7}", "seven digits"),
    Register.HCPC: (r"[A-Z]{2}\d{4,6}", "two letters and the digits after them, such as PH012345"),
    Register.NMC: (r"\d{2}[A-Z]\d{4}[A-Z]", "two digits, a letter, four digits and a letter, such as 12A3456B"),
    Register.GOSC: (r"\d{3,6}", "three to six digits"),
    Register.GCC: (r"\d{4,5}", "four or five digits"),
    Register.GPHC: (r"\d{7}", "seven digits"),
}
