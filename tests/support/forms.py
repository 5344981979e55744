"""Honest forms, as the pages send them, and what else several tests need to say about the three of them."""

import time

from django.core import signing
from django.http import QueryDict
from django.test import Client

from enquiries.models import Purpose
from enquiries.request_forms import form_state
from enquiries.request_forms.form_state import FORMS

ADDRESSES = {kind: f"/{kind}/" for kind in FORMS}

PEOPLE = {"name": "Ada Example", "email": "ada@example.com"}
FIELDS = {
    "report": {**PEOPLE, "sheet": "about-back-pain"},
    "consultation": {
        **PEOPLE,
        "for_whom": "me",
        "contact_by": ["phone", "video"],
        "phone": "020 7946 0018",
        "may_leave_voicemail": "no",
        "may_say_who_calls": "yes",
        "best_time": "mornings",
        "description": "An ache low in my back\nfor two months.",
    },
    "question": {**PEOPLE, "description": "May I swim?"},
}
# What a consultation may say as well.
OPTIONAL = {
    "consultation": {
        "days": ["0", "4"],
        "day_parts": ["0", "2"],
        "for_whom": "other",
        "their_name": "Bert Elsewhere",
        "they_are": "parent",
        "they_agree": "yes",
        "needs": ["relay", "interpreter"],
        "language": "Polish",
        "needs_note": "My daughter helps me.",
        "how_long": "6_to_12",
        "where": "leg",
        "seen": ["gp", "physio"],
    },
}
# What the last page's button says: the answers were looked through, and are to be sent.
SEND = {"consultation": {"step": "send"}, "question": {"step": "send"}}


def form(kind: str, **changes) -> dict:
    """The last step's data under its own names, with the changes. A change to None leaves the field out."""
    changes = SEND.get(kind, {}) | changes
    fields = {name: value for name, value in (FIELDS[kind] | changes).items() if value is not None}
    data = {f"{kind}-{name}": value for name, value in fields.items()}
    if fields.get("step") == "send":
        data.setdefault(f"{kind}-seal", seal(kind, data))
    return data


def seal(kind: str, data: dict | QueryDict, *, seconds_ago: float = 20) -> str:
    """What the page that checks these answers puts into the form, made long enough ago to have been read."""
    if not isinstance(data, QueryDict):
        typed, data = data, QueryDict(mutable=True)
        for name, value in typed.items():
            data.setlist(name, [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)])
    checked = FORMS[kind](data, prefix=kind, action=ADDRESSES[kind])
    checked.full_clean()
    # Signed again with another time. To patch the clock would patch it for the threads of a test that sends at once.
    words, signer = form_state.SEAL_SIGNER.unsign(form_state.seal(checked)), form_state.SEAL_SIGNER
    made_at = signing.b62_encode(int(time.time() - seconds_ago))
    return signing.Signer.sign(signer, f"{words}{signer.sep}{made_at}")


# The mail that each kind of enquiry is answered with.
MAIL = {
    "report": [Purpose.REPORT],
    "consultation": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
    "question": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
}


def send(kind: str, **changes):
    """Sends an honest form and expects that it is accepted."""
    response = Client().post(ADDRESSES[kind], form(kind, **changes))
    assert response.status_code == 303
    assert response["Location"].startswith(f"/{kind}/sent/")
    return response
