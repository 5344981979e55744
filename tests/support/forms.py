"""Honest forms, as the pages send them, and other things that several tests need to know about the three forms."""

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
# What else a consultation may say.
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
# What the last page's button sends: the answers have been checked.
SEND = {"consultation": {"step": "send"}, "question": {"step": "send"}}


def form(kind: str, **changes) -> dict:
    """The data of the last step, with changes. A change to None leaves out the field."""
    changes = SEND.get(kind, {}) | changes
    fields = {name: value for name, value in (FIELDS[kind] | changes).items() if value is not None}
    data = {f"{kind}-{name}": value for name, value in fields.items()}
    if fields.get("step") == "send":
        data.setdefault(f"{kind}-seal", seal(kind, data))
    return data


def seal(kind: str, data: dict | QueryDict, *, seconds_ago: float = 20) -> str:
    """What the page for checking these answers adds to the form, made long enough ago to have been read."""
    if not isinstance(data, QueryDict):
        typed, data = data, QueryDict(mutable=True)
        for name, value in typed.items():
            data.setlist(name, [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)])
    checked = FORMS[kind](data, prefix=kind, action=ADDRESSES[kind])
    checked.full_clean()
    # Signs it with another time. Patching the clock would also patch it for the threads of tests that send at the same moment.
    words, signer = form_state.SEAL_SIGNER.unsign(form_state.seal(checked)), form_state.SEAL_SIGNER
    made_at = signing.b62_encode(int(time.time() - seconds_ago))
    return signing.Signer.sign(signer, f"{words}{signer.sep}{made_at}")


# The email that answers each kind of enquiry.
MAIL = {
    "report": [Purpose.REPORT],
    "consultation": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
    "question": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
}


def send(kind: str, **changes):
    """Sends an honest form and expects it to be accepted."""
    response = Client().post(ADDRESSES[kind], form(kind, **changes))
    assert response.status_code == 303
    assert response["Location"].startswith(f"/{kind}/sent/")
    return response
