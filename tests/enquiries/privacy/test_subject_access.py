"""Everything held about one person: found by an address or a number, given out as one file, and recorded without saying who."""

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from enquiries import abuse
from enquiries.models import Enquiry, EnquiryEvent
from enquiries.privacy import register, subject_access
from tests.conftest import consultation, report
from tests.core.test_encryption import overwrite, raw
from tests.support.desk import errors_of
from tests.support.desk import person as member
from tests.support.person import ADA, PAGE, WORDS


def references(response) -> set[str]:
    return set(re.findall(r">([0-9A-Z]{4}-[0-9A-Z]{4}), [^<]*</a>", response.content.decode()))


@pytest.mark.parametrize(
    "typed", [ADA, " ADA@example.COM ", "020 7946 0018", "+44 20 7946 0018", "(020) 79460018", "other@example.com"]
)
def test_one_address_or_number_in_any_spelling_finds_all_of_it_and_nothing_else(staff_client, ada, typed):
    found = references(staff_client.post(PAGE, {"typed": typed}))
    # The report has no number, and was sent from the first address only.
    mine = ada if "ada@" in typed.lower() else [ada[0], ada[2]]
    assert found == {each.reference for each in mine}


def test_nothing_is_said_to_be_held_about_a_stranger(staff_client, ada):
    for typed in ("nobody@example.com", "020 7946 0999"):
        page = staff_client.post(PAGE, {"typed": typed, "erase": "yes", "export": "yes"}).content.decode()
        assert "We hold nothing under this address or number" in page
    assert not Enquiry.objects.exclude(erased_at=None).exists()


@pytest.mark.parametrize("typed", ["", "   ", "Ada", "12345"])
@pytest.mark.once
def test_half_an_address_is_refused_with_a_sentence(staff_client, ada, typed):
    page = staff_client.post(PAGE, {"typed": typed, "erase": "yes"})
    assert page.status_code == 422
    assert "Enter" in errors_of(page)


@pytest.mark.parametrize("role", ["reception", "clinician", "editor", None])
@pytest.mark.parametrize("step", [{}, {"export": "yes"}, {"erase": "yes", "sure": "on", "reason": "asked"}])
@pytest.mark.once
def test_only_the_owner_may(ada, role, step):
    client = Client()
    if role:
        client.force_login(member("Robin", role))
    answer = client.post(PAGE, {"typed": ADA, **step})
    assert answer.status_code == 403 or (role is None and answer.status_code == 302)
    assert "everything-held" not in answer.get("Content-Disposition", "")
    assert client.get(PAGE).status_code in ({403} if role else {302, 403})
    assert not Enquiry.objects.exclude(erased_at=None).exists()
    assert not EnquiryEvent.objects.filter(kind="exported").exists()


def test_the_page_is_kept_by_no_cache_and_no_address_stands_in_an_address(staff_client, ada):
    page = staff_client.post(PAGE, {"typed": ADA})
    assert "no-store" in page["Cache-Control"]
    assert not re.search(rf'(href|action)="[^"]*{ADA}', page.content.decode())
    assert staff_client.get(f"{PAGE}?typed={ADA}").content.decode().count(ADA) == 0, (
        "What stands in an address is not read."
    )


# --- the file ---


def exported(client, typed: str = ADA) -> dict:
    answer = client.post(PAGE, {"typed": typed, "export": "yes"})
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="everything-held-[0-9A-Z-]{9}\.json"', answer["Content-Disposition"])
    return json.loads(answer.content)


def test_the_file_holds_every_personal_column_of_the_register_with_what_is_in_it(staff_client, ada):
    """Against the database, not against the code that makes the file."""
    parts = {part["name"]: part for part in exported(staff_client)["held"]}
    assert parts.keys() == {table.name for table in register.about("patients")}
    where = {"enquiries_enquiry": "id"}
    for name, part in parts.items():
        table = register.tables()[name]
        assert part["rows"], f"{name} is empty, so this test says nothing about it."
        for row in part["rows"]:
            assert table.columns <= row.keys(), f"{name} lacks {table.columns - row.keys()}"
        if name == "enquiries_stoppedaddress":
            assert [row["key"] for row in part["rows"]] == abuse.stop_keys(ADA)
        else:
            mine = table.model._base_manager.filter(**{f"{where.get(name, 'enquiry')}__in": [each.pk for each in ada]})
            assert len(part["rows"]) == mine.count()
        for column, said in table.personal.items():
            assert part["columns"][column]["what"] == said.what
            assert "{" not in part["columns"][column]["kept"]


def test_the_file_holds_every_word_and_nothing_of_anybody_else(staff_client, ada):
    written = json.dumps(exported(staff_client), ensure_ascii=False)
    for word in [
        *WORDS.values(),
        "canarynote of ours",
        "canaryreply to her",
        "It stops daily activity",
        "Ada Canary-Smith",
    ]:
        assert word in written, word
    for word in ("Grace", "grace@example.com", "Of somebody else"):
        assert word not in written


def test_taking_the_file_stands_on_each_timeline_and_in_the_log_without_the_address(staff_client, staff, ada):
    exported(staff_client)
    for one in ada:
        last = one.events.last()
        assert (last.kind, last.by) == ("exported", staff)
    entry = LogEntry.objects.get()
    said = f"{entry.object_repr} {entry.change_message}"
    assert all(one.reference in said for one in ada)
    assert "ada" not in said.lower().replace("all", "")


def test_a_text_that_cannot_be_opened_does_not_hold_back_the_others(staff_client, ada):
    broken = bytearray(raw(Enquiry, ada[0].pk)["description"])
    broken[-1] ^= 1
    overwrite(ada[0].pk, "description", bytes(broken))
    written = json.dumps(exported(staff_client))
    assert "it cannot be opened" in written
    assert "canary o'clock" in written


@pytest.mark.long
def test_a_person_of_sixty_enquiries_gets_the_file_within_five_seconds(staff_client, db):
    for number in range(60):
        consultation(email=ADA, description=f"The {number}th time.")
    started = timezone.now()
    assert len(exported(staff_client)["references"]) == 60
    assert (timezone.now() - started).total_seconds() < 5


# --- the command ---


def test_a_table_about_patients_that_does_not_say_whose_is_found_out():
    stray = register.Table("factsheets_topic", "patients", "Stray", "Stray.", ("id",), {})
    with pytest.raises(TypeError, match="no column that says of which enquiry"):
        subject_access.rows(stray, [])
    for table in register.about("patients"):
        assert subject_access.rows(table, []).query.model is table.model


def test_a_report_of_the_same_person_is_among_what_is_found(db, sheet):
    one = report(sheet=sheet, email=ADA)
    assert subject_access.find(ADA) == [one]
