"""The seal on the page that checks the answers: for which words that page was made, and when.

What is sent without it has not been through that page, so it gets the page: a person presses once more, and a script that posts
straight away sends nothing. The seal is good for the words that it was made for, for a day (whoever leaves the page open overnight
may send it in the morning), and once: one page that a person looked through cannot send a thousand forms.

How soon the answer came is no verdict by itself. Someone who remembers their answers may need only a second: a fast keyboard, a
screen reader with its own way to the button, somebody who went back to change a word. So no time stops anybody; it counts only
where the same sender has sent several forms within the hour (`abuse.FEW`), and then the form is set aside for staff, not refused.
"""

import secrets
import time

from django.core import signing

from backcare.core.crypto.encryption import keyed_hash
from backcare.core.form_fields import TextField
from enquiries.actions.intake import SEAL_GOOD_FOR

NO_TIME = 3  # seconds from the page to the press of its button

SIGNER = signing.TimestampSigner(salt="enquiries.request_forms.submit_timing", sep=".")


def sign(form) -> str:
    """For a form that was checked: its `cleaned_data` is what the page shows. Each seal is another."""
    return SIGNER.sign(f"{_words(form)}-{secrets.token_hex(8)}")


def age(given: str, form) -> float | None:
    """Seconds since the page was made. None: it was made for other words, too long ago, or not by us."""
    try:
        made_for, _, _ = SIGNER.unsign(given, max_age=SEAL_GOOD_FOR).partition("-")
    except signing.BadSignature:
        return None
    if made_for != _words(form):
        return None
    _, at, _ = given.rsplit(".", 2)
    return time.time() - signing.b62_decode(at)


def _words(form) -> str:
    """A keyed hash of every text in the form, the address included; short as it is enough.

    What is only chosen is left out: the page itself asks for what is missing of it.
    """
    texts = [
        f"{name}={form.cleaned_data.get(name) or ''}"
        for name, field in form.fields.items()
        if isinstance(field, TextField) or name == "phone"
    ]
    return keyed_hash(form.kind, *texts, purpose="pace")[:32]
