"""The emails about an account, with links to choose a new password or to accept an invitation.

A row of the outbox says whom an email is for. Its link is made when it is sent, and is stored nowhere. The link
ends when it is used, when the password or the address changes, and with its time: an hour for a password, and for an invitation
the day in which a second factor may be set up. It replaces only the password, so the second factor is still needed.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_encode

from backcare.staff import accounts, totp
from backcare.staff.models import Invitation
from enquiries.clock import dated_words
from enquiries.mail import emails, wordings
from enquiries.models import OutgoingMessage, Purpose

PASSWORD_FOR = timedelta(hours=1)


class _Tokens(PasswordResetTokenGenerator):
    lasts: timedelta

    def _now(self) -> datetime:
        """Django uses local time, which skips an hour in March: links made in that hour would expire at once."""
        return timezone.now().astimezone(UTC).replace(tzinfo=None)

    def check_token(self, user: User | None, token: str | None) -> bool:
        if not super().check_token(user, token):
            return False
        age = self._num_seconds(self._now()) - base36_to_int(token.partition("-")[0])
        return age <= self.lasts.total_seconds()


class PasswordTokens(_Tokens):
    """For an account with a password. One without has not been set up yet, and needs its invitation."""

    key_salt = "backcare.staff.links.password"  # as in the links of emails that were sent
    lasts = PASSWORD_FOR

    def check_token(self, user: User | None, token: str | None) -> bool:
        return super().check_token(user, token) and may_reset(user)


class InvitationTokens(_Tokens):
    """A new invitation ends the links of the one before."""

    key_salt = "backcare.staff.links.invitation"
    lasts = totp.INVITED_FOR

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        at = Invitation.objects.filter(user=user).values_list("at", flat=True).first()
        return f"{super()._make_hash_value(user, timestamp)}{at and at.timestamp()}"

    def check_token(self, user: User | None, token: str | None) -> bool:
        return super().check_token(user, token) and is_invited(user)


password_tokens, invitation_tokens = PasswordTokens(), InvitationTokens()


def may_sign_in(user: User) -> bool:
    return user.is_active and user.is_staff


def may_reset(user: User) -> bool:
    return may_sign_in(user) and user.has_usable_password()


def is_invited(user: User) -> bool:
    return may_sign_in(user) and totp.of(user) is None and totp.invited_until(user) is not None


def password_address(user: User) -> str:
    return _address("admin:new_password", user, password_tokens)


def invitation_address(user: User) -> str:
    return _address("admin:invitation", user, invitation_tokens)


def _address(name: str, user: User, tokens: _Tokens) -> str:
    given = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": tokens.make_token(user)}
    return f"{settings.BASE_URL}{reverse(name, kwargs=given)}"


# By then, anyone who asked for a password has asked again, or asked somebody else.
NOT_LATER_THAN = timedelta(days=1)


def install() -> None:
    """Registers these emails with the mail worker, because `enquiries` knows nothing about staff accounts."""
    emails.RENDERERS[Purpose.PASSWORD_RESET] = _password_reset
    emails.RENDERERS[Purpose.INVITATION] = _invitation


def _password_reset(message: OutgoingMessage, connection: BaseEmailBackend) -> emails.Mail:
    user = _user(message)
    if not may_reset(user) or timezone.now() - message.created_at > NOT_LATER_THAN:
        raise emails.NoLongerNeeded
    return _mail(message, connection, "password_reset", user, {"link": _button(password_address(user))})


def _invitation(message: OutgoingMessage, connection: BaseEmailBackend) -> emails.Mail:
    user = _user(message)
    if not is_invited(user):
        raise emails.NoLongerNeeded
    values: dict[str, wordings.Value] = {
        "link": _button(invitation_address(user)),
        "until": dated_words(totp.invited_until(user)),
        "role": accounts.role_in_words(user),
    }
    return _mail(message, connection, "invitation", user, values)


def _button(address: str) -> wordings.Link:
    return wordings.Link(address, is_button=True)


def _user(message: OutgoingMessage) -> User:
    """The account as it is now, because it may have changed after the message was claimed in a batch."""
    return User.objects.get(pk=message.staff_id)


def _mail(
    message: OutgoingMessage, connection: BaseEmailBackend, key: str, user: User, values: dict[str, wordings.Value]
) -> emails.Mail:
    values["username"] = user.get_username()
    return emails.letter(message, connection, key, values, to=emails.one_address(user.email))
