"""The inbox's search box: a caller is found by the little that staff have heard of their name or number."""

from collections import Counter
from datetime import date

import pytest
from django.utils import timezone

from backcare.core import blind_index
from enquiries.actions import erasure, intake, triage
from enquiries.inbox import find
from enquiries.models import Enquiry, SearchToken, Status
from factsheets.models import FactSheet
from tests.conftest import consultation, report
from tests.support.clock import london
from tests.support.desk import person
from tests.support.html import parse, text
from tests.support.inbox import LIST, book_past, listed


@pytest.mark.long
def test_a_patient_is_found_by_what_staff_would_type(reception, subtests):
    found = consultation(name="Zoë O'Hara-Smith", email="zoe.ohara@cedars.example", phone="+442079460018")
    consultation(name="Bob Thistlewood", email="bob@elsewhere.example", phone="+442079461234")
    Enquiry.objects.filter(pk=found.pk).update(reference="BCDF-6789")
    triage.triage(enquiry=found, by=person("Sam", "reception"), to=Status.CLOSED, outcome="answered")
    ways = {
        "a whole name": ["zoe", "ZOË", "O'Hara", "ohara smith", "Zoë O'Hara-Smith", "Mrs Smith"],
        "parts of it": ["zo", "oha smi", "Sm"],
        "what sounds alike": ["Smyth", "Smithe"],
        "letters wrong": ["Smiht", "Zoe Smitj", "Ohaara", "Ojara", "~smtih"],
        "initials": ["z.o.s", "ZOS", "zs", "Z Smith"],
        "a number": ["tel:02079460018", "020 7946 0018", "+44 20 7946 0018", "0018", "46 00 18", "18001 020 7946 0018"],
        "an address": [
            "zoe.ohara@Cedars.example",
            "zoe.o@",
            "zoe.oha",
            "@cedars.example",
            "@cedars",
            "zoe@cedars.example",
            "zoe.o@ced",
            "zoe@cedars.ex",
            "Zoë O'Hara <zoe.ohara@cedars.example>",
            "mailto:zoe.ohara@cedars.example",
        ],
        "a reference": [
            "BCDF-6789",
            "bcdf6789",
            "bcdf 6789",
            "b c d f 6 7 8 9",
            "Ref: BCDF–6789",
            "“BCDF.6789”",
            "#bcdf-6789",
        ],
        "a reference that was misheard": ["BCDS-6789", "PCDF6789", "bcfd-6789", "bcdf", "6789"],
    }
    for way, typings in ways.items():
        for typed in typings:
            with subtests.test(way=way, typed=typed):
                assert listed(reception, q=typed) == [found.pk]


@pytest.mark.long
def test_words_that_are_too_far_from_the_name_find_nobody(reception, subtests):
    consultation(name="Zoë O'Hara-Smith", email="zoe@gmail.com", phone="+442079460018")
    for typed in (
        "Zmkth",
        "Zoe Jones",
        "z",
        "mr",
        "gmail.com",
        "@gmail.com",
        "0019",
        "018",
        "zoe@other.example",
        "zoe@oth",
        "@gma",
        "Sxyzh",
        "BCDF-2346",
        "3/5/1961",
    ):
        with subtests.test(typed=typed):
            assert listed(reception, q=typed) == []
    assert "Nothing found. Try fewer letters" in text(parse(reception.get(LIST, {"q": "Zmkth"})))
    # A caller's date of birth is not a day of this century.
    assert "on Wednesday 3 May 1961. We do not ask for dates of birth. Try fewer" in text(
        parse(reception.get(LIST, {"q": "3/5/1961"}))
    )


def test_a_day_finds_what_came_on_it_and_whose_appointment_it_is(reception, subtests):
    came, booked = consultation(email="a@cedars.example"), consultation(email="b@cedars.example")
    Enquiry.objects.filter(pk=came.pk).update(created_at=london(2026, 10, 1, 0, 5))
    book_past(booked, london(2026, 10, 1, 23, 30))
    for typed in (
        "1 October",
        "1st oct 2026",
        "1/10",
        "01/10/2026",
        "01.10.26",
        "2026-10-01",
        "Thursday, 1 October 2026",
    ):
        with subtests.test(typed=typed):
            assert set(find.find(typed, today=date(2026, 11, 29)).pks) == {came.pk, booked.pk}
    assert find.day_of("30 Dec", date(2027, 1, 4)) == date(2026, 12, 30), "The nearest, where no year is given."
    assert [find.day_of(typed, date(2026, 2, 1)) for typed in ("31/2/2026", "0/0", "40 May", "5 apples")] == [None] * 4
    assert find.day_of("1.2.26", date(2026, 1, 4)) == find.day_of("1/2/2026", date(2026, 1, 4)) == date(2026, 2, 1)
    assert find.day_of("29 Feb", date(2026, 1, 4)) is None, "No year around it has that day."
    assert "Received, or with an appointment, on Thursday 1 October 2026." in text(
        parse(reception.get(LIST, {"q": "1/10/2026"}))
    )


def test_a_fact_sheet_is_found_by_words_of_its_title(reception):
    about = report(FactSheet.objects.get(slug="posture-and-lifting"))
    report(FactSheet.objects.get(slug="long-term-pain"))
    assert listed(reception, q="posture lift") == [about.pk]


@pytest.mark.parametrize(
    "typed",
    [
        "ref",
        "reference ",
        "________",
        "9999999",
        "31/12/9999",
        "<a@",
        "mailto:",
        "@",
        "%",
        "' or 1=1 --",
        "x" * 5000,
        "12",
        "😀",
        "()",
        "~",
        "a@",
        "\x00",
        "1/1/1",
        "~ ~",
        "ﷺ",
    ],
)
def test_nothing_odd_breaks_the_search(reception, typed):
    consultation()
    assert reception.get(LIST, {"q": typed}).status_code == 200


def test_a_search_shows_no_more_than_so_many_and_says_so(reception, monkeypatch):
    many = [consultation(email=f"p{number}@cedars.example", name="Ann Onymous") for number in range(4)]
    monkeypatch.setattr(find, "MAX_FOUND", 3)
    assert set(listed(reception, q="onym")) == {each.pk for each in many[1:]}
    assert "Only the newest are shown. Type more to narrow it down." in text(parse(reception.get(LIST, {"q": "onym"})))


def test_what_is_stored_to_find_a_name_by_says_little_about_it(db):
    one, other = consultation(name="Mr Al Wu"), consultation(name="Dr Bartholomew Featherstonehaugh Cholmondeley")
    counts = [each.search_tokens.count() for each in (one, other)]
    assert all(count % blind_index.STEP == 0 for count in counts), counts
    kept = Counter(SearchToken.objects.values_list("key", flat=True))
    shared = {key for key, rows in kept.items() if rows > 1}
    # They share the address and the number of the tests alone.
    assert shared <= {*blind_index.digits("0018"), *blind_index.digits("460018")} | {
        key for length in range(3, 11) for key in blind_index.mailbox_begins("ada"[:length])
    } | set(blind_index.domain("example.com")) | set(blind_index.domain("example"))
    # A hash of one kind never matches another kind.
    assert not set(blind_index.mailbox_begins("ann")) & set(blind_index.begins_or_sounds("ann"))
    for title in ("mr", "dr"):
        assert not kept.keys() & set(blind_index.begins_or_sounds(title))


def test_two_words_within_two_edits_always_share_a_hash():
    """What the method rests on: every way to mistype a word in two letters, at each place in it."""
    stored = blind_index.stored(names=["Marchant"], email="", phone="")
    for typed in (
        "marchamt",
        "mxrchxnt",
        "archan",
        "marhcant",
        "amrchatn",
        "mmarchantt",
        "xxmarchant",
        "marchantxx",
        "rchant",
    ):
        assert stored & set(blind_index.nearly(typed)), typed
    assert not stored & set(blind_index.nearly("xyzchant"))


def test_enquiries_from_before_there_were_keys_are_found_after_an_upgrade(reception):
    enquiry = consultation()
    Enquiry.objects.update(email_key="", phone_key="")
    enquiry.search_tokens.all().delete()
    assert listed(reception, q="ada") == []
    assert intake.index_missing() == 1
    assert intake.index_missing() == 0
    for typed in ("ada", "ada@example.com", "020 7946 0018"):
        assert listed(reception, q=typed) == [enquiry.pk]


def test_one_that_is_erased_while_the_keys_are_made_gets_none(db, monkeypatch):
    enquiry = consultation()
    Enquiry.objects.update(email_key="", phone_key="")
    enquiry.search_tokens.all().delete()
    make = blind_index.email_key

    def just_before(address):
        erasure.erase(enquiry=enquiry, actor="patient")
        return make(address)

    monkeypatch.setattr(blind_index, "email_key", just_before)
    assert intake.index_missing() == 0
    enquiry.refresh_from_db()
    assert (enquiry.email_key, enquiry.phone_key, enquiry.search_tokens.count()) == ("", "", 0)
    assert timezone.now() > enquiry.erased_at
