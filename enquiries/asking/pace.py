"""The seal on the page that checks the answers: for whom that page was made, and when.

What is sent without it has not been through that page, so it gets the page: a person presses once more, and a script that posts
straight away sends nothing. The seal never ends: who leaves the page open overnight may send it in the morning.

How soon the answer came is no verdict by itself. Who knows what they wrote needs a second: a fast keyboard, a screen reader with
its own way to the button, somebody who went back to change a word. So no time stops anybody; it counts only where the same sender
has sent several forms within the hour (`abuse.FEW`), and then the form is set aside for staff and not refused.
"""

import time

from django.core import signing

from enquiries.privacy.encryption import keyed_hash

NO_TIME = 3  # seconds from the page to the press of its button

SIGNER = signing.TimestampSigner(salt="enquiries.asking.pace", sep=".")


def seal(kind: str, email: str) -> str:
    return SIGNER.sign(_made_for(kind, email))


def age(given: str, kind: str, email: str) -> float | None:
    """Seconds since the page was made. None: it was made for another form, or not by us."""
    try:
        made_for = SIGNER.unsign(given)
    except signing.BadSignature:
        return None
    if made_for != _made_for(kind, email):
        return None
    _, at, _ = given.rsplit(".", 2)
    return time.time() - signing.b62_decode(at)


def _made_for(kind: str, email: str) -> str:
    """A keyed hash, short as it is enough: the page already holds the address, the seal need not."""
    return keyed_hash(kind, email, purpose="pace")[:32]
