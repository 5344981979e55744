"""What a form and its mail cost: few statements, no sheet's text where none is shown, and only files that a reader is told of."""

import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from enquiries.mail.worker import Worker
from enquiries.models import OutgoingMessage
from factsheets.models import FactSheet
from factsheets.rendering import printed
from tests.support.forms import ADDRESSES, MAIL, form
from tests.support.outbox import make_due
from tests.support.senders import from_place

# Three of them on PostgreSQL alone, where forms wait for their turn and are counted last.
MAX = {"report": 15, "consultation": 18, "question": 18}
DOCUMENT = '"factsheets_factsheet"."document"'


@contextmanager
def documents(most: int, *, what: str) -> Iterator[None]:
    """At most so many statements read the text of sheets."""
    with CaptureQueriesContext(connection) as asked:
        yield
    read = [query["sql"] for query in asked if DOCUMENT in query["sql"].partition(" FROM ")[0]]
    assert len(read) <= most, f"{what} reads the text of sheets:\n" + "\n".join(each[-300:] for each in read)


@pytest.mark.parametrize("kind", MAIL)
def test_an_accepted_form_takes_few_statements_and_reads_no_sheet(db, kind):
    for place, email in (1, "ada@example.com"), (2, "bea@example.com"):  # the first one fills the process's caches
        data, client = form(kind, email=email), from_place(place)
        with documents(0, what=f"The {kind}"), CaptureQueriesContext(connection) as asked:
            assert client.post(ADDRESSES[kind], data).status_code == 303
    assert len(asked) <= MAX[kind], "\n".join(query["sql"][:150] for query in asked)
    assert OutgoingMessage.objects.count() == 2 * len(MAIL[kind])


def test_a_mail_takes_few_statements_and_reads_no_sheet(db, sheet, mail_through):
    for place in (1, 2):
        for kind in MAIL:
            from_place(place).post(ADDRESSES[kind], form(kind, email=f"ada{place}@example.com"))
    make_due()
    printed.leaflet(FactSheet.objects.get(slug="about-back-pain"))  # it is cached
    worker = Worker()
    for _ in range(5):
        assert worker.run_once()
    worker.next_look = math.inf  # on a slow machine, the look for dead workers' mails would fall among these
    taken = []
    for _ in range(5):
        with documents(0, what="A mail"), CaptureQueriesContext(connection) as asked:
            assert worker.run_once()
        taken.append(len(asked))
    worker.disconnect()
    # Of a report, which closes its enquiry; on PostgreSQL its address waits for its turn.
    assert max(taken) <= 21, taken
    assert sorted(taken)[2] <= 13, taken  # the two reports may be among these five
    assert len(set(mail_through.ids)) == len(mail_through.ids) == 10


@pytest.mark.long
def test_no_choice_and_no_list_reads_the_text_of_sheets(db, staff_client, subtests):
    Client().get("/search/?q=sciatica")  # the index is made, once for each version of the content
    for page in ("/report/", "/report/?sheet=about-back-pain", "/consultation/"):
        with subtests.test(page), documents(0, what=page):
            assert Client().get(page).status_code == 200
    for model in admin.site._registry:
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        with subtests.test(page), documents(0, what=page):
            assert staff_client.get(page).status_code in {200, 302, 403}
    for page in ("admin:index", "admin:enquiries_enquiry_new"):
        with subtests.test(page), documents(0, what=page):
            assert staff_client.get(reverse(page)).status_code == 200
    for sheet in FactSheet.objects.all()[:2]:  # its own, and no other's however many there are
        page = reverse("admin:factsheets_factsheet_change", args=[sheet.pk])
        with subtests.test(page), documents(2, what=page):
            assert staff_client.get(page).status_code == 200


def test_a_consultation_enters_the_files_that_the_architecture_lists(db, mail_through):
    root = Path(__file__).parents[2]
    chapter = re.search(r"^A consultation, from.*?(?=^## )", (root / "docs/architecture.md").read_text(), re.M | re.S)[
        0
    ]
    listed = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.py)`", chapter)}
    ours, entered = tuple(str(root / name) for name in ("backcare", "enquiries", "factsheets")), set()

    def note(frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(ours):
            entered.add(Path(frame.f_code.co_filename))

    worker = Worker()
    for place in (1, 2):  # the first one fills the process's caches
        sys.setprofile(note if place == 2 else None)
        try:
            from_place(place).post("/consultation/", form("consultation", email=f"ada{place}@example.com"))
            make_due()
            while worker.run_once():
                pass
        finally:
            sys.setprofile(None)
    worker.disconnect()
    assert len(mail_through.ids) == 4
    gate = root / "backcare/core/sqlite/base.py"
    assert len(entered - {gate}) <= int(re.search(r"(\d+) files in all", chapter)[1]), sorted(entered)
    entered = {each.relative_to(root) for each in entered}
    of_the_journey = {each for each in entered if each.parts[0] != "backcare" and each.name != "version.py"}
    assert len(of_the_journey) == int(re.search(r"(\d+) are of this journey", chapter)[1]) <= 25, sorted(of_the_journey)
    entered = {each.name for each in entered if each.parts[0] == "enquiries" and each.parts[1] != "models"}
    assert {"intake.py", "outbox.py", "worker.py"} <= entered <= listed, entered - listed
