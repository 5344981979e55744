"""What a new site still needs before patients can use it, and how its first owner comes in without a shell.

The first owner makes their account with a code that `serve` prints where only the person who runs the machine reads it. The code is
kept as a hash, ends when it is used or after a day, and the page is gone as soon as there is an owner.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from backcare.core.models import ClinicSettings, SetUpStep
from backcare.staff import accounts
from enquiries.mail import emails
from factsheets import approvals
from factsheets.models import Subject

OWNER_CODE = "owner code"  # the row of SetUpStep that holds the hash
CODE_FOR = timedelta(hours=24)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
GROUPS, GROUP = 4, 5  # 99 bits


@dataclass(frozen=True)
class Step:
    name: str
    title: str
    why: str
    address: str


def has_owner() -> bool:
    return User.objects.filter(is_superuser=True).exists()


def waits_for_owner() -> bool:
    """Whether a code was printed for the first owner, who has not come yet."""
    return SetUpStep.objects.filter(name=OWNER_CODE).exists() and not has_owner()


def new_owner_code() -> str:
    """A new code for the first owner, in place of the one before. Empty when there is an owner, and none is needed."""
    with transaction.atomic():
        if has_owner():
            SetUpStep.objects.filter(name=OWNER_CODE).delete()
            return ""
        code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        SetUpStep.done(OWNER_CODE, by=None, detail=_hash(code))
    return code


def make_first_owner(*, code: str, email: str, first_name: str, last_name: str, password: str) -> User | None:
    """The account of the first owner. None when the code is not right, has ended, or there is an owner already.

    Raises accounts.Refused where somebody else has the address, and then the code goes on working.
    """
    with transaction.atomic():
        row = SetUpStep.objects.select_for_update().filter(name=OWNER_CODE).first()
        if row is None or has_owner() or row.at < timezone.now() - CODE_FOR:
            return None
        if not constant_time_compare(row.detail, _hash(code)):
            return None
        address = email.lower()
        if accounts.taken(address):
            raise accounts.Refused(
                f"There is already an account for {address}, and it is not an owner’s. Use another address."
            )
        row.delete()
        user = User.objects.create_superuser(address, address, password, first_name=first_name, last_name=last_name)
        LogEntry.objects.log_actions(
            user.pk, [user], ADDITION, "Made the first owner, with the code of the first start.", single_object=True
        )
    return user


def _hash(code: str) -> str:
    typed = "".join(each for each in code.lower() if each in ALPHABET)
    return salted_hmac("backcare.staff.first_steps", typed, algorithm="sha256").hexdigest()


def mail_route() -> str:
    """The sender and the server of our mail: a test counts for these two."""
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_URL else settings.EMAIL_BACKEND
    return f"{emails.sender_address()} {server}"[:400]


def missing_steps() -> list[Step]:
    """The steps of the set-up that nobody has done yet, in their order. Raises Error without a database."""
    row, done = ClinicSettings.stored(), dict(SetUpStep.objects.values_list("name", "detail"))
    found = []
    lacks = [
        what
        for what, given in (
            ("name", row.name != ClinicSettings._meta.get_field("name").default),
            ("phone number", row.phone),
            ("public email address", row.email),
            ("inbox for alerts", row.inbox_email),
        )
        if not given
    ]
    if lacks:
        why = f"Patients read these on every page. Not set yet: {', '.join(lacks)}."
        found.append(Step(SetUpStep.CLINIC, "Clinic settings", why, reverse("admin:clinic")))
    if SetUpStep.HOURS not in done and not _hours_were_saved():
        why = "Patients are told by when you reply. Check the hours and save them, even if they are right."
        found.append(Step(SetUpStep.HOURS, "Opening hours", why, reverse("admin:enquiries_clinichours_changelist")))
    if done.get(SetUpStep.MAIL) != mail_route():
        why = "Nobody has tested that email arrives. Send yourself a test message."
        found.append(Step(SetUpStep.MAIL, "Test email", why, reverse("admin:clinic_email")))
    return found


def waits_for_a_clinician() -> bool:
    """Whether the self-assessment is off because its questions or its warning signs are not approved."""
    return settings.CHECK_NEEDS_APPROVAL and not all(approvals.standing(each).approval for each in Subject.values)


def _hours_were_saved() -> bool:
    """By staff, before there was a set-up."""
    about = Q(content_type__app_label="enquiries", content_type__model__in=["clinichours", "openinghours"])
    return LogEntry.objects.filter(about).exists()
