"""Shared by the tests of the clinic's hours: their page on the desk, and what patients see of them."""

from datetime import datetime

import html5lib
from django.template.loader import render_to_string

from enquiries import clock
from enquiries.models import ClinicHours
from tests.support.html import text, tree

HOURS = "/admin/enquiries/clinichours/"
ADD_CLOSURE = "/admin/enquiries/closure/add/"


def hours() -> ClinicHours:
    return ClinicHours.objects.get(pk=1)


def words(response) -> str:
    return " ".join(text(tree(response)).split())


def on_a_form(now: datetime | None = None) -> str:
    """What a patient reads on a form's page."""
    page = render_to_string(
        "enquiries/_when.html", {"when": clock.reply_notice(now), "clinic": {"phone": "020 7946 0958"}}
    )
    return " ".join(text(html5lib.parseFragment(page, namespaceHTMLElements=False)).split())
