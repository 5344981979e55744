"""What the tests of the consultation form share: its steps as a browser sends them, and the buttons between them."""

from enquiries.models import Enquiry, OutgoingMessage
from tests.support.forms import ADDRESSES, OPTIONAL, form
from tests.support.html import form_at, parse, sent, text

PATH = ADDRESSES["consultation"]
EVERYTHING = OPTIONAL["consultation"]
FLAG = "My bottom has felt numb since Tuesday."


def button(document, step: str):
    found = [each for each in document.iter("button") if each.get("value", "").startswith(step)]
    assert found, f"No button says “{step}”."
    return found[-1]


def press(client, response, step: str, **changes):
    """Sends the page's form as it stands, with the button that says this step."""
    document = parse(response)
    page_form = form_at(document, PATH)
    pressed = button(document, step)
    data = sent(page_form) | ({pressed.get("name"): pressed.get("value")} if step else {})
    return client.post(PATH, data | {f"consultation-{name}": given for name, given in changes.items()})


def heading(response) -> str:
    return text(next(parse(response).iter("h1")))


def first_step(**changes) -> dict:
    """As the whole form sends it: no step is said, and the lines of text come also when they are empty."""
    return form("consultation", **({"step": None, "language": "", "needs_note": ""} | changes))


def nothing_kept() -> bool:
    return not Enquiry.objects.exists() and not OutgoingMessage.objects.exists()


def short(**changes) -> dict:
    names = ("name", "email", "contact_by", "phone", "best_time", "description")
    data = form("consultation", **changes)
    return {f"consultation-{name}": data[f"consultation-{name}"] for name in names} | {
        "consultation-sheet": "about-back-pain"
    }
