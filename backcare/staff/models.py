"""What proves a member of staff's identity beyond the password."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_otp.models import Device

from backcare.core.encryption import EncryptedTextField


def number_of_its_own() -> int:
    """Known before the row is saved, because the secret is sealed for this row. django-otp wants a number."""
    return secrets.randbits(53)


class Authenticator(Device):
    """An app that shows codes (TOTP, RFC 6238). The secret is sealed, shown once as a QR code, and never again."""

    id = models.BigIntegerField(primary_key=True, default=number_of_its_own, editable=False)
    secret = EncryptedTextField()  # base32, 160 bits
    # The time step of the newest code accepted: no code of that step or an earlier one is accepted again.
    last_step = models.BigIntegerField(default=-1, editable=False)
    created_at = models.DateTimeField("set up", auto_now_add=True)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "second factor"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed=True), name="one_confirmed_authenticator_a_user"
            ),
        ]

    def __str__(self):
        return f"Authenticator app of {self.user}"


class Invitation(models.Model):
    """Lets an account without a second factor set one up. A new account needs none in its first day: see `totp.invited_until`."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    # Another owner. Empty: the command line.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )

    def __str__(self):
        return f"Invitation of {self.user}"


class RecoveryCode(models.Model):
    """A code on paper that replaces the app, once. Its row is deleted when it is used."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    # Salted PBKDF2, as for a password.
    hash = models.CharField(max_length=128)

    def __str__(self):
        return f"Recovery code of {self.user}"


class StaffEventKind(models.TextChoices):
    SIGNED_IN = "signed_in", "signed in"
    REFUSED = "refused", "sign-in refused"
    EXPORTED = "exported", "exported “Who did what”"


class StaffEvent(models.Model):
    """What staff did that no other record holds: signing in, being refused, and taking "Who did what" away as a file.

    Refused sign-ins of one account and kind within an hour are one row that counts them, so that guessing fills no table.
    """

    kind = models.CharField(max_length=12, choices=StaffEventKind, editable=False)
    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    # The account that a refused sign-in tried, or empty if there is none. The name that was typed is not kept.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, blank=True, editable=False, help_text="The name, for when accounts go.")
    what = models.CharField(max_length=300, editable=False)
    reason = models.CharField(max_length=500, blank=True, editable=False)
    times = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=StaffEventKind.values), name="staff_event_known_kind"),
            models.CheckConstraint(
                condition=models.Q(kind="refused") | ~models.Q(actor=""), name="staff_event_has_actor"
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="exported") | ~models.Q(reason=""), name="staff_event_export_has_reason"
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.actor or 'nobody'}"
