"""Four eyes on what the claims guard stops outside the sheets: a clinician other than the writer agrees before it is used.

CAP Code 12.1 asks for evidence behind a health claim. A reason alone would be one person's word. A clinic whose only clinician, or
only member of staff, is the writer can still keep a sentence; it is then listed as kept by one person until somebody else agrees.
"""

import hashlib
from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from factsheets import team
from factsheets.claims_guard import Finding
from factsheets.models import KeptClaim

SIGNS_OFF = "factsheets.sign_off_factsheet"


class CannotAgree(Exception):
    """The change is refused, and nothing was saved. The text is for the person who tried."""


def key_of(finding: Finding) -> str:
    """Names the sentence and what is wrong with it, wherever it is used."""
    return hashlib.sha256(f"{finding.code}|{finding.sentence}".encode()).hexdigest()[:16]


def clinicians() -> QuerySet[User]:
    """Who may agree: active accounts with the clinician's role, and owners who are on a register."""
    roles = get_user_model().objects.with_perm(SIGNS_OFF, include_superusers=False)
    owners = Q(is_superuser=True, team_member__number__gt="") & ~Q(team_member__register="")
    return get_user_model().objects.filter(Q(pk__in=roles.values("pk")) | owners).filter(is_active=True, is_staff=True)


def is_clinician(user: User) -> bool:
    """Whether this account may agree."""
    return clinicians().filter(pk=user.pk).exists()


def refusal(findings: Iterable[Finding], reason: str, by: User) -> str:
    """Why these sentences cannot be kept yet. Empty when they can. Puts each on the list of what is to be agreed."""
    able = {each.pk: team.account_name(each) for each in clinicians().order_by("first_name")}
    asked = []
    for each in findings:
        first = {
            "rule": each.rule,
            "sentence": each.sentence,
            "reason": reason,
            "by": by,
            "actor": team.account_name(by),
            "alone": not able.keys() - {by.pk},
        }
        row, _ = KeptClaim.objects.get_or_create(key=key_of(each), defaults=first)
        # The person who asked first cannot agree, whoever saves it now.
        if not row.agreed_at and able.keys() - {row.by_id}:
            asked.append(row)
    if not asked:
        return ""
    waiting = KeptClaim.objects.filter(pk__in=[row.pk for row in asked])
    waiting.update(alone=False, at=timezone.now())  # it is asked again, so it goes on the list again
    waiting.filter(by=by).update(reason=reason)
    names = dict.fromkeys(name for row in asked for pk, name in able.items() if pk != row.by_id)
    sentences = ", ".join(f"“{each}”" for each in dict.fromkeys(row.sentence for row in asked))
    return (
        f"A clinician has to agree first: {' or '.join(names)}. They now see {sentences} and your reason on their first page, "
        "under “Approved exceptions”. Nothing was saved: keep your text, and save it again when they have agreed."
    )


def agree(row: KeptClaim, by: User) -> None:
    """Records the second person. Raises CannotAgree for the writer, and for somebody who is not a clinician."""
    if not is_clinician(by):
        raise CannotAgree("Only a clinician can agree.")
    if row.by_id == by.pk:
        raise CannotAgree("You wrote this, so another clinician has to agree.")
    if not row.agreed_at:
        row.agreed_by, row.agreed_actor, row.agreed_at = by, team.account_name(by), timezone.now()
        row.save(update_fields=["agreed_by", "agreed_actor", "agreed_at"])
