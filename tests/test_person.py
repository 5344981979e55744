"""Everything held about one person: found, given out as one file, erased in one step, and recorded without saying who."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from enquiries import abuse, actions
from enquiries.models import Assessment, Enquiry, EnquiryEvent, NameWord, OutgoingMessage, StoppedAddress
from enquiries.privacy import keys, person, register
from tests.conftest import ROOT, consultation, database_environment, report
from tests.desk import errors_of
from tests.desk import person as member
from tests.honest import form
from tests.test_encryption import database_bytes, overwrite, raw
from tests.test_purge import everything_kept
from tests.test_report_summary import patient

PAGE = "/admin/enquiries/enquiry/person/"
ADA = "ada@example.com"
WORDS = {
    "name": "Ada Canary",
    "email": ADA,
    "phone": "+442079460018",
    "best_time": "canary o'clock",
    "description": "canarywords about my back",
}


@pytest.fixture
def ada(db, sheet, staff) -> list[Enquiry]:
    """A person with all that one can leave here: two enquiries, answers, a note, a reply, another linked with the first."""
    first = consultation(**WORDS)
    actions.triage(enquiry=first, by=staff, note="canarynote of ours")
    actions.reply(enquiry=first, by=staff, text="canaryreply to her")
    client = patient(limits="stops")
    client.post("/report/", form("report", name="Ada Canary", email="ADA@Example.com", include_answers="yes"))
    second = Enquiry.objects.get(kind="report")
    linked = consultation(name="Ada Canary-Smith", email="other@example.com", phone="+442079460155")
    Enquiry.objects.filter(pk=linked.pk).update(same_as=first, status="closed", closed_at=timezone.now())
    consultation(
        name="Grace Example", email="grace@example.com", phone="+442079460166", description="Of somebody else."
    )
    for address in (ADA, "grace@example.com"):
        actions.stop_mails(key=abuse.stop_keys(address)[0])
    return [first, second, linked]


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
def test_half_an_address_is_refused_with_a_sentence(staff_client, ada, typed):
    page = staff_client.post(PAGE, {"typed": typed, "erase": "yes"})
    assert page.status_code == 422
    assert "Enter" in errors_of(page)


@pytest.mark.parametrize("role", ["reception", "clinician", "editor", None])
@pytest.mark.parametrize("step", [{}, {"export": "yes"}, {"erase": "yes", "sure": "on", "reason": "asked"}])
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


def test_a_person_of_sixty_enquiries_gets_the_file_within_five_seconds(staff_client, db):
    for number in range(60):
        consultation(email=ADA, description=f"The {number}th time.")
    started = timezone.now()
    assert len(exported(staff_client)["references"]) == 60
    assert (timezone.now() - started).total_seconds() < 5


# --- erased ---


def erase(client, typed: str = ADA, **changes):
    """As a browser does it: the list, the page that asks, the answer."""
    asked = client.post(PAGE, {"typed": typed, "erase": "yes"})
    seen = re.search(r'name="seen" value="([^"]*)"', asked.content.decode()).group(1)
    values = {"typed": typed, "erase": "yes", "seen": seen, "reason": "asked", "sure": "on"} | changes
    return client.post(PAGE, values, follow=True)


def test_one_step_takes_all_of_it_out_of_every_table(staff_client, ada):
    marks = [*WORDS.values(), "Canary", "canarynote", "canaryreply", "It stops daily activity", "other@example.com"]
    keys_ = [value for one in ada for value in (one.email_key, one.phone_key, one.submission_key) if value]
    before = everything_kept()
    assert all(mark in before for mark in [*WORDS.values(), *keys_])
    page = erase(staff_client)
    assert "Erased: 3 enquiries" in page.content.decode()
    after = everything_kept()
    for mark in [*marks, *keys_]:
        assert mark not in after, mark
    assert not Assessment.objects.exists()
    assert not NameWord.objects.filter(enquiry__in=ada).exists()
    assert not OutgoingMessage.objects.filter(enquiry__in=ada).exists()
    assert person.find(ADA) == []
    assert StoppedAddress.objects.count() == 2, "Who asked for no more mail gets none, erased or not."
    # Somebody else's is untouched.
    assert Enquiry.objects.get(erased_at=None).name == "Grace Example"


def test_what_was_done_is_recorded_without_the_person(staff_client, staff, ada):
    erase(staff_client, reason="withdrew")
    for one in ada:
        erased = one.events.get(kind="erased")
        assert erased.by == staff
        assert erased.summary == "Everything held about the person: the person withdrew their consent"
    said = f"{LogEntry.objects.get().object_repr} {LogEntry.objects.get().change_message}"
    assert "withdrew their consent" in said
    assert all(one.reference in said for one in ada)
    assert "@" not in said
    assert "Canary" not in said


def test_it_asks_once_more_and_takes_no_half_answer(staff_client, ada):
    asked = staff_client.post(PAGE, {"typed": ADA, "erase": "yes"})
    assert "Nothing" not in errors_of(asked)
    for wrong in ({"reason": ""}, {"sure": ""}, {"reason": "because Ada asked"}):
        page = erase(staff_client, **wrong)
        assert page.status_code == 422
        assert "Nothing was erased" in page.content.decode()
    assert not Enquiry.objects.exclude(erased_at=None).exists()


def test_what_came_since_the_page_was_opened_is_shown_before_it_goes(staff_client, ada):
    asked = staff_client.post(PAGE, {"typed": ADA, "erase": "yes"})
    seen = re.search(r'name="seen" value="([^"]*)"', asked.content.decode()).group(1)
    newest = consultation(email=ADA, description="I also wanted to say this.")
    page = erase(staff_client, seen=seen)
    assert "Something changed since you opened the list" in page.content.decode()
    assert newest.reference in page.content.decode()
    assert not Enquiry.objects.exclude(erased_at=None).exists()
    assert "Erased: 4 enquiries" in erase(staff_client).content.decode()


def test_all_of_it_goes_or_none(ada, staff, monkeypatch):
    """The second enquiry cannot be erased: the first is not either."""
    from enquiries.actions import one_person

    real, count = one_person.erase, []

    def stumble(**given):
        count.append(given)
        if len(count) == 2:
            raise RuntimeError("in the middle")
        return real(**given)

    monkeypatch.setattr(one_person, "erase", stumble)
    with pytest.raises(RuntimeError):
        actions.erase_person(enquiries=ada, reason="asked", by=staff)
    assert not Enquiry.objects.exclude(erased_at=None).exists()
    assert len(person.find(ADA)) == 3


def test_no_byte_is_left_in_the_files_of_the_database(transactional_db, staff):
    """Neither in plain text nor sealed, in the database file or the write-ahead log: read as bytes, past the database."""
    keys.unseen()
    one = consultation(**WORDS)
    sealed = [value for value in raw(Enquiry, one.pk).values() if len(value) > 40]
    stored = database_bytes()
    assert one.email_key.encode() in stored
    if connection.vendor == "sqlite":
        assert all(value in stored for value in sealed)
    assert actions.erase_person(enquiries=[one], reason="asked", by=staff)
    if connection.vendor == "sqlite":
        wal = Path(f"{connection.settings_dict['NAME']}-wal")
        assert not wal.exists() or wal.stat().st_size == 0
        stored = Path(connection.settings_dict["NAME"]).read_bytes()
        assert not any(value in stored for value in sealed)
    else:
        stored = database_bytes()
    assert one.email_key.encode() not in stored
    assert one.reference.encode() in stored


# --- the command ---


def command(*options, typed: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "person", *options],
        cwd=ROOT,
        env=database_environment(),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_gives_out_and_erases_with_the_address_on_standard_input(transactional_db):
    keys.unseen()
    consultation(**WORDS)
    given = command("--export", typed=f"{ADA}\n")
    assert json.loads(given.stdout)["held"][0]["rows"][0]["description"] == WORDS["description"]
    assert "Erased." in command("--erase", "--yes", "--reason", "objected", typed=f"{ADA}\n").stdout
    assert Enquiry.objects.get().description == ""
    assert [event.actor for event in EnquiryEvent.objects.filter(kind__in=["exported", "erased"])] == [
        "command line"
    ] * 2


def test_the_command_takes_no_address_from_the_command_line(db, monkeypatch):
    consultation()
    with pytest.raises(CommandError, match="unrecognized arguments"):
        call_command("person", "--export", ADA)
    monkeypatch.setattr("sys.stdin", io.StringIO("nobody@example.com\n"))
    with pytest.raises(CommandError, match="Nothing is held under this address or number"):
        call_command("person", "--export")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ADA}\nperhaps\n"))
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("person", "--erase", stdout=io.StringIO())
    assert Enquiry.objects.get().erased_at is None
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="on standard input"):
        call_command("person", "--export")


def test_a_table_about_patients_that_does_not_say_whose_is_found_out():
    stray = register.Table("factsheets_topic", "patients", "Stray", "Stray.", ("id",), {})
    with pytest.raises(TypeError, match="no column that says of which enquiry"):
        person.rows(stray, [])
    for table in register.about("patients"):
        assert person.rows(table, []).query.model is table.model


def test_a_report_of_the_same_person_is_among_what_is_found(db, sheet):
    one = report(sheet=sheet, email=ADA)
    assert person.find(ADA) == [one]
