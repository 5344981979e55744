"""Which warning signs somebody's words sound like is encrypted, also what an upgrade finds, and nothing is lost."""

from django.db import connection

from enquiries.inbox import queues, safety_lane
from enquiries.models import Enquiry
from enquiries.models.enquiry import FLAGGED
from enquiries.request_forms.own_words import advice
from factsheets import safety
from tests.conftest import consultation, give_signs
from tests.core.test_encryption import database_bytes, overwrite, raw
from tests.support.migrations import one_by_one

READABLE = ("enquiries", "0019_private_links")


def migrate(*to: tuple[str, str]) -> None:
    """To these migrations, or to the newest."""
    executor = one_by_one()
    executor.migrate(list(to) or executor.loader.graph.leaf_nodes("enquiries"))


def column(pk):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT safety_signs FROM enquiries_enquiry WHERE id = %s",
            [Enquiry._meta.pk.get_db_prep_value(pk, connection)],
        )
        return cursor.fetchone()[0]


def damage_signs(enquiry: Enquiry) -> None:
    """Change one bit, so that what is stored never is what it was by chance."""
    sealed = bytes(raw(Enquiry, enquiry.pk)["safety_signs"])
    overwrite(enquiry.pk, "safety_signs", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)" if connection.vendor == "sqlite" else "CHECKPOINT")


def test_the_upgrade_seals_the_codes_that_are_there_and_the_way_back_opens_them(transactional_db):
    flagged, plain = consultation(), consultation(email="grace@example.com")
    broken = consultation(email="edith@example.com")
    give_signs([flagged], "RF-E1 RF-CANARY")
    give_signs([broken], "RF-U1")
    damage_signs(broken)
    try:
        migrate(READABLE)
        assert [column(each.pk) for each in (flagged, plain, broken)] == ["RF-E1 RF-CANARY", "", "?"]
        settle()
        assert b"RF-CANARY" in database_bytes(), "The bytes that were looked at are not those of this column."
    finally:
        migrate()
    settle()
    assert b"RF-CANARY" not in database_bytes()
    assert Enquiry.objects.get(pk=flagged.pk).signs == ["RF-E1", "RF-CANARY"]
    assert (column(plain.pk), Enquiry.objects.get(pk=plain.pk).signs) == (None, [])
    # The queue is what it was, without opening any.
    assert set(Enquiry.objects.filter(FLAGGED)) == {flagged, broken}
    assert [each.pk for each in queues.in_working_order()][-1] == plain.pk


def test_a_sign_that_no_key_opens_counts_as_an_emergency(db, staff_client):
    asked = consultation()
    give_signs([asked], "RF-U1")
    damage_signs(asked)
    asked = Enquiry.objects.get()
    assert asked.is_flagged
    assert advice(asked.signs, safety.tiers()).is_emergency
    assert safety_lane.script(asked).heading == "Possible emergency"
    for address in ("/admin/enquiries/enquiry/?queue=safety", asked.get_admin_url()):
        page = staff_client.get(address)
        assert page.status_code == 200 and "possible emergency" in page.content.decode().lower()


def test_a_short_and_a_long_list_of_signs_have_the_same_length(db):
    one, several = consultation(), consultation(email="grace@example.com")
    give_signs([one], "RF-E1")
    give_signs([several], "RF-E1 RF-E2 RF-U1 RF-U2")
    assert len({len(raw(Enquiry, each.pk)["safety_signs"]) for each in (one, several)}) == 1
