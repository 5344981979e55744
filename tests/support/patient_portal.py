"""Shared by the tests of a patient's own request: the link from the email, its buttons, and what pressing one could change."""

import time
from contextlib import contextmanager

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from enquiries import link_visits, links
from enquiries.models import Enquiry, EnquiryEvent, OutgoingMessage, Purpose
from tests.conftest import consultation
from tests.support.html import parse, sent, text

VERBS = ["times", "add", "withdraw", "erase"]
SURE = {"times": "Save the new times", "add": "Send it", "withdraw": "Yes, withdraw", "erase": "Yes, delete"}
SECRETS = ("Ada", "ada@example.com", "79460018", "7946 0018", "An ache low in my back", "mornings")
SIGN = "Since this morning I can't pee."


@pytest.fixture
def asked(db) -> Enquiry:
    """The request of a patient who has just sent it."""
    return consultation()


def path(enquiry: Enquiry, verb: str = "") -> str:
    return reverse(f"enquiries:manage_{verb}" if verb else "enquiries:manage", args=[links.REQUEST.token(enquiry)])


def without_cookies(address: str, data: dict | None = None, **more):
    """A form from a browser that was offered a cookie and did not return it (enquiries/link_visits.py)."""
    return Client().post(f"{address}?{link_visits.KEPT}", data, **more)


def enter(enquiry: Enquiry, email: str = "ada@example.com"):
    return without_cookies(path(enquiry), {"email": email})


def press(response, button: str, **changes):
    """Presses a button on a page, in a browser that has only the page."""
    for form in parse(response).iter("form"):
        for each in form.iter():
            submits = each.tag == "button" or each.get("type") == "submit"
            if submits and button in (text(each) or each.get("value")):
                data = sent(form) | ({each.get("name"): each.get("value", "")} if each.get("name") else {})
                return without_cookies(form.get("action"), data | changes)
    pytest.fail(f"No button says “{button}”: {said(response)}")


def said(response) -> str:
    return text(next(parse(response).iter("main")))


def check(enquiry: Enquiry, verb: str, **changes):
    """The page that asks whether they are sure."""
    home = enter(enquiry)
    if verb == "times":
        return press(
            press(home, "Change the times"), "Continue", **{"times-days": ["1"], "times-day_parts": ["0"]} | changes
        )
    if verb == "add":
        return press(press(home, "Add something"), "Continue", **{"add-text": "I am away on Monday."} | changes)
    return press(home, {"withdraw": "Withdraw my", "erase": "Delete my details"}[verb])


def snapshot() -> list:
    """Everything that pressing a button could change."""
    rows = list(Enquiry.objects.order_by("pk").values("pk", "version", "status", "call_slots", "erased_at", "outcome"))
    return [*rows, EnquiryEvent.objects.count(), OutgoingMessage.objects.count()]


def alerts(enquiry: Enquiry) -> list[str]:
    return list(enquiry.messages.filter(purpose=Purpose.CHANGE_ALERT).values_list("state", flat=True))


@contextmanager
def half_an_hour_ago():
    """Inside the block, tokens are signed as of 31 minutes ago."""
    past = signing.b62_encode(int(time.time()) - 31 * 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing.TimestampSigner, "timestamp", lambda self: past)
        yield


def form_at_button(response, words: str):
    [form] = [each for each in parse(response).iter("form") if any(words in text(part) for part in each.iter("button"))]
    return form
