"""Enquiries as a spreadsheet: what is in it, what never is, who took it, and that no cell runs."""

import csv
import io
import tracemalloc
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from enquiries.actions import exports
from enquiries.models import Enquiry, EventKind, Export
from tests.conftest import consultation
from tests.support.desk import person
from tests.support.html import text, tree
from tests.support.inbox import whole_status
from tests.support.outbox import question

PAGE = "/admin/enquiries/enquiry/export/"
REASON = "Yearly report to the partners"
REDACTED = ["reference", "kind", "status", "received", "reply due", "first contact", "attempts", "outcome"]
PERSONAL = [*REDACTED, "name", "email", "phone"]


def ask(client, **values):
    return client.post(PAGE, {"which": "open", "reason": REASON, "export": "yes"} | values)


def read(response) -> list[list[str]]:
    assert response.status_code == 200, text(tree(response))
    body = b"".join(response.streaming_content)
    assert body.startswith(b"\xef\xbb\xbf"), "Excel needs the mark to read UTF-8."
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_reception_gets_a_file_without_anybodys_details(client, db):
    one = consultation(name="Ada Example", description="It is my words.", best_time="mornings")
    client.force_login(person("Rita", "reception"))
    response = ask(client)
    head, *rows = read(response)
    assert head == REDACTED
    [row] = rows
    assert row[:3] == [one.reference, "consultation", "new"]
    assert row[3] == f"{timezone.localtime(one.created_at):%Y-%m-%d %H:%M}"
    for told in ("Ada", "ada@example.com", "442079460018", "words", "mornings"):
        assert told not in " ".join(row)
    assert not one.events.filter(kind=EventKind.EXPORTED).exists()
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        response["Content-Disposition"] == f'attachment; filename="enquiries-{timezone.localtime():%Y-%m-%d-%H%M}.csv"'
    )


def test_each_export_is_in_the_log_that_owners_see_and_nobody_changes(client, staff, db):
    consultation()
    rita = person("Rita", "reception")
    client.force_login(rita)
    read(ask(client))
    kept = Export.objects.get()
    assert (kept.by, kept.actor, kept.what, kept.how_many) == (rita, "Rita", "Queue: All open", 1)
    assert (kept.columns, kept.reason, kept.with_contact_details) == (", ".join(REDACTED), REASON, False)
    log = reverse("admin:enquiries_export_changelist")
    assert client.get(log).status_code == 403
    client.force_login(staff)
    assert REASON in text(tree(client.get(log)))
    opened = reverse("admin:enquiries_export_change", args=[kept.pk])
    assert client.get(opened).status_code == 200
    assert client.post(opened, {"reason": "Another"}).status_code == 403
    assert client.post(reverse("admin:enquiries_export_delete", args=[kept.pk]), {"post": "yes"}).status_code == 403
    kept.reason = "Another"
    with pytest.raises(TypeError):
        kept.save()


def test_contact_details_are_only_for_who_may_and_each_timeline_says_so(client, db):
    one, other = consultation(), question(email="other@example.com")
    rita = person("Rita", "reception")
    client.force_login(rita)
    assert read(ask(client, personal="on"))[0] == REDACTED, "The box is not hers to tick."
    assert "Include contact details" not in text(tree(client.get(PAGE)))
    with pytest.raises(exports.NotAllowed):
        exports.export(queryset=Enquiry.objects.all(), what="All", by=rita, reason=REASON, personal=True)
    rita.user_permissions.add(Permission.objects.get(codename="export_personal"))
    rows = read(ask(client, personal="on"))
    assert rows[0] == PERSONAL
    assert sorted(row[-3:] for row in rows[1:]) == [
        ["Ada Example", "ada@example.com", "'+442079460018"],
        ["Ada Example", "other@example.com", ""],
    ]
    for enquiry in (one, other):
        event = enquiry.events.get(kind=EventKind.EXPORTED)
        assert (event.by, event.summary, event.note) == (rita, "With contact details, in an export of 2", REASON)
    assert Export.objects.filter(with_contact_details=True, how_many=2).count() == 1


def test_what_was_not_sent_is_not_on_a_timeline(staff, db, monkeypatch):
    """Somebody who stops the download half way does not get the rest."""
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 1)
    consultation(), question(email="other@example.com")
    found = exports.export(queryset=Enquiry.objects.all(), what="All", by=staff, reason=REASON, personal=True)
    assert next(found).startswith(exports.BOM)
    assert Export.objects.get().how_many == 2
    next(found)
    found.close()
    assert Enquiry.objects.filter(events__kind=EventKind.EXPORTED).count() == 1


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"reason": ""}, "Say why you need it"),
        ({"reason": "x" * 9}, "at least 10 characters"),
        ({"reason": "x" + " " * 12}, "at least 10 characters"),
        ({"which": "everything"}, "Select a valid choice"),
        ({"which": "dates"}, "Enter a date"),
        ({"which": "dates", "from_day": "2026-11-02", "to_day": "2026-11-01"}, "must be on or after the first one"),
        ({"which": "dates", "from_day": "2026-11-02", "to_day": "9999-12-31"}, "Enter a date, such as 27/3/2026."),
    ],
)
@pytest.mark.once
def test_without_a_reason_or_a_choice_nothing_leaves(staff_client, values, problem):
    consultation()
    response = ask(staff_client, **values)
    assert response.status_code == 422
    assert problem in text(tree(response))
    assert not Export.objects.exists()


def test_two_days_hold_what_was_received_in_them(staff_client, db):
    today = timezone.localdate()
    old, new, spam = question(email="1@example.com"), question(email="2@example.com"), question(email="3@example.com")
    ten_days_ago = timezone.now() - timedelta(days=10)
    Enquiry.objects.filter(pk=old.pk).update(created_at=ten_days_ago, **whole_status("closed", ten_days_ago))
    Enquiry.objects.filter(pk=spam.pk).update(**whole_status("spam"))
    days = {"which": "dates", "from_day": today - timedelta(days=11), "to_day": today - timedelta(days=9)}
    assert [row[0] for row in read(ask(staff_client, **days))[1:]] == [old.reference]
    days["to_day"] = today
    assert [row[0] for row in read(ask(staff_client, **days))[1:]] == [new.reference, old.reference]


def test_ticked_ones_are_asked_about_and_then_exported(staff_client, db):
    ticked, other = consultation(), question(email="other@example.com")
    listed = reverse("admin:enquiries_enquiry_changelist")
    asked = staff_client.post(listed, {"action": "export_ticked", "_selected_action": [str(ticked.pk)]})
    assert "The one you ticked" in text(tree(asked))
    assert not Export.objects.exists(), "Asking is not exporting."
    rows = read(ask(staff_client, which="selected", selection=str(ticked.pk)))
    assert [row[0] for row in rows[1:]] == [ticked.reference]
    refused = ask(staff_client, which="selected", selection="not-a-key")
    assert refused.status_code == 422
    assert other.reference not in text(tree(refused))


RUNS = [
    "=1+1",
    "+442079460018",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\x00=1",
    "  =1",
    "\xa0=1",
    " \t x",
    "\n=1",
    "＝1+1",
    "\x00",
]


def test_a_cell_that_a_spreadsheet_could_run_is_text(subtests):
    for cell in RUNS:
        with subtests.test(cell=cell):
            assert exports.safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ada", " Ada", "a=1", "020 7946 0018", "Ada\n=1", "2026-11-21 10:00", "é", "1-2"])
def test_an_honest_cell_is_left_alone(cell):
    assert exports.safe(cell) == cell


def test_a_name_that_is_a_formula_or_holds_quotes_comes_out_as_text(staff_client, db):
    consultation(name='=HYPERLINK("http://evil.example";"x")', email="ada@example.com")
    [_, row] = read(ask(staff_client, personal="on"))
    assert row[-3] == '\'=HYPERLINK("http://evil.example";"x")'
    assert len(row) == len(PERSONAL)


def test_one_detail_that_cannot_be_opened_does_not_lose_the_others(staff_client, db):
    one, other = consultation(), question(email="other@example.com")
    with connection.cursor() as cursor:
        # Sealed to another row, so it cannot be opened here.
        cursor.execute(
            "UPDATE enquiries_enquiry SET name = (SELECT email FROM enquiries_enquiry WHERE reference = %s)"
            " WHERE reference = %s",
            [other.reference, one.reference],
        )
    rows = read(ask(staff_client, personal="on"))
    assert {row[0]: row[-3] for row in rows[1:]} == {one.reference: "cannot be opened", other.reference: "Ada Example"}


@pytest.mark.long
def test_memory_stays_flat_however_many_there_are(db):
    """Three times the rows: the peak grows by their keys (about 100 bytes each), not by the rows (2,500 bytes each)."""
    question()
    model = Enquiry.objects.get()

    def peak(rows: int) -> int:
        have = Enquiry.objects.count()
        Enquiry.objects.bulk_create(
            (
                Enquiry(kind=model.kind, submission_key=f"copy {number}", reference=f"C{number:08}")
                for number in range(have, rows)
            ),
            batch_size=500,
        )
        tracemalloc.start()
        keys = list(Enquiry.objects.order_by("-created_at").values_list("pk", flat=True))
        sent = sum(line.count("\r\n") for line in exports.lines(exports.chunked(keys), personal=False))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sent == rows + 1
        return most

    peak(10)  # what is loaded once
    few, many = 1_000, 3_000
    small, large = peak(few), peak(many)
    assert large - small < 400 * (many - few)
