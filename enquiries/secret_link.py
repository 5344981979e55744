"""Links that we mail: each names one row, is signed, and alone opens nothing. Whoever has it must also know the e-mail address.

SECRET_KEY signs, SECRET_KEY_FALLBACKS are read. Each sort of link has a salt of its own, so that none stands for another.
"""

import uuid

from crispy_forms.layout import Field, Submit
from django import forms
from django.core import signing
from django.db import models, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html_join

from enquiries.form_fields import EmailField
from enquiries.form_layout import posted

PASS_SECONDS = 30 * 60
# A person tries a spelling or two. Whoever goes on has not got the address.
MOST_WRONG_TRIES = 10


class SecretLink:
    """The token in a link's address."""

    def __init__(self, salt: str):
        self.signer = signing.Signer(salt=salt, sep=".")

    def token(self, row: models.Model) -> str:
        return self.signer.sign(row.pk.hex)

    def key_of(self, given: str) -> uuid.UUID | None:
        """The row that a link names, whether it is still there or not. None: we never made this link."""
        try:
            return uuid.UUID(self.signer.unsign(given))
        except (signing.BadSignature, ValueError):
            return None


class Pass:
    """What a page hands to the next one in a hidden field. It is good for PASS_SECONDS, and only for what it was made for."""

    def __init__(self, salt: str):
        self.signer = signing.TimestampSigner(salt=salt, sep=".")

    def new(self, *made_for: object) -> str:
        return self.signer.sign("-".join(map(str, made_for)))

    def is_good(self, given: str, *made_for: object) -> bool:
        return self.made_for(given) == [str(each) for each in made_for]

    def made_for(self, given: str) -> list[str] | None:
        """What it was made for. None when it is too old, or none of ours."""
        try:
            return self.signer.unsign(given, max_age=PASS_SECONDS).split("-")
        except signing.BadSignature:
            return None


class Carried:
    """Hidden fields that take along what was typed before. A part of a crispy layout."""

    def __init__(self, pairs: list[tuple[str, str]]):
        self.pairs = pairs

    def render(self, form, context, **kwargs):
        return format_html_join("\n", '<input type="hidden" name="{}" value="{}">', self.pairs)


class OpenForm(forms.Form):
    """The one question before anything is shown."""

    use_required_attribute = False

    email = EmailField(label="Your email address")

    def __init__(self, *args, action: str, why: str, button: str, carried: list[tuple[str, str]] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = f"The one that this link was sent to. {why}"
        send = Submit("open", button, css_id="open")
        self.helper = posted(self, action, Field("email"), Carried(list(carried)), send)

    def lets_in(self, rows: models.QuerySet, *, email: str) -> bool:
        """Whether the address was given that we wrote to. `rows` as in `is_theirs`. Another one becomes the form's error."""
        if not self.is_valid():
            return False
        if is_theirs(rows, email=email, given=self.cleaned_data["email"]):
            return True
        self.add_error("email", "Enter the email address that this link was sent to")
        return False


def is_theirs(rows: models.QuerySet, *, email: str, given: str) -> bool:
    """Whether it is the address we wrote to. Each wrong one counts, in the row, so that every process knows of it.

    `rows` is the one row that the link names, of a model with `wrong_tries`.
    """
    with transaction.atomic():
        row = rows.filter(wrong_tries__lt=MOST_WRONG_TRIES)
        if not row.select_for_update():
            return False
        if constant_time_compare(given.casefold(), email.casefold()):
            return True
        row.update(wrong_tries=F("wrong_tries") + 1)
    return False
