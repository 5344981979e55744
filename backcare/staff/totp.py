"""The second factor: codes from an app, each good once, and recovery codes for a lost phone.

An account without one can only set one up, and only within a day of its invitation. Nobody invites their own account.
"""

import base64
import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django_otp.oath import hotp

from backcare.core import clinic
from backcare.core.encryption import CannotDecrypt
from backcare.staff import sessions
from backcare.staff.models import Authenticator, Invitation, RecoveryCode

INVITED_FOR = timedelta(days=1)
STEP = 30  # seconds that an app shows a code
TOLERANCE = 1  # steps before and after the present one: clocks differ, and typing takes time
RECOVERY_CODES = 10
# Without letters and digits that look alike: 31 signs, so sixteen of them are 79 bits.
SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 16
# Nobody guesses 79 bits, so this is for the letter of OWASP ASVS 5.0, 6.5.2, and ten of them still take a third of a second.
ROUNDS = 100_000


def is_required() -> bool:
    """For every member of staff. Only a local run may do without, and `manage.py check --deploy` sees to that."""
    return settings.STAFF_SECOND_FACTOR


def of(user: User) -> Authenticator | None:
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def is_readable(app: Authenticator) -> bool:
    """Whether one of our keys decrypts the app's secret. If none does, its codes cannot be checked."""
    try:
        return bool(app.secret)
    except CannotDecrypt:
        return False


class OwnAccount(Exception):
    """No self-service reset: someone at an unlocked screen could replace the owner's phone with their own."""


def invited_until(user: User) -> datetime | None:
    """Until when this account may set up its first second factor. None: not invited, or no longer.

    The day begins when the account is made, and again with each `reset`.
    """
    return until(user, Invitation.objects.filter(user=user).values_list("at", flat=True).first())


def until(user: User, invited_at: datetime | None) -> datetime | None:
    """As `invited_until`, if the caller knows when they were last invited."""
    ends = max(user.date_joined, invited_at or user.date_joined) + INVITED_FOR
    return ends if ends > timezone.now() else None


def begin(*, user: User) -> Authenticator:
    """A new secret, which has no effect until `confirm`. A secret that was shown before and not confirmed is dropped."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user, confirmed=False).delete()
        secret = base64.b32encode(secrets.token_bytes(20)).decode()
        return Authenticator.objects.create(user=user, name="Authenticator app", confirmed=False, secret=secret)


def confirm(*, app: Authenticator, code: str) -> list[str] | None:
    """Takes the app into use in place of the one before, ends the user's sessions, and gives new recovery codes.

    None if the code is wrong. The codes are never shown again.
    """
    with transaction.atomic():
        if not use_code(app=app, code=code):
            return None
        Authenticator.objects.filter(user=app.user, confirmed=True).delete()
        if not Authenticator.objects.filter(pk=app.pk, confirmed=False).update(confirmed=True):
            return None
        codes = new_recovery_codes(user=app.user)
        Invitation.objects.filter(user=app.user).delete()
        sessions.end_all(user=app.user)
    app.confirmed = True
    return codes


def use_code(*, app: Authenticator, code: str) -> bool:
    """Whether the app shows this code about now. A code is taken once (OWASP ASVS 5.0, 6.5.1)."""
    code = "".join(code.split())
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return False
    key = base64.b32decode(app.secret)
    present = int(time.time()) // STEP
    fits = [
        step
        for step in range(present - TOLERANCE, present + TOLERANCE + 1)
        if constant_time_compare(f"{hotp(key, step):06}", code)
    ]
    # The step is a condition of the update, so only one of two people with the same code is let in.
    return any(
        Authenticator.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step, last_used_at=timezone.now())
        for step in fits
    )


def new_recovery_codes(*, user: User) -> list[str]:
    """Ten codes to print, in place of those before."""
    codes = ["".join(secrets.choice(SIGNS) for _ in range(LENGTH)) for _ in range(RECOVERY_CODES)]
    hasher = PBKDF2PasswordHasher()
    hashes = [hasher.encode(code, hasher.salt(), iterations=ROUNDS) for code in codes]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, hash=each) for each in hashes)
    return ["-".join(code[start : start + 4] for start in range(0, LENGTH, 4)) for code in codes]


def use_recovery_code(*, user: User, code: str) -> bool:
    """Whether it is one of the user's, which uses it up. Capitals, spaces and dashes do not matter."""
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    if len(plain) != LENGTH:
        return False
    hasher = PBKDF2PasswordHasher()
    for row in RecoveryCode.objects.filter(user=user):
        if hasher.verify(plain, row.hash):
            return bool(RecoveryCode.objects.filter(pk=row.pk).delete()[0])
    return False


def reset(*, user: User, by: User | None) -> bool:
    """Both lost, or never set up in time: takes app and recovery codes away, ends the user's sessions, and invites them to set up
    new ones within INVITED_FOR.

    `by` is None for the command line. False when they had no second factor. Raises OwnAccount. The caller records who did it.
    """
    if by == user:
        raise OwnAccount
    with transaction.atomic():
        Invitation.objects.update_or_create(user=user, defaults={"at": timezone.now(), "by": by})
        had_one = of(user) is not None
        Authenticator.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        sessions.end_all(user=user)
    return had_one


def address(app: Authenticator) -> str:
    """What the QR code says: the address that authenticator apps agreed on (otpauth://)."""
    issuer = clinic.details()["name"].replace(":", " ")
    label = quote(f"{issuer}:{app.user.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': app.secret, 'issuer': issuer}, quote_via=quote)}"


def qr_code(app: Authenticator) -> str:
    """SVG without styles, as our content policy asks, dark on white in both colour schemes."""
    return segno.make(address(app), error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
