"""Shared by the tests of the consultation form: its steps as a browser sends them, and the buttons between them."""

from enquiries.models import Enquiry, OutgoingMessage
from tests.support.forms import ADDRESSES, OPTIONAL, form
from tests.support.html import form_at, parse, sent, text, title

PATH = ADDRESSES["consultation"]
EVERYTHING = OPTIONAL["consultation"]
FLAG = "My bottom has felt numb since Tuesday."


def button(page_form, step: str):
    found = [each for each in page_form.iter("button") if each.get("value", "").startswith(step)]
    assert found, f"No button says “{step}”."
    return found[-1]


def press(client, response, step: str, **changes):
    """Sends the page's form as it is, with the button for this step. Returns the page that it leads to."""
    page_form = form_at(parse(response), PATH)
    data = sent(page_form)
    if step:
        pressed = button(page_form, step)
        data[pressed.get("name")] = pressed.get("value")
    return follow(client, client.post(PATH, data | {f"consultation-{name}": given for name, given in changes.items()}))


def follow(client, response):
    """The page that a step leads to. Until the browser has sent our cookie back, that is the response itself."""
    if response.status_code == 303 and "/sent/" not in response["Location"]:
        return client.get(response["Location"])
    return response


def walk(client, *steps: dict, begin=None):
    """Goes through the form as a browser does, with one of `steps` filled in on each page. Returns the last page."""
    page = begin or client.get(PATH)
    for given in steps:
        page = press(client, page, "", **given)
    return page


def is_refused(response) -> bool:
    """Whether a page shows mistakes, either at once or after a redirect."""
    return title(parse(response)).startswith("Error: ")


def heading(response) -> str:
    return text(next(parse(response).iter("h1")))


def first_step(**changes) -> dict:
    """Every answer at once without a step, as the error page for a form from another site sends it."""
    return form("consultation", **({"step": None, "language": "", "needs_note": ""} | changes))


def nothing_kept() -> bool:
    return not Enquiry.objects.exists() and not OutgoingMessage.objects.exists()
