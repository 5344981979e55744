"""The sealed pages of a patient's own request: each good for one verb, one request and half an hour, and sent twice done once."""

import threading

import pytest
from django.db import connection

from enquiries.actions import by_patient, triage
from enquiries.models import EnquiryEvent, Status
from enquiries.patient_portal import access
from tests.conftest import consultation
from tests.support.html import parse, sent, title
from tests.support.patient_portal import (
    SURE,
    VERBS,
    check,
    enter,
    form_at_button,
    half_an_hour_ago,
    path,
    press,
    said,
    snapshot,
    without_cookies,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.long
def test_a_seal_is_good_for_its_own_verb_on_its_own_request_only(asked):
    other = consultation(email="bob@example.com", description="Another ache.")
    pages = {verb: sent(form_at_button(check(asked, verb), SURE[verb])) for verb in VERBS}
    home = without_cookies(path(other), {"email": "bob@example.com"})
    theirs = sent(form_at_button(home, "Delete my details"))["pass"]
    before = snapshot()
    for mine in VERBS:
        for verb in VERBS:
            data = {"times-days": ["2"], "add-text": "Crossed.", f"{verb}-step": "send"}
            if mine != verb:
                response = without_cookies(
                    path(asked, verb), data | {key: pages[mine][key] for key in ("pass", "sealed")}
                )
                assert SURE[verb] in said(response), f"{mine} at {verb}"
        data |= {"sealed": pages[mine]["sealed"], "pass": theirs, f"{mine}-step": "send"}
        assert SURE[mine] in said(without_cookies(path(other, mine), data)), f"{mine} of another request"
        # A pass is no seal, and a seal no pass.
        swapped = {"sealed": pages[mine]["pass"], "pass": pages[mine]["pass"], f"{mine}-step": "send"}
        assert SURE[mine] in said(without_cookies(path(asked, mine), data | swapped))
        swapped = {"sealed": pages[mine]["sealed"], "pass": pages[mine]["sealed"], f"{mine}-step": "send"}
        assert "Your email address" in said(without_cookies(path(asked, mine), data | swapped))
    assert snapshot() == before


def test_a_pass_of_one_request_opens_no_other_one(asked):
    other = consultation(email="bob@example.com", description="Another ache.")
    mine = sent(form_at_button(enter(asked), "Delete my details"))["pass"]
    for verb in ("", *VERBS):
        assert "Confirm and open" in without_cookies(path(other, verb), {"pass": mine}).content.decode()


def test_after_half_an_hour_the_address_is_asked_again_and_what_was_typed_comes_along(asked):
    with half_an_hour_ago():
        old = access.new_pass(asked)
    form = press(enter(asked), "Add something")
    again = press(form, "Continue", **{"add-text": "I am away.\nOn Monday.", "pass": old})
    assert "a page stays open for only 30 minutes" in said(again)
    wrong = press(again, "Confirm and open", email="eve@example.com")
    assert wrong.status_code == 422
    let_in = press(wrong, "Confirm and open", email="ada@example.com")
    assert "Check what you are adding" in said(let_in)
    press(let_in, "Send it")
    assert by_patient.added(asked).get().note == "I am away.\nOn Monday."


@pytest.mark.parametrize("verb", VERBS)
def test_a_seal_of_31_minutes_ago_asks_once_more_and_changes_nothing(asked, verb):
    with half_an_hour_ago():
        old = access.sign(verb, asked)
    page = check(asked, verb)
    before = snapshot()
    assert SURE[verb] in said(press(page, SURE[verb], sealed=old))
    assert snapshot() == before


@pytest.mark.parametrize("verb", VERBS)
def test_staff_who_changed_it_in_the_meantime_bring_a_kind_page_and_nothing_typed_is_lost(asked, staff, verb):
    page = check(asked, verb)
    triage.triage(enquiry=asked, by=staff, to=Status.IN_PROGRESS)
    before = snapshot()
    stale = press(page, SURE[verb])
    assert (stale.status_code, title(parse(stale)).partition(" –")[0]) == (409, "Something changed in the meantime")
    assert "You did nothing wrong" in said(stale)
    assert snapshot() == before
    again = press(stale, "Check it again, then continue")
    assert SURE[verb] in said(again)
    press(again, SURE[verb])
    asked.refresh_from_db()
    assert asked.events.filter(kind__in=["times", "added", "withdrawn"], actor="patient").count() == 1
    assert bool(asked.erased_at) == (verb == "erase")


@pytest.mark.parametrize("verb", ["times", "add", "withdraw"])
def test_what_staff_closed_in_the_meantime_is_left_as_it_is(asked, staff, verb):
    page = check(asked, verb)
    form = enter(asked)
    triage.triage(enquiry=asked, by=staff, to=Status.CLOSED, outcome="answered")
    before = snapshot()
    stale = press(page, SURE[verb])
    assert stale.status_code == 409
    assert "You can no longer do this" in said(stale)
    assert "We have closed it" in said(press(stale, "See what we have now"))
    if verb == "withdraw":
        assert press(form, "Withdraw my").status_code == 409
    assert snapshot() == before


@pytest.mark.parametrize("verb", VERBS)
def test_sent_twice_is_done_once_and_both_answers_say_so(asked, verb):
    page = check(asked, verb)
    first, count = press(page, SURE[verb]), EnquiryEvent.objects.count()
    second = press(page, SURE[verb])
    assert EnquiryEvent.objects.count() == count
    assert first.status_code == second.status_code
    assert first.get("Location") == second.get("Location")
    if verb != "erase":
        assert title(parse(first)) == title(parse(second))


def test_pressed_in_two_browsers_at_once_it_is_added_once(transactional_db):
    asked = consultation()
    page = check(asked, "add")
    answers = []

    def send():
        try:
            answers.append(press(page, "Send it").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 4
    assert by_patient.added(asked).count() == 1
