"""What people typed, in every journey, looked for in the bytes of the database: not through models, and not through SQL."""

import io
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from backcare.core import encryption
from enquiries.actions import contact, corrections, triage
from enquiries.models import Assessment, Enquiry, OutgoingMessage
from tests.conftest import give_signs
from tests.support.forms import form
from tests.support.inbox import whole_status
from tests.support.keys import compare_again
from tests.support.outbox import deliver
from tests.support.summary import patient

# One word for each place in which somebody can write, so that a failure says which place leaks.
TYPED = {
    "name of a report": "Canaryanne Reportfinch",
    "address of a report": "canaryreport@example.com",
    "corrected address": "canarycorrected@example.com",
    "name of a consultation": "Canarybert Consultfinch",
    "address of a consultation": "canaryconsult@example.com",
    "number of a consultation": "020 7946 0199",
    "best time": "canarytime at dusk",
    "their back": "canaryback aches since the fair",
    "needs": "canaryneeds a lip speaker",
    "name of somebody else": "Canarydora Elsewherefinch",
    "name of a question": "Canarycleo Questionfinch",
    "address of a question": "canaryquestion@example.com",
    "question": "canaryquestion about swimming",
    "staff's note": "canarynote they sounded tired",
    "note of a call": "canarycall nobody there",
    "reply": "canaryreply please ring us",
    "what was done about a sign": "canarysafety told them to ring 999",
}
# As the number is kept, and pieces that would show a text kept in parts.
ALSO = ["+442079460199", "2079460199", "canary", "Canary", "finch", "It stops daily activity", "stops daily activity"]
# Old spellings of a word would be missed: texts in a database may also be UTF-16.
ENCODINGS = ["utf-8", "utf-16-le"]


def everything_in_the_database() -> bytes:
    """SQLite's files, journals included. On PostgreSQL what COPY gives of every table, and the files of ours as they lie there."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        found = [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm", "-journal")]
        return b"".join(each.read_bytes() for each in found if each.exists())
    parts = []
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        for table in connection.introspection.table_names(cursor):
            with cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
                parts += [bytes(row) for row in rows]
            # As COPY writes it, a bytea is in hex.
            cursor.execute("SELECT pg_read_binary_file(pg_relation_filepath(%s::regclass))", [f'"{table}"'])
            parts.append(bytes(cursor.fetchone()[0]))
    return b"\n".join(parts)


def expect_none_of(words, stored: bytes) -> None:
    for place, word in words:
        for encoding in ENCODINGS:
            assert word.encode(encoding) not in stored, f"{place}: “{word}” lies in the database in plain text."
            assert word.encode(encoding).hex().encode() not in stored, f"{place}: “{word}” lies there in hex."


def live_every_journey(client, staff) -> None:
    """Through the forms, and what staff do through the actions that their pages call."""
    reader = patient(limits="stops")
    reader.post(
        "/report/",
        form("report", name=TYPED["name of a report"], email=TYPED["address of a report"], include_answers="yes"),
    )
    client.post(
        "/consultation/",
        form(
            "consultation",
            name=TYPED["name of a consultation"],
            email=TYPED["address of a consultation"],
            phone=TYPED["number of a consultation"],
            best_time=TYPED["best time"],
            description=TYPED["their back"],
            needs=["relay"],
            needs_note=TYPED["needs"],
            for_whom="other",
            their_name=TYPED["name of somebody else"],
            they_are="parent",
            they_agree="not_yet",
        ),
    )
    client.post(
        "/question/",
        form(
            "question",
            name=TYPED["name of a question"],
            email=TYPED["address of a question"],
            description=TYPED["question"],
        ),
    )
    assert sorted(Enquiry.objects.values_list("kind", flat=True)) == ["consultation", "question", "report"]
    report = Enquiry.objects.get(kind="report")
    corrections.correct_address(enquiry=report, email=TYPED["corrected address"])
    give_signs(Enquiry.objects.filter(kind="consultation"))
    consultation = Enquiry.objects.get(kind="consultation")
    contact.act_on_safety(enquiry=consultation, by=staff, note=TYPED["what was done about a sign"])
    triage.triage(enquiry=consultation, by=staff, note=TYPED["staff's note"])
    contact.log_call(enquiry=consultation, by=staff, result=contact.CallResult.NO_ANSWER, note=TYPED["note of a call"])
    contact.reply(enquiry=Enquiry.objects.get(kind="question"), by=staff, text=TYPED["reply"])
    deliver()


def sealed_values() -> list[bytes]:
    found = []
    for model, fields in encryption.sealed_columns().items():
        for row in model._base_manager.values_list(*[field.name for field in fields]):
            found += [bytes(value) for value in row if value and len(value) > 40]
    return found


def test_no_journey_leaves_a_typed_word_in_the_bytes_of_the_database(transactional_db, client, staff, mail_through):
    """While it is kept it is sealed, and after the purge not even the sealed bytes are left."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FULL")  # rows of other tests were deleted, and still lie in the files
    compare_again()
    live_every_journey(client, staff)
    references = list(Enquiry.objects.values_list("reference", flat=True))
    opened = {
        part
        for enquiry in Enquiry.objects.all()
        for part in (
            enquiry.name,
            enquiry.email,
            enquiry.best_time,
            enquiry.description,
            enquiry.needs,
            enquiry.for_name,
        )
    } | {event.note for enquiry in Enquiry.objects.all() for event in enquiry.events.all()}
    kept = " ".join(opened)
    lost = [place for place, word in TYPED.items() if word not in kept and place not in GONE]
    assert not lost, f"Not kept at all, so that the search below would say nothing about them: {lost}"

    stored = everything_in_the_database()
    assert all(reference.encode() in stored for reference in references), "These are not the bytes of these enquiries."
    expect_none_of([*TYPED.items(), *(("a part", word) for word in ALSO)], stored)

    sealed = sealed_values()
    assert len(sealed) > 12
    long_ago = timezone.now() - timedelta(days=800)
    OutgoingMessage.objects.update(state="sent", sent_at=long_ago, lease_until=None, claimed_by="")
    Enquiry.objects.update(created_at=long_ago, mail_failed=False, **whole_status("closed", long_ago))
    Assessment.objects.update(expires_at=long_ago)
    call_command("purge", stdout=io.StringIO())
    assert not Enquiry.objects.filter(erased_at=None).exists()

    stored = everything_in_the_database()
    assert all(reference.encode() in stored for reference in references)
    expect_none_of([*TYPED.items(), *(("a part", word) for word in ALSO)], stored)
    if connection.vendor == "sqlite":
        left = [value for value in sealed if value in stored]
        assert not left, f"{len(left)} sealed values are still in the files after the purge."


# What was put right by another word is no longer kept.
GONE = {"address of a report", "number of a consultation"}


def test_the_search_finds_what_is_there(transactional_db, staff):
    """A word that is kept in plain text is found, or the test above could not fail."""
    staff.first_name = "Canaryplain"
    staff.save()
    assert b"Canaryplain" in everything_in_the_database()
