"""Honest forms, as the pages send them, and what else several tests need to say about the three of them."""

from enquiries.forms import FORMS

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
