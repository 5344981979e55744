"""The emails about an account. Each row of the outbox says whom it is for; the link is made here, when it is sent."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from backcare.staff import accounts, links, totp
from enquiries.clock import dated_words
from enquiries.mail import emails
from enquiries.models import OutgoingMessage, Purpose

# Who asked for a password and got no email for so long has asked again, or another person.
NOT_LATER_THAN = timedelta(days=1)


def install() -> None:
    """The mail worker renders these as it does its own. `enquiries` knows no staff accounts, so they are brought to it."""
    emails.RENDERERS[Purpose.PASSWORD_RESET] = _password_reset
    emails.RENDERERS[Purpose.INVITATION] = _invitation


def _password_reset(message: OutgoingMessage, connection: BaseEmailBackend) -> emails.Mail:
    user = _user(message)
    if not links.may_reset(user) or timezone.now() - message.created_at > NOT_LATER_THAN:
        raise emails.NoLongerNeeded
    return _mail(message, connection, "password_reset", user, link=links.password_address(user))


def _invitation(message: OutgoingMessage, connection: BaseEmailBackend) -> emails.Mail:
    user = _user(message)
    if not links.is_invited(user):
        raise emails.NoLongerNeeded
    until = dated_words(totp.invited_until(user))
    role = accounts.role_in_words(user)
    return _mail(message, connection, "invitation", user, link=links.invitation_address(user), until=until, role=role)


def _user(message: OutgoingMessage) -> User:
    """As it is now: what is claimed in a batch may be older than the press of a button."""
    return User.objects.get(pk=message.staff_id)


def _mail(message: OutgoingMessage, connection: BaseEmailBackend, name: str, user: User, **context: str) -> emails.Mail:
    return emails.compose(message, connection, name, to=emails.one_address(user.email), account=user, **context)
