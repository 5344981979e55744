"""The owner's statistics: any range of days, each a table and a CSV file; and how often sheets are read, without anybody."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from enquiries.actions import contact, triage
from enquiries.inbox.statistics import Span, month_of
from enquiries.models import Enquiry, Status
from factsheets import reads
from factsheets.models import FactSheet, SearchMiss, SheetFeedback, SheetReads
from tests.conftest import consultation, give_signs, report
from tests.support.clock import london
from tests.support.desk import person
from tests.support.html import text, tree
from tests.support.inbox import whole_status
from tests.support.outbox import question

STATISTICS = "/admin/statistics/"


def as_rows(client, name: str, **span) -> list[list[str]]:
    answer = client.get(STATISTICS, {**span, "csv": name})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return list(csv.reader(io.StringIO(answer.content.decode().removeprefix("\ufeff"))))


@pytest.mark.both
@pytest.mark.long
def test_any_range_is_told_in_tables_and_each_is_a_file(client, staff, sheet, monkeypatch):
    monday = london(2027, 2, 1, 10)
    monkeypatch.setattr(timezone, "now", lambda: monday)
    client.force_login(staff)
    soon, late, asked = consultation(email="1@example.com"), consultation(email="2@example.com"), question()
    sent, spam = report(sheet, email="3@example.com"), question(email="4@example.com")
    give_signs([soon])
    Enquiry.objects.filter(pk=spam.pk).update(**whole_status("spam"))
    before = consultation(email="5@example.com")
    Enquiry.objects.update(created_at=monday)
    Enquiry.objects.filter(pk=before.pk).update(created_at=london(2027, 1, 31, 23))
    monkeypatch.setattr(timezone, "now", lambda: london(2027, 2, 1, 12))
    contact.act_on_safety(enquiry=soon, by=staff, note="Rang her.")
    contact.log_call(enquiry=soon, by=staff, result="spoke")
    monkeypatch.setattr(timezone, "now", lambda: london(2027, 2, 3, 12))
    contact.log_call(enquiry=late, by=staff, result="no_answer")
    contact.reply(enquiry=late, by=staff, text="Hello")
    triage.triage(enquiry=asked, by=staff, to=Status.CLOSED, outcome="answered")
    SheetFeedback.objects.create(sheet=sheet, week=date(2027, 2, 1), answer="yes", count=7)
    SheetFeedback.objects.create(sheet=sheet, week=date(2027, 1, 18), answer="no", count=9)
    SearchMiss.objects.create(digest="1", text="=frozen shoulder", times=6, days=3)
    SearchMiss.objects.create(digest="2", times=3)
    SheetReads.objects.create(sheet=sheet, day=date(2027, 2, 2), count=40)
    client.force_login(staff)
    february = {"first": "2027-02-01", "last": "2027-02-28"}
    assert as_rows(client, "received", **february) == [
        ["Week from", "Consultations", "Questions", "Fact sheets", "All", "Spam or held back"],
        ["1 Feb", "2", "1", "1", "4", "1"],
        *[[f"{day} Feb", "0", "0", "0", "0", "0"] for day in (8, 15, 22)],
    ]
    assert as_rows(client, "sheets", **february)[1:] == [[sheet.title, "0", "0", "1", "1"]]
    [[sign, number]] = as_rows(client, "signs", **february)[1:]
    assert (sign[0].isalpha(), number) == (True, "1")
    assert as_rows(client, "first-contact", **february)[1] == ["1 Feb", "2", "10 h", "16.4 h", "1", "1", "50%"]
    assert as_rows(client, "attempts", **february)[1] == ["1 Feb", "2", "0", "0", "0"]
    assert sorted(as_rows(client, "outcomes", **february)[1:]) == [
        ["Answered", "1"],
        ["In progress", "2"],
        ["New", "1"],
        ["Spam", "1"],
    ]
    assert as_rows(client, "searches", **february)[1:] == [["'=frozen shoulder", "6", "3", "0"]]
    assert as_rows(client, "usefulness", **february)[1][:4] == [sheet.title, "7", "0", "0"]
    assert as_rows(client, "reads", **february)[1:] == [[sheet.title, "40", "0", "0", "0", "40"]]
    assert as_rows(client, "received", first="2026-03-01", last="2027-02-28")[-2:] == [
        ["Jan 2027", "1", "0", "0", "1", "0"],
        ["Feb 2027", "2", "1", "1", "4", "1"],
    ]
    page = client.get(STATISTICS, february)
    captions = [text(each) for each in tree(page).iter("h3")]
    assert captions[:3] == ["Requests received", "Requests by fact sheet", "Warning signs"]
    assert len(list(tree(page).iter("{http://www.w3.org/2000/svg}svg"))) >= 2
    assert sent.reference not in page.content.decode()


def test_statistics_are_the_owners_and_a_wrong_range_is_said(client, staff):
    client.force_login(person("Rita", "reception"))
    assert client.get(STATISTICS).status_code == 403
    client.force_login(staff)
    assert client.get(STATISTICS).status_code == 200
    for first, last, said in (
        ("2027-02-28", "2027-02-01", "This day must be on or after the first one"),
        ("2010-01-01", "2027-02-01", "Choose three years at the most"),
        ("soon", "2027-02-01", "Enter a valid date"),
        ("2026-01-01", "", "Enter the last day"),
    ):
        answer = client.get(STATISTICS, {"first": first, "last": last})
        assert (answer.status_code, said in answer.content.decode()) == (422, True), said
    assert client.get(STATISTICS, {"csv": "nothing"}).status_code == 404
    assert month_of(date(2028, 2, 9)) == Span(date(2028, 2, 1), date(2028, 2, 29))
    assert [part.label for part in Span(date(2025, 6, 1), date(2027, 2, 1)).parts] == ["2025", "2026", "2027"]


def test_reads_are_counted_by_sheet_and_day_without_a_write_and_without_anybody(db, staff, sheet):
    reads.write()  # what earlier tests opened
    SheetReads.objects.all().delete()
    reader, editor = Client(), Client()
    editor.force_login(staff)
    address = sheet.get_absolute_url()
    reader.get(address)
    token = FactSheet.objects.get(pk=sheet.pk).updated_at
    with connection.execute_wrapper(_no_write):
        assert [reader.get(address).status_code for _ in range(3)] == [200] * 3
        reader.head(address)
        reader.get("/fact-sheets/nothing-of-ours/")
        reader.get(f"{address}text/")
    assert not SheetReads.objects.exists(), "Nothing is written while somebody reads."
    assert not reader.cookies
    FactSheet.objects.exclude(pk=sheet.pk).update(state="draft")
    hidden = FactSheet.objects.exclude(pk=sheet.pk).first()
    assert editor.get(hidden.get_absolute_url()).status_code == 200, "A preview, which is no read."
    reads.write()
    reads.write()
    assert list(SheetReads.objects.values_list("sheet", "day", "count")) == [(sheet.pk, timezone.localdate(), 4)]
    reader.get(address)
    reads.write()
    assert SheetReads.objects.get().count == 5
    assert FactSheet.objects.get(pk=sheet.pk).updated_at == token
    reader.get(address)
    SheetReads.objects.update(day=timezone.localdate() - timedelta(days=1))
    FactSheet.objects.filter(pk=sheet.pk).update(slug="moved-away")
    reads.write()  # of a sheet that is gone by then
    assert SheetReads.objects.count() == 1


def _no_write(execute, sql, params, many, context):
    assert sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")), sql
    return execute(sql, params, many, context)
