"""Two enquiries that are one request: linking them, what happens to each, and undoing it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from enquiries.actions import appointments, contact, erasure, triage
from enquiries.actions.outbox import lock_enquiry
from enquiries.models import Enquiry, EventKind, Outcome, Status
from tests.conftest import consultation, give_signs
from tests.support.desk import person
from tests.support.html import text, tree
from tests.support.outbox import question


@pytest.fixture
def rita(db):
    return person("Rita", "reception")


@pytest.fixture
def pair(db):
    return question(), consultation()


def fresh(enquiry) -> Enquiry:
    return Enquiry.objects.get(pk=enquiry.pk)


def page_of(enquiry) -> str:
    return reverse("admin:enquiries_enquiry_same_as", args=[enquiry.pk])


def send(client, enquiry, reference: str, version: int | None = None):
    version = fresh(enquiry).version if version is None else version
    return client.post(page_of(enquiry), {"reference": reference, "version": version}, follow=True)


def told(enquiry) -> list[str]:
    return list(enquiry.events.filter(kind=EventKind.LINKED).values_list("summary", flat=True))


@pytest.mark.long
def test_an_enquiry_of_the_same_person_is_compared_linked_and_closed(client, rita, pair):
    again, main = pair
    client.force_login(rita)
    opened = client.get(again.get_admin_url())
    [button] = [
        each for each in tree(opened).iter("button") if text(each) == f"Mark as a duplicate of {main.reference}"
    ]
    pressed = client.post(button.get("formaction"), {button.get("name"): button.get("value")}, follow=True)
    compared = text(tree(pressed))
    assert "Will be closed" in compared and main.reference in compared
    assert "Neither the email address" not in compared
    assert fresh(again).status == Status.NEW, "Looking changes nothing."
    after = send(client, again, main.reference)
    assert f"{again.reference} closed as a duplicate of {main.reference}." in text(tree(after))
    assert "Duplicates of this enquiry" in text(tree(after))
    again = fresh(again)
    assert (again.status, again.outcome, again.same_as) == (Status.CLOSED, Outcome.DUPLICATE, main)
    assert told(again) == [f"Duplicate of {main.reference}"]
    assert told(main) == [f"{again.reference} is a duplicate of this"]
    assert again.events.filter(kind=EventKind.MOVED, to_status=Status.CLOSED, by=rita).count() == 1
    assert fresh(main).status == Status.NEW
    assert f"Duplicate of {main.reference}" in text(tree(client.get(again.get_admin_url())))


def test_it_can_be_taken_back_and_that_is_written_on_both(client, rita, pair):
    again, main = pair
    triage.link(enquiry=again, main=main, by=rita)
    client.force_login(rita)
    another = reverse("admin:enquiries_enquiry_another", args=[again.pk])
    assert client.get(another).status_code == 405
    after = client.post(another, {"version": fresh(again).version}, follow=True)
    assert "No longer marked as a duplicate" in text(tree(after))
    again = fresh(again)
    assert (again.status, again.outcome, again.same_as) == (Status.IN_PROGRESS, "", None)
    assert told(again)[-1] == f"No longer a duplicate of {main.reference}"
    assert told(main)[-1] == f"{again.reference} is no longer a duplicate of this"
    twice = client.post(another, {"version": again.version}, follow=True)
    assert "It is not marked as a duplicate." in text(tree(twice))


def test_whoever_opens_a_linked_one_again_unlinks_it(rita, pair):
    again, main = pair
    triage.link(enquiry=again, main=main, by=rita)
    triage.triage(enquiry=again, by=rita, to=Status.IN_PROGRESS)
    assert fresh(again).same_as is None
    assert told(main)[-1] == f"{again.reference} is no longer a duplicate of this"


def test_a_link_to_a_linked_one_goes_to_its_main_one_and_takes_others_along(rita, pair):
    first, second = pair
    third, fourth = question(email="3@example.com"), question(email="4@example.com")
    triage.link(enquiry=first, main=second, by=rita)
    assert triage.link(enquiry=third, main=first, by=rita) == second
    assert fresh(third).same_as == second
    triage.link(enquiry=second, main=fourth, by=rita)
    assert {fresh(each).same_as for each in (first, second, third)} == {fourth}
    assert not Enquiry.objects.filter(same_as__same_as__isnull=False).exists(), "A chain."


def test_there_are_no_circles(rita, pair):
    again, main = pair
    triage.link(enquiry=again, main=main, by=rita)
    for enquiry, to in ((again, again), (main, main), (main, again)):
        with pytest.raises(triage.MoveRefused, match=r"this enquiry, or one already linked|already marked"):
            triage.link(enquiry=enquiry, main=to, by=rita)
    with pytest.raises(triage.MoveRefused, match="already marked as a duplicate"):
        triage.link(enquiry=again, main=main, by=rita)
    assert fresh(main).same_as is None


def test_a_flagged_one_is_not_closed_this_way_until_somebody_has_acted(client, rita, pair):
    again, main = pair
    give_signs(Enquiry.objects.filter(pk=again.pk))
    client.force_login(rita)
    refused = send(client, again, main.reference)
    assert refused.status_code == 422
    assert "Record what you did about the warning sign first." in text(tree(refused))
    assert (fresh(again).status, fresh(again).same_as) == (Status.NEW, None)
    assert not told(main)
    contact.act_on_safety(enquiry=again, by=rita, note="Rang. All is well.")
    triage.link(enquiry=again, main=main, by=rita)
    assert fresh(again).same_as == main


@pytest.mark.parametrize("which", [0, 1])
def test_spam_and_erased_ones_are_left_alone(rita, pair, which):
    triage.triage(enquiry=pair[which], by=rita, to=Status.SPAM)
    with pytest.raises(triage.MoveRefused, match="spam"):
        triage.link(enquiry=pair[0], main=pair[1], by=rita)
    triage.triage(enquiry=pair[which], by=rita, to=Status.NEW)
    erasure.erase(enquiry=pair[which], actor="retention")
    with pytest.raises(triage.MoveRefused, match="erased"):
        triage.link(enquiry=pair[0], main=pair[1], by=rita)


def test_a_page_from_before_somebody_elses_change_links_nothing(client, rita, pair):
    again, main = pair
    client.force_login(rita)
    refused = send(client, again, main.reference, version=again.version - 1)
    assert refused.status_code == 422
    assert "changed this enquiry while you were writing" in text(tree(refused))
    assert fresh(again).same_as is None
    assert send(client, again, main.reference, version="x").status_code == 422


def test_the_main_one_keeps_the_earlier_promise(rita, pair):
    again, main = pair
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=9)
    Enquiry.objects.filter(pk=again.pk).update(reply_by=soon)
    Enquiry.objects.filter(pk=main.pk).update(reply_by=later)
    triage.link(enquiry=again, main=main, by=rita)
    assert fresh(main).reply_by == soon


def test_one_that_is_closed_already_only_points(rita, pair):
    again, main = pair
    triage.triage(enquiry=again, by=rita, to=Status.CLOSED, outcome=Outcome.ANSWERED)
    moves = again.events.filter(kind=EventKind.MOVED).count()
    triage.link(enquiry=again, main=main, by=rita)
    assert (fresh(again).outcome, fresh(again).same_as) == (Outcome.DUPLICATE, main)
    assert again.events.filter(kind=EventKind.MOVED).count() == moves


def test_strangers_and_closed_ones_are_pointed_out_before_it_is_done(client, rita, pair):
    stranger = question(email="other@example.com")
    triage.triage(enquiry=stranger, by=rita, to=Status.CLOSED, outcome="answered")
    client.force_login(rita)
    compared = text(tree(client.get(page_of(pair[0]), {"reference": stranger.reference.lower().replace("-", " ")})))
    assert "Neither the email address nor the phone number is the same." in compared
    assert f"{stranger.reference} is closed." in compared
    unknown = client.get(page_of(pair[0]), {"reference": "BCDF-GHJK"})
    assert unknown.status_code == 422
    assert "No enquiry has this reference." in text(tree(unknown))
    itself = client.get(page_of(pair[0]), {"reference": pair[0].reference})
    assert "That is this enquiry" in text(tree(itself))


def test_two_who_link_them_the_other_way_round_make_no_circle(transactional_db):
    """Both at the same moment, each in its own thread with its own connection."""
    rita, sam = person("Rita", "reception"), person("Sam", "clinician")
    one, other = question(), consultation()
    start, said = threading.Barrier(2), []

    def link(enquiry, main, by):
        start.wait()
        try:
            triage.link(enquiry=enquiry, main=main, by=by)
            said.append("linked")
        except triage.MoveRefused as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=link, args=each) for each in ((one, other, rita), (other, one, sam))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(said)[-1] == "linked" and len(said) == 2
    assert sum(each.same_as_id is not None for each in Enquiry.objects.all()) == 1


def test_linking_waits_for_who_has_a_linked_one_in_hand_and_locks_nobody_out(transactional_db):
    staff, main = person("Rita", "reception"), consultation()
    first, again = sorted((question(email=f"{n}@example.com") for n in range(2)), key=lambda each: each.pk)
    triage.link(enquiry=first, main=again, by=staff)
    held = threading.Event()
    done = []

    def erase():
        with transaction.atomic():
            lock_enquiry(first)
            held.set()
            time.sleep(0.5)
            done.append(lock_enquiry(again).pk)
        connection.close()

    other = threading.Thread(target=erase)
    other.start()
    held.wait(10)
    triage.link(enquiry=again, main=main, by=staff)
    other.join(20)
    assert done == [again.pk]
    assert fresh(first).same_as == fresh(again).same_as == main


def test_the_question_before_a_bulk_change_names_what_stays_and_why(client, rita, pair):
    flagged, ready = pair
    give_signs(Enquiry.objects.filter(pk=flagged.pk))
    booked = question(email="5@example.com")
    appointments.book(enquiry=booked, by=rita, at=timezone.now() + timedelta(days=2), channel="phone")
    client.force_login(rita)
    ticked = [str(each.pk) for each in (flagged, ready, booked)]
    listed = reverse("admin:enquiries_enquiry_changelist")
    asked = client.post(listed, {"action": "mark_as_spam", "_selected_action": ticked})
    lines = {text(each)[:9]: text(each) for each in tree(asked).iter("li")}
    assert "will not be changed. This may be an emergency." in lines[flagged.reference]
    assert "will not be changed. You cannot move an enquiry from “booked” to “spam”." in lines[booked.reference]
    assert "will not" not in lines[ready.reference]
    client.post(listed, {"action": "mark_as_spam", "_selected_action": ticked, "sure": "yes"})
    assert [fresh(each).status for each in (flagged, ready, booked)] == [Status.NEW, Status.SPAM, Status.BOOKED]
