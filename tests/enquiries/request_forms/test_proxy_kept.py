"""The other person whom somebody asks for: who sees their name, where it is not shown, and how it ends."""

import base64
import os
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backcare.core.encryption import key_ring
from enquiries.actions import erasure, triage
from enquiries.models import Enquiry, EventKind, SearchToken, Status
from tests.conftest import consultation
from tests.core.test_encryption import overwrite, raw
from tests.enquiries.inbox.test_export import ask, read
from tests.enquiries.privacy.test_erasure import erase
from tests.enquiries.privacy.test_subject_access import exported
from tests.support import patient_portal
from tests.support.desk import reception  # noqa: F401 - a fixture
from tests.support.html import text, tree
from tests.support.keys import rotate
from tests.support.outbox import deliver, words_of
from tests.support.proxy import asked

pytestmark = pytest.mark.usefixtures("db")

INBOX = "/admin/enquiries/enquiry/"


# --- where they are named, and where not ---


def test_no_mail_no_timeline_and_no_log_names_them(mail_through, caplog):
    caplog.set_level("DEBUG")
    kept = asked(they_agree="not_yet")
    deliver()
    assert len(mail_through.messages) == 2
    written = [words_of(each) for each in mail_through.messages] + [str(each.items()) for each in mail_through.messages]
    written += [each.summary + each.note for each in kept.events.all()] + [caplog.text]
    for each in written:
        for word in ("Bert", "Elsewhere", "mother or father", "general terms", "general advice"):
            assert word not in each


def test_what_is_kept_of_them_is_unreadable_in_the_database():
    kept = raw(Enquiry, asked().pk)
    for column in ("for_name", "for_relation"):
        assert len(kept[column]) > 20
        assert b"Elsewhere" not in kept[column]
        assert b"father" not in kept[column]


BANNERS = {
    "yes": "They know and agree.",
    "cannot": "They cannot decide for themselves. Ask who decides for them before you talk about their health.",
    "not_yet": "They do not know about this, or have not agreed. Give general advice only until they do.",
}


@pytest.mark.parametrize("agreed", sorted(BANNERS))
def test_who_calls_reads_first_for_whom_it_is_and_whether_they_agree(reception, agreed):  # noqa: F811
    kept = asked(they_agree=agreed)
    said = text(tree(reception.get(kept.get_admin_url())))
    banner = f"Sent by Ada Example for Bert Elsewhere (their mother or father). {BANNERS[agreed]}"
    assert said.index("For someone else") < said.index(banner) < said.index("Do not leave a voicemail")
    assert said.index(banner) < said.index("020 7946 0018")


def test_staff_keep_that_they_agree_by_now_once_and_from_a_fresh_page(reception):  # noqa: F811
    kept = asked(they_agree="not_yet")
    address = reverse("admin:enquiries_enquiry_they_agree", args=[kept.pk])
    assert reception.get(address).status_code == 405
    stale = reception.post(address, {"version": kept.version - 1}, follow=True)
    assert BANNERS["not_yet"] in text(tree(stale))
    after = reception.post(address, {"version": kept.version}, follow=True)
    assert BANNERS["yes"] in text(tree(after)) and "They now know and agree" not in text(tree(after))
    assert kept.events.filter(kind=EventKind.NOTE, summary="The person it is for now knows and agrees").count() == 1
    kept.refresh_from_db()
    twice = reception.post(address, {"version": kept.version}, follow=True)
    assert "No agreement was needed here." in text(tree(twice))
    assert kept.events.filter(kind=EventKind.NOTE).count() == 1


def test_an_enquiry_for_oneself_has_no_banner(reception):  # noqa: F811
    assert "For someone else" not in text(tree(reception.get(consultation().get_admin_url())))


def test_a_name_that_cannot_be_opened_says_so_and_hides_nothing_else(reception):  # noqa: F811
    kept = asked()
    overwrite(kept.pk, "for_name", raw(Enquiry, kept.pk)["for_relation"])
    page = reception.get(kept.get_admin_url())
    assert page.status_code == 200
    assert "This text cannot be opened: changed, or moved" in page.content.decode()
    assert "They know and agree." in page.content.decode()


def test_the_list_finds_them_by_name_and_does_not_show_it(reception):  # noqa: F811
    kept = asked()
    consultation(name="Grace Example", email="grace@example.com")
    for typed in ("elsewhere", "Bert Elsewhere", "ada"):
        said = text(next(tree(reception.get(INBOX, {"q": typed})).iter("tbody")))
        assert kept.reference in said
        assert "Grace" not in said
        assert "Elsewhere" not in said
    assert "Elsewhere" not in reception.get(INBOX).content.decode()


def test_no_spreadsheet_names_them(client, staff):
    asked()
    client.force_login(staff)
    for personal in ({}, {"personal": "on"}):
        for line in read(ask(client, **personal)):
            assert "Elsewhere" not in " ".join(line)


def test_the_link_in_our_mail_shows_nothing_of_them():
    kept = asked()
    page = patient_portal.enter(kept)
    assert "Reference" in patient_portal.said(page)
    for word in ("Bert", "Elsewhere", "mother", "agree", "someone else"):
        assert word not in patient_portal.said(page)


# --- how it ends ---


def nothing_of_them(kept: Enquiry) -> bool:
    kept.refresh_from_db()
    left = {name: value for name, value in raw(Enquiry, kept.pk).items() if name.startswith("for_")}
    return (
        kept.erased_at is not None
        and left == {"for_name": b"", "for_relation": b""}
        and kept.for_agreed == ""
        and not SearchToken.objects.filter(enquiry=kept).exists()
    )


def test_when_its_time_is_over_nothing_is_left_of_them(staff):
    kept = asked()
    triage.triage(enquiry=kept, by=staff, to=Status.CLOSED, outcome="answered")
    erasure.purge(now=timezone.now() + timedelta(days=360))
    assert not nothing_of_them(kept)
    erasure.purge(now=timezone.now() + timedelta(days=370))
    assert nothing_of_them(kept)


def test_the_patient_erases_them_too():
    kept = asked()
    patient_portal.press(patient_portal.check(kept, "erase"), patient_portal.SURE["erase"])
    assert nothing_of_them(kept)


def test_everything_held_about_a_person_names_whom_they_asked_for_and_erasing_it_takes_that_too(staff_client):
    kept = asked()
    [part] = [each for each in exported(staff_client, "ada@example.com")["held"] if each["name"] == "enquiries_enquiry"]
    [row] = part["rows"]
    assert (row["for_name"], row["for_relation"], row["for_agreed"]) == (
        "Bert Elsewhere",
        "their mother or father",
        "yes",
    )
    assert part["columns"]["for_name"]["what"] == "The name of the person you are asking for, if it is not you"
    erase(staff_client, "ada@example.com")
    assert nothing_of_them(kept)


def test_a_new_key_seals_them_anew_and_they_are_found_as_before(settings, reception):  # noqa: F811
    kept = asked()
    number = next(number for number in range(1, 256) if number not in key_ring())
    fresh = f"{number}:{base64.b64encode(os.urandom(32)).decode()}"
    settings.FIELD_ENCRYPTION_KEYS = [fresh, *settings.FIELD_ENCRYPTION_KEYS]
    rotate()
    settings.FIELD_ENCRYPTION_KEYS = [fresh]
    assert Enquiry.objects.get(pk=kept.pk).for_name == "Bert Elsewhere"
    assert kept.reference in reception.get(INBOX, {"q": "elsewhere"}).content.decode()
