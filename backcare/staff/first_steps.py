"""What a new site still needs before patients can use it, and how its first owner gets in without a shell.

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
from django.utils.html import format_html

from backcare.core.models import ClinicSettings, SetUpStep
from backcare.staff import accounts
from enquiries.mail import emails
from enquiries.models import OpeningHours
from factsheets import approvals
from factsheets.models import Subject, TeamMember

OWNER_CODE = "owner code"  # the row of SetUpStep that holds the hash
ACCOUNT = "account"
DETAILS = "details"  # what patients can do without, so it holds up none of the four steps
PEOPLE = "people"  # a step whose state the list of people shows
DEMO_OWNER = "owner"  # the username, which no invited owner can have, because theirs are addresses
CODE_FOR = timedelta(hours=24)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no characters that look alike
GROUPS, GROUP = 4, 5  # 99 bits


@dataclass(frozen=True)
class Step:
    name: str
    title: str
    why: str
    address: str


def has_owner() -> bool:
    return User.objects.filter(is_superuser=True).exists()


def is_begun() -> bool:
    """Whether this site is or was set up in a browser, because a code was printed or there is an owner but no demo."""
    has_code = SetUpStep.objects.filter(name=OWNER_CODE).exists()
    return has_code or (has_owner() and not User.objects.filter(username=DEMO_OWNER).exists())


def waits_for_owner() -> bool:
    """Whether a code was printed for the first owner, who has not used it yet."""
    return SetUpStep.objects.filter(name=OWNER_CODE).exists() and not has_owner()


def new_owner_code() -> str:
    """A new code for the first owner, which replaces the last. Empty if there is already an owner."""
    with transaction.atomic():
        if has_owner():
            SetUpStep.objects.filter(name=OWNER_CODE).delete()
            return ""
        if not SetUpStep.objects.filter(name=SetUpStep.HOURS).exists() and not _hours_were_saved():
            # A new database has hours that nobody chose. Patients see none until an owner has saved some.
            OpeningHours.objects.all().delete()
        code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        SetUpStep.done(OWNER_CODE, by=None, detail=_hash(code))
    return code


def make_first_owner(*, code: str, email: str, first_name: str, last_name: str, password: str) -> User | None:
    """The first owner's account. None if the code is wrong or has expired, or there is already an owner.

    Raises accounts.Refused if somebody else has the address, and then the code goes on working.
    """
    with transaction.atomic():
        row = SetUpStep.objects.select_for_update().filter(name=OWNER_CODE).first()
        if row is None or has_owner() or not _is_right(row, code):
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


def is_owner_code(code: str) -> bool:
    """Whether this is the first owner's code, without using it up. For a form with other mistakes."""
    row = SetUpStep.objects.filter(name=OWNER_CODE).first()
    return row is not None and _is_right(row, code)


def _is_right(row: SetUpStep, code: str) -> bool:
    return row.at >= timezone.now() - CODE_FOR and constant_time_compare(row.detail, _hash(code))


def _hash(code: str) -> str:
    typed = "".join(each for each in code.lower() if each in ALPHABET)
    return salted_hmac("backcare.staff.first_steps", typed, algorithm="sha256").hexdigest()


def mail_route() -> str:
    """The sender and server of our email, for which a test is valid."""
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_URL else settings.EMAIL_BACKEND
    return f"{emails.sender_address()} {server}"[:400]


def missing_steps() -> list[Step]:
    """The steps of the set-up that are not done yet, in order. Raises Error without a database."""
    row, done = ClinicSettings.stored(), _done()
    undone = _undone(row, done)
    found = []
    if SetUpStep.CLINIC in undone:
        lacks = [*_not_set(row), *_still_empty(row)]
        why = f"Patients read these on every page. Not set yet: {', '.join(lacks)}."
        found.append(Step(SetUpStep.CLINIC, "Clinic settings", why, reverse("admin:clinic")))
    if SetUpStep.HOURS in undone:
        why = "Until you save your hours, patients are not told when you are open or by when you will reply."
        found.append(Step(SetUpStep.HOURS, "Opening hours", why, reverse("admin:enquiries_clinichours_changelist")))
    if SetUpStep.MAIL in undone:
        why = "Nobody has tested that email arrives. Send yourself a test message."
        found.append(Step(SetUpStep.MAIL, "Test email", why, reverse("admin:clinic_email")))
    if not TeamMember.objects.filter(shown=True).exists():
        why = "The about page names nobody yet. Patients want to know who they will see, and on which register."
        found.append(Step(PEOPLE, "People who work here", why, reverse("admin:factsheets_teammember_changelist")))
    return found


def _done() -> dict[str, str]:
    return dict(SetUpStep.objects.values_list("name", "detail"))


def _undone(row: ClinicSettings, done: dict[str, str]) -> set[str]:
    """Which of clinic, hours and email are still to do. `done` has the recorded steps, each with its detail."""
    undone = {SetUpStep.CLINIC} if _not_set(row) else set()
    if done.get(SetUpStep.MAIL) != mail_route():
        undone.add(SetUpStep.MAIL)
    if SetUpStep.HOURS not in done and not _hours_were_saved():
        undone.add(SetUpStep.HOURS)
    return undone


def missing_details() -> list[Step]:
    """What is still missing from the clinic's saved settings. None on a demo. Raises Error without a database."""
    row = ClinicSettings.stored()
    empty = _still_empty(row)
    if not empty or _not_set(row) or User.objects.filter(username=DEMO_OWNER).exists():
        return []
    why = f"Patients look for these, but no page says them yet. Still empty: {', '.join(empty)}."
    return [Step(DETAILS, "More about the clinic", why, reverse("admin:clinic"))]


@dataclass(frozen=True)
class Stage:
    """One of the four stages of the first set-up, as its pages list them."""

    title: str
    address: str
    is_done: bool
    is_here: bool


def stages(here: str) -> list[Stage]:
    """The four, for the page of one of them (a name of SetUpStep, or ACCOUNT). None once clinic, hours and email are done."""
    return _stages(_undone(ClinicSettings.stored(), _done()), here)


def _stages(missing: set[str], here: str) -> list[Stage]:
    if not missing:
        return []
    pages = (
        (ACCOUNT, "Your account", ""),
        (SetUpStep.CLINIC, "Clinic settings", reverse("admin:clinic")),
        (SetUpStep.HOURS, "Opening hours", reverse("admin:enquiries_clinichours_changelist")),
        (SetUpStep.MAIL, "Test email", reverse("admin:clinic_email")),
    )
    done = {
        name for name, _, _ in pages if name not in missing and (name != ACCOUNT or (has_owner() and here != ACCOUNT))
    }
    return [Stage(title, address, name in done, name == here) for name, title, address in pages]


def reminder() -> list[Stage]:
    """The four stages, for the line on every page of an owner's desk until they are done or an owner leaves them.

    None on a demo, whose owner has nothing to set up.
    """
    done = _done()
    if SetUpStep.LEFT in done:
        return []
    # This runs on every page, so it does little once the site is set up.
    missing = _undone(ClinicSettings.stored(), done)
    return [] if not missing or User.objects.filter(username=DEMO_OWNER).exists() else _stages(missing, "")


def is_left() -> bool:
    return SetUpStep.objects.filter(name=SetUpStep.LEFT).exists()


def leave(*, by: User) -> None:
    """Removes the line. What is missing stays on the first page."""
    SetUpStep.done(SetUpStep.LEFT, by=by)


def remind_again() -> None:
    SetUpStep.objects.filter(name=SetUpStep.LEFT).delete()


def is_alone() -> bool:
    """Whether the first owner is the only account, or does not exist yet."""
    return not User.objects.filter(is_superuser=False).exists() and User.objects.count() < 2


def _not_set(row: ClinicSettings) -> list[str]:
    """What patients cannot do without."""
    return [
        *(["name"] if row.is_nameless else []),
        *([] if row.phone else ["phone number"]),
        *([] if row.email else ["public email address"]),
        *([] if row.inbox_email else ["inbox for alerts"]),
    ]


def _still_empty(row: ClinicSettings) -> list[str]:
    """What the settings can be saved without. No page states any of it until the clinic has entered it."""
    optional = (
        # Patients of a clinic without rooms are not near any clinic.
        ("address", row.address or row.has_no_rooms),
        ("emergency department near the clinic", row.hospital_name or row.has_no_rooms),
        ("prices", row.prices or row.acupuncture_prices),
        ("interest statement (what you sell)", row.interest_statement),
    )
    return [what for what, given in optional if not given]


def missing_approvals() -> list[Step]:
    """What a clinician still has to approve: the questions of the self-assessment, the red flags. Raises Error."""
    standings = [approvals.standing(subject) for subject in Subject.values]
    if all(each.approval for each in standings):
        return []
    where = "" if settings.CHECK_NEEDS_APPROVAL else "On a live site, "
    how = _way_to_approval()
    return [
        Step(
            each.subject,
            f"Approval of the {each.subject.label}",
            format_html("{} {}“Check your symptoms” stays off until then. {}", each.why_not, where, how),
            reverse("admin:factsheets_approval_subject", args=[each.subject]),
        )
        for each in standings
        if not each.approval
    ]


def _way_to_approval() -> str:
    """In a span, because a step has only one link of its own."""
    person = TeamMember.objects.filter(account=None).exclude(register="").exclude(number="").first()
    waits = User.objects.filter(groups__name="clinician", is_active=True, team_member=None).exists()
    if person and waits:
        return format_html(
            '<span>What to do: link the clinician’s staff account to <a href="{}">{}</a>, if it is theirs; then ask them to '
            "sign in, read this and approve it.</span>",
            reverse("admin:factsheets_teammember_change", args=[person.pk]),
            person.name,
        )
    return format_html(
        '<span>What to do: <a href="{}">invite a clinician</a>; enter them under <a href="{}">People who work here</a>, with '
        "register, number and their staff account; then ask them to sign in, read this and approve it.</span>",
        reverse("admin:invite"),
        reverse("admin:factsheets_teammember_changelist"),
    )


def _hours_were_saved() -> bool:
    """Written by staff, before the site had a set-up."""
    about = Q(content_type__app_label="enquiries", content_type__model__in=["clinichours", "openinghours"])
    return LogEntry.objects.filter(about).exists()
