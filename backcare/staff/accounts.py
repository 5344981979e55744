"""What owners can do with staff accounts: invite, change, deactivate. Each is one transaction, recorded in the account's history.

An owner who can sign in always stays. Owners take their turns (their rows are locked first), so two who demote each other at the
same moment end as one owner and one refusal.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from backcare.staff import handover, roles, sessions, totp
from backcare.staff.models import Invitation
from enquiries import staff_members
from enquiries.models import Enquiry, OutgoingMessage, Purpose
from factsheets import team
from factsheets.models import TeamMember

OWNER = "owner"
# In words for the owner who chooses.
ROLES = {
    "reception": "Reception: the inbox, appointments and opening hours",
    "clinician": "Clinician: the inbox with what patients wrote, and signing off fact sheets",
    "editor": "Editor: fact sheets, and no enquiries",
    OWNER: "Owner: everything, staff accounts included",
}


class Refused(Exception):
    """Nothing was changed. The text is for the owner who asked."""


LAST_OWNER = (
    "This is the only owner who can sign in. Make someone else an owner first, and wait until they have signed in."
)
NO_OWNER = "You are no longer an owner, so nothing was changed."
HIDDEN = "Taken off the public pages."
STILL_WORKS = "They still work in the inbox. Assign their enquiries there, or deactivate the account."
USED = "This account has been used, so it stays in the records. Deactivate it instead."


def role_of(user: User) -> str:
    """The role in one word. Empty for none or several, which only a command could have given."""
    if user.is_superuser:
        return OWNER
    names = [group.name for group in user.groups.all()]
    return names[0] if len(names) == 1 and names[0] in ROLES else ""


def role_in_words(user: User) -> str:
    return role_of(user) or ", ".join(group.name for group in user.groups.all()) or "no role"


def as_spelt(username: str) -> str:
    """The username of the account that is meant, by it or by its email address: a phone begins an address with a capital.

    As it is where two accounts could be meant.
    """
    for meant in (Q(username__iexact=username), Q(email__iexact=username)):
        alike = list(User.objects.filter(meant).values_list("username", flat=True)[:2])
        if alike:
            return alike[0] if len(alike) == 1 else username
    return username


def sign_in_label() -> str:
    """What people type to sign in. Accounts that were made on the desk have their address as username."""
    others = User.objects.filter(is_staff=True, is_active=True).exclude(username__iexact=F("email"))
    return "Email address or username" if others.exists() else "Email address"


def taken(address: str, *, but: User | None = None) -> User | None:
    """The account with this address, as its email address or username."""
    others = User.objects.filter(Q(email__iexact=address) | Q(username__iexact=address))
    return others.exclude(pk=but.pk if but else None).first()


def invite(*, email: str, first_name: str, last_name: str, role: str, by: User) -> User:
    """Makes an account without a password, and emails the link with which the person chooses one. Their address is the username."""
    address = email.lower()
    try:
        with _one_owner_at_a_time(by):
            user = User(username=address, email=address, first_name=first_name, last_name=last_name, is_staff=True)
            user.set_unusable_password()
            user.save()
            _give(user, role)
            totp.reset(user=user, by=by)
            _write(user)
            _record(by, user, ADDITION, f"Invited as {role}.")
    except IntegrityError as error:
        raise Refused(f"There is already an account for {address}.") from error
    return user


def invite_again(*, user: User, by: User) -> bool:
    """Takes the second factor away, if there is one, and gives another day to set one up. Someone who has none yet gets a new link.

    Whoever had one signs in with the password they know. Returns whether they had one. Raises totp.OwnAccount.
    """
    with _one_owner_at_a_time(by):
        had_one = totp.reset(user=user, by=by)
        if not had_one:
            _write(user)
        done = "Reset the second factor, and ended the account's sessions." if had_one else "Invited them again."
        _record(by, user, CHANGE, f"{done} They can set up a new one for 24 hours.")
    return had_one


def change(*, user: User, email: str, first_name: str, last_name: str, role: str, by: User) -> User:
    """Anyone who signs in with their address now uses the new one. Anyone who has not signed in yet is invited again, there.

    Raises Refused, also if somebody else has taken the address by now.
    """
    try:
        with _one_owner_at_a_time(by):
            user = User.objects.get(pk=user.pk)
            done = []
            if role != role_of(user):
                done.append(f"Changed the role from {role_in_words(user)} to {role}.")
                if role != OWNER:
                    _expect_another_owner(user)
                _give(user, role)
            is_moved = email.lower() != user.email.lower()
            if is_moved:
                goes_along = signs_in_with_address(user)
                user.username = email.lower() if goes_along else user.username
                done.append(f"Changed the email address{', and the username with it' if goes_along else ''}.")
            if (first_name, last_name) != (user.first_name, user.last_name):
                done.append("Changed the name.")
            user.email, user.first_name, user.last_name = email, first_name, last_name
            user.save(update_fields=["username", "email", "first_name", "last_name"])
            if is_moved and is_expected(user):
                # Anyone who read the email at the wrong address may already have chosen a password.
                user.set_unusable_password()
                user.save(update_fields=["password"])
                totp.reset(user=user, by=by)
                _write(user)
                done.append("Invited them again.")
            if done:
                _record(by, user, CHANGE, " ".join(done))
    except IntegrityError as error:
        raise Refused(f"There is already an account for {email}.") from error
    return user


def signs_in_with_address(user: User) -> bool:
    return bool(user.email) and user.username.lower() == user.email.lower()


def is_expected(user: User) -> bool:
    """Whether they were invited and have not signed in yet, even if the invitation has expired."""
    return user.is_active and user.last_login is None and Invitation.objects.filter(user=user).exists()


def deactivate(
    *, user: User, by: User, to: User | None = None, sure: str = "", hide: bool = False
) -> handover.HandedOver:
    """Blocks sign-in from now on, ends its sessions, and hands its work over to `to`, or without one back to the queue.

    `hide` takes its person off the home page and “About” as well; reviews and appointments of the past still name them.
    Raises handover.Doubtful while a clash in the colleague's diary is unread (`sure` is the mark of those that were read).
    """
    with _one_owner_at_a_time(by):
        _expect_another_owner(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        sessions.end_all(user=user)
        return _leave(user, by, to, sure, hide, ["Deactivated the account and ended its sessions."])


def hand_over(
    *, user: User, by: User, to: User | None = None, sure: str = "", hide: bool = False
) -> handover.HandedOver:
    """As `deactivate`, for somebody who can no longer open enquiries: deactivated long ago, or in another role now."""
    with _one_owner_at_a_time(by):
        if staff_members.may_open(User.objects.get(pk=user.pk)):
            raise Refused(STILL_WORKS)
        return _leave(user, by, to, sure, hide, [])


def _leave(user: User, by: User, to: User | None, sure: str, hide: bool, said: list[str]) -> handover.HandedOver:
    """Hands the work over and takes the person off the public pages, in the caller's transaction. `said`: what was done before."""
    try:
        done = handover.hand_over(of=user, to=to, by=by, sure=sure)
    except handover.CannotTakeOver as error:
        raise Refused(str(error)) from error
    if done.work.lines:
        said.append(f"{f'Handed over to {team.account_name(to)}' if to else 'Back in the queue'}: {done.work}.")
    if hide and (person := public_person(user)):
        person.shown = False
        person.save(update_fields=["shown"])
        LogEntry.objects.log_actions(by.pk, [person], CHANGE, HIDDEN, single_object=True)
        said.append(HIDDEN)
    if said:
        _record(by, user, CHANGE, " ".join(said))
    return done


def public_person(user: User) -> TeamMember | None:
    """This account's person, whom patients see under “Who you will meet”."""
    return TeamMember.objects.filter(account=user, shown=True).first()


def reactivate(*, user: User, by: User) -> None:
    with _one_owner_at_a_time(by):
        User.objects.filter(pk=user.pk).update(is_active=True)
        _record(by, user, CHANGE, "Activated the account again.")


def delete(*, user: User, by: User) -> None:
    """For an invitation sent to the wrong person. A used account stays, because its name is on its work."""
    with _one_owner_at_a_time(by):
        user = User.objects.get(pk=user.pk)
        if user.last_login is not None:
            raise Refused(USED)
        _expect_another_owner(user)
        handover.hand_over(of=user, to=None, by=by)
        _record(by, user, DELETION, "Deleted the account, which was never used.")
        user.delete()


def open_enquiries(user: User) -> int:
    return Enquiry.objects.filter(live=True, owner=user).count()


def hands_over(user: User) -> bool:
    """Whether the account's open enquiries are in the "Colleague away" queue."""
    return not staff_members.may_open(user)


@contextmanager
def _one_owner_at_a_time(by: User) -> Iterator[None]:
    with transaction.atomic():
        owners = User.objects.filter(is_superuser=True, is_active=True, is_staff=True)
        # A row that only points to an owner, such as a timeline entry, need not wait.
        if by not in list(owners.select_for_update(no_key=True).order_by("pk")):
            raise Refused(NO_OWNER)
        yield


def _expect_another_owner(but: User) -> None:
    others = User.objects.filter(is_superuser=True, is_active=True, is_staff=True).exclude(pk=but.pk)
    if not any(_can_sign_in(owner) for owner in others):
        raise Refused(LAST_OWNER)


def _can_sign_in(user: User) -> bool:
    return user.has_usable_password() and (totp.of(user) is not None or not totp.is_required())


def _give(user: User, role: str) -> None:
    """This role and no other."""
    roles.install()
    user.is_superuser = role == OWNER
    user.save(update_fields=["is_superuser"])
    user.groups.set(Group.objects.filter(name=role) if role != OWNER else [])
    user.user_permissions.clear()


def _write(user: User) -> None:
    OutgoingMessage.objects.create(purpose=Purpose.INVITATION, staff=user)


def _record(by: User, user: User, what: int, words: str) -> None:
    LogEntry.objects.log_actions(by.pk, [user], what, words, single_object=True)
