"""Honest forms, as the pages send them, and what else several tests need to say about the three of them."""

from django.test import Client

from enquiries.forms import FORMS
from enquiries.models import Purpose

ADDRESSES = {kind: f"/{kind}/" for kind in FORMS}

PEOPLE = {"name": "Ada Example", "email": "ada@example.com"}
FIELDS = {
    "report": {**PEOPLE, "sheet": "about-back-pain"},
    "consultation": {
        **PEOPLE,
        "contact_by": ["phone", "video"],
        "phone": "020 7946 0018",
        "best_time": "mornings",
        "description": "An ache low in my back\nfor two months.",
    },
    "question": {**PEOPLE, "description": "May I swim?"},
}


def form(kind: str, **changes) -> dict:
    """The form's data under its own names, with the changes. A change to None leaves the field out."""
    fields = {name: value for name, value in (FIELDS[kind] | changes).items() if value is not None}
    return {f"{kind}-{name}": value for name, value in fields.items()}


# The mail that each kind of enquiry is answered with.
MAIL = {
    "report": [Purpose.REPORT],
    "consultation": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
    "question": [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
}


def send(kind: str, **changes):
    """Sends an honest form and expects that it is accepted."""
    response = Client().post(ADDRESSES[kind], form(kind, **changes))
    assert (response.status_code, response["Location"]) == (303, f"/{kind}/sent/")
    return response
