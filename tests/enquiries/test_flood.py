"""A flood hides no patient, silences no patient, and fills no disk: each attack in small, through the site's own addresses."""

import base64
from datetime import timedelta
from random import Random

import pytest
from django.test import Client
from django.utils import timezone

from backcare.core import blind_index, limits
from backcare.core.models import Limit
from backcare.ops import health
from enquiries import abuse, flood
from enquiries.actions import by_patient, contact, erasure, intake, triage
from enquiries.models import Enquiry, EventKind, FloodMark, OutgoingMessage, Purpose, Status
from enquiries.models.enquiry import FLAGGED
from tests.support.consultation_form import follow
from tests.support.desk import values_of
from tests.support.forms import form, seal
from tests.support.html import form_at, parse, sent, text, tree
from tests.support.outbox import deliver
from tests.support.senders import REFUSED, ask, from_place, latest

NUMB = "My saddle area is numb and I cannot feel when I pass urine"
WORDS = [
    "garden",
    "kitchen",
    "bicycle",
    "river",
    "window",
    "letter",
    "morning",
    "ladder",
    "engine",
    "pillow",
    "market",
    "stone",
]
INBOX = "/admin/enquiries/enquiry/"


def noise(number: int) -> str:
    return " ".join(Random(number).sample(WORDS, 9))  # noqa: S311 - the same words in every run


def warn(client: Client, number: int, *, words: str = NUMB, **changes) -> Enquiry:
    """A question with a warning sign, as a browser sends it: the card has been seen."""
    typed = {"email": f"warned{number}@example.com", "description": words} | changes
    card = follow(client, client.post("/question/", form("question", **typed)))
    codes = sent(form_at(parse(card), "/question/"))["question-seen_signs"]
    answer = ask("question", client, **typed, seen_signs=codes)
    assert answer.status_code == 303, text(parse(answer))[:300]
    kept = latest()
    assert kept.safety_signs
    return kept


def alarms() -> int:
    return OutgoingMessage.objects.filter(purpose=Purpose.CLINIC_ALERT, urgent=True).count()


def rows_of(desk: Client, address: str) -> list[str]:
    return [text(row) for row in tree(desk.get(address)).iterfind(".//table[@id='result_list']/tbody/tr")]


# --- one sender cannot bury the safety queue ---


def test_a_fold_stands_below_first_contacts_and_shows_its_next_when_its_first_is_dealt_with(db, staff, staff_client):
    noisy = from_place(1)
    folded = [warn(noisy, number, name=f"Noise {number}") for number in range(6)][3:]
    assert ask("question", from_place(2), name="Waits Patiently").status_code == 303
    listed = rows_of(staff_client, f"{INBOX}?queue=open")
    assert len(listed) == 5
    assert "Waits Patiently" in listed[3] and "2 more like this" in listed[4]
    contact.act_on_safety(enquiry=folded[0], by=staff, note="Phoned the number: a prank.")
    listed = rows_of(staff_client, f"{INBOX}?queue=safety")
    assert folded[1].reference in listed[-1] and "1 more like this" in listed[-1]
    assert alarms() == 4
    for each in folded[1:]:
        contact.act_on_safety(enquiry=each, by=staff, note="The same.")
    warn(noisy, 77, name="Again")
    assert alarms() == 5, "Staff had dealt with the fold: whoever comes after is news."


def settle(desk: Client, page, **typed):
    shown = values_of(page)
    return desk.post(page.request["PATH_INFO"], shown | typed)


@pytest.mark.both
@pytest.mark.long
def test_a_fold_is_settled_in_one_step_but_for_what_somebody_took_or_what_came_meanwhile(db, reception, staff):
    noisy = from_place(1)
    folded = [warn(noisy, number, name=f"Noise {number}") for number in range(8)][3:]
    taken = folded[2]
    triage.triage(enquiry=taken, by=staff, owner=staff, change_owner=True)
    fold = f"{INBOX}fold/{folded[0].flood_id}/"
    assert "Record one outcome for all 4" in text(tree(reception.get(f"{INBOX}?flood={folded[0].flood_id}")))
    page = reception.get(fold)
    assert taken.reference in text(tree(page)).partition("Someone has taken or called these")[2]
    assert "Numb" not in page.content.decode() and "saddle" not in page.content.decode()
    late = warn(noisy, 8)
    for typed, why in (
        ({"outcome": "not_patients", "reason": "  "}, "Say how you know"),
        ({"reason": "All from one form filler."}, "Choose what you did"),
        ({"outcome": "imagined", "reason": "All from one form filler."}, "Select a valid choice"),
    ):
        refused = settle(reception, page, **typed)
        assert refused.status_code == 422 and why in text(tree(refused))
        assert values_of(refused)["reason"].strip() == typed["reason"].strip(), "What was typed is lost."
    contact.log_call(enquiry=folded[3], by=staff, result=contact.CallResult.NO_ANSWER)
    given = {"outcome": "not_patients", "reason": "Same words and number; <b>hung up</b>."}
    refused = settle(reception, page, **given)
    assert refused.status_code == 422 and "This list changed while you were reading" in text(tree(refused))
    assert values_of(refused)["reason"] == given["reason"]
    assert Enquiry.objects.filter(flood=folded[0].flood_id, safety_acted_at=None, folded=True).count() == 6
    later = warn(noisy, 9)
    done = settle(reception, refused, **given)
    assert done.status_code == 302
    settled = Enquiry.objects.filter(status=Status.SPAM)
    assert {each.pk for each in settled} == {folded[0].pk, folded[1].pk, folded[4].pk, late.pk}
    for each in settled:
        [event] = each.events.filter(kind=EventKind.SAFETY)
        assert event.summary == "One sender, not patients: no one to advise. 4 settled in one step"
        assert (event.note, event.actor) == (given["reason"], "Rita")
        assert [event.kind for event in each.events.all()][-2:] == [EventKind.SAFETY, EventKind.MOVED]
        assert not each.live and each.closed_at and each.version == 2
    still = Enquiry.objects.filter(FLAGGED, folded=True)
    assert {each.pk for each in still} == {taken.pk, folded[3].pk, later.pk}
    assert "1 more arrived while you were reading" in text(tree(reception.get(done["Location"])))
    assert settle(reception, refused, **given).status_code == 422, "Pressed twice, recorded twice."
    assert settled.count() == 4


@pytest.mark.parametrize(("outcome", "to"), [("repeats", Status.CLOSED), ("no_sign", Status.NEW)])
def test_what_a_fold_was_settled_with_says_where_it_goes(db, staff, outcome, to):
    folded = [warn(from_place(1), number, name=f"Noise {number}") for number in range(5)][3:]
    by_patient.withdraw(enquiry=folded[0], version=folded[0].version)
    said = {"outcome": outcome, "reason": "Phoned.", "last": folded[1].pk, "number": 2}
    assert len(triage.settle_fold(flood=folded[0].flood_id, by=staff, **said)) == 2
    statuses = [Enquiry.objects.get(pk=each.pk).status for each in folded]
    assert statuses == [Status.CLOSED, to], "One that was withdrawn is closed already."
    assert not Enquiry.objects.filter(FLAGGED, folded=True).exists()


@pytest.mark.parametrize("by", ["mailbox", "words"])
def test_one_mailbox_or_one_wording_from_everywhere_folds_and_a_second_request_of_a_family_does_not(db, by):
    for number in range(8):
        typed = {
            "email": f"vic.tim+{number}@gmail.com",
            "words": f"{noise(number)}. {NUMB}",
        }
        if by == "words":
            typed = {"words": f"{NUMB}, it hurts so much and began on day {number} {'!' * number}"}
        warn(from_place(number), number, name=f"N {number}", **typed)
        assert Enquiry.objects.filter(folded=True).count() == max(0, number - 2)
    family = [
        warn(from_place(200), 300 + number, words=words)
        for number, words in enumerate(
            ("Dad wet himself and his legs are numb today", "Now he has lost control of his bowels as well")
        )
    ]
    assert not any(each.folded or each.flood_id for each in family)


def test_the_marks_of_a_flood_hold_no_word_and_no_address_and_are_gone_after_an_hour(db):
    warn(Client(REMOTE_ADDR="2001:db8:77:1::9"), 1)
    marks = FloodMark.objects.all()
    assert marks.count() == 3 + 1 + flood.BANDS
    assert all(len(each.key) == 64 and each.until <= timezone.now() + flood.WITHIN for each in marks)
    erasure.purge(now=timezone.now() + timedelta(minutes=61))
    assert not FloodMark.objects.exists()


def test_wording_is_alike_in_another_order_and_with_other_numbers_and_otherwise_is_not(settings):
    """How often two texts share a mark is a matter of the key, so that of some keys, always the same, most must find it."""
    keys = [f"{1 + number}:{base64.b64encode(bytes([number] * 32)).decode()}" for number in range(60)]

    def alike(one: str, other: str) -> int:
        found = 0
        for key in keys:
            settings.FIELD_ENCRYPTION_KEYS = [key]
            found += bool(set(flood._of_wording([one])) & set(flood._of_wording([other])))
        return found

    assert alike(NUMB, " ".join(reversed(NUMB.upper().split())) + " 12345") == len(keys)
    assert alike(NUMB + " please call", NUMB) > 0.85 * len(keys)
    assert alike(NUMB, "Both legs are weak since this morning and walking is hard") < 0.1 * len(keys)
    assert flood._of_wording(["", "12 ?!"]) == []


# --- the page that checks ---


def test_a_seal_is_good_for_its_own_words_once_and_for_a_day_and_nothing_is_lost(db):
    typed = form("question")
    good = typed["question-seal"]
    for spoilt in (
        typed | {"question-description": "Quite another question"},
        typed | {"question-seal": seal("question", typed, seconds_ago=25 * 3600)},
    ):
        answer = Client().post("/question/", spoilt)
        assert answer.status_code == 200
        assert sent(form_at(parse(answer), "/question/"))["question-description"] == [spoilt["question-description"]]
    assert not Enquiry.objects.exists()
    assert Client().post("/question/", typed).status_code == 303
    assert Client().post("/question/", typed).status_code == 303, "A second click."
    assert Enquiry.objects.count() == 1
    Enquiry.objects.update(created_at=timezone.now() - intake.SAME_FORM_WITHIN)
    again = Client().post("/question/", typed)
    assert again.status_code == 200, "One page sent two requests."
    fresh = sent(form_at(parse(again), "/question/"))
    assert fresh["question-description"] == ["May I swim?"]
    assert fresh["question-seal"] != [good]
    Enquiry.objects.update(submission_key="x" * 64)
    assert Client().post("/question/", fresh | {"question-step": "send"}).status_code == 303
    assert Enquiry.objects.count() == 2


# --- a flood does not silence the honest ---


@pytest.mark.long
def test_a_flood_of_few_senders_leaves_a_third_for_those_who_come_first_and_the_rest_is_held_back_and_released_as_one(
    db, settings, mail_through, staff_client
):
    settings.MAX_FORMS_PER_HOUR = 12
    for number in range(20):
        ask("question", from_place(number % 4), email=f"f{number}@example.com", description=f"Flood {number}")
    held = Enquiry.objects.filter(status=Status.HELD)
    assert (Enquiry.objects.filter(status=Status.NEW).count(), held.count()) == (8, 12)
    for number in range(5):
        page = ask("question", from_place(100 + number), email=f"h{number}@example.com", name=f"Honest {number}")
    assert Enquiry.objects.filter(status=Status.NEW).count() == 12, "No share was kept."
    said = text(next(parse(Client().get(page["Location"])).iter("main")))
    for words in ("We have your question", "We are very busy right now", "please phone us: 020 7946 0958"):
        assert words in said
    assert "We will reply" not in said and "We will email you to confirm" not in said
    deliver()
    before = len(mail_through.received)
    listed = rows_of(staff_client, f"{INBOX}?queue=held")
    assert len(listed) == 13
    assert "Honest 4" in listed[0], "The first of its sender is the likeliest."
    assert staff_client.post(f"{INBOX}release-held/").status_code == 302
    assert not held.exists()
    kept = Enquiry.objects.get(email_key=blind_index.email_key("h4@example.com"))
    assert kept.reply_by > timezone.now() and kept.quarantine_reason == ""
    said = text(next(parse(Client().get(page["Location"])).iter("main")))
    assert "We will reply" in said and "We will email you to confirm" in said
    deliver()
    assert len(mail_through.received) == before + 13
    assert ["h4@example.com"] in mail_through.recipients
    staff_client.post(f"{INBOX}release-held/")
    assert deliver() == 0


@pytest.mark.long
def test_networks_of_ipv6_are_counted_with_larger_allowances(db, settings):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = 1
    codes = [
        ask(client=Client(REMOTE_ADDR=f"2001:db8:0:{number:x}::1"), email=f"v{number}@example.com").status_code
        for number in range(6)
    ]
    assert codes == 4 * [303] + 2 * [REFUSED], "Four times as much from a network of 56 bits."
    for number in range(12):
        place = Client(REMOTE_ADDR=f"2001:db8:0:{number + 1:x}00::1")
        assert ask(client=place, email=f"w{number}@example.com").status_code == 303
    assert ask(client=Client(REMOTE_ADDR="2001:db8:0:ff00::1"), email="x@example.com").status_code == REFUSED
    assert ask(client=Client(REMOTE_ADDR="2001:db8:1::1"), email="y@example.com").status_code == 303


# --- nobody fills the disk ---


def test_beyond_the_hard_stop_nothing_is_written_and_nothing_typed_is_lost(db, settings):
    kind = "consultation"
    settings.MAX_FORMS_PER_SENDER_BEFORE_REFUSAL = 4
    noisy = from_place(1)
    codes = [ask(kind, noisy, email=f"n{number}@example.com").status_code for number in range(6)]
    assert codes == 4 * [303] + 2 * [REFUSED]
    assert Enquiry.objects.count() == 4
    rows = Limit.objects.count()
    refused = ask(kind, noisy, email="last@example.com", description="A long <story>")
    assert (refused.status_code, Enquiry.objects.count(), Limit.objects.count()) == (REFUSED, 4, rows)
    assert 0 < int(refused["Retry-After"]) <= 4200
    page = parse(refused)
    said = text(next(page.iter("main")))
    assert "Nothing was saved" in said and "020 7946 0958" in said
    assert said.count("Call 999 or go to A&E now if") == 1, "The emergency card."
    assert text(next(page.iter("h1"))) == "We cannot take your request just now"
    assert f"You can try again {limits.in_words(int(refused['Retry-After']))}." in said
    assert "If you send this now" not in said, "It would be a promise that the page has just taken back."
    assert sent(form_at(page, f"/{kind}/"))[f"{kind}-description"] == ["A long <story>"]
    assert warn(noisy, 5).status == Status.NEW, "A warning sign is taken beyond the stop."
    assert ask(kind, from_place(2)).status_code == 303


def test_beyond_the_budget_of_what_is_set_aside_only_those_who_come_first_are_kept(db, settings):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR, settings.MAX_SET_ASIDE = 1, 2
    noisy = from_place(1)
    codes = [ask("question", noisy, email=f"n{number}@example.com").status_code for number in range(5)]
    assert codes == [303, 303, 303, REFUSED, REFUSED]
    settings.MAX_FORMS_PER_HOUR = 1
    assert ask("question", from_place(2)).status_code == 303
    assert latest().status == Status.HELD


def test_on_a_low_disk_only_what_comes_first_from_its_sender_is_written(db, settings):
    ask("question", from_place(1))
    settings.MIN_DISK_MB = 10**9
    assert health.disk(timezone.now()).word == "low"
    refused = ask("question", from_place(1), description="And may I run?")
    assert refused.status_code == REFUSED
    assert "We cannot save what you sent just now" in text(parse(refused))
    assert ask("question", from_place(2), description="May I ride a bicycle?").status_code == 303
    assert warn(from_place(2), 1).status == Status.NEW
    assert Enquiry.objects.count() == 3


def test_a_thing_is_used_once_across_names_and_may_be_forgotten_after_its_time(db):
    soon = timezone.now() + timedelta(hours=1)
    assert limits.once("a", "x", until=soon)
    assert not limits.once("a", "x", until=soon)
    assert limits.once("b", "x", until=soon)
    limits.add([("c", "x", abuse.HOUR), ("d", "y", abuse.DAY)])
    limits.add([("c", "x", abuse.HOUR)])
    each = [("d", "y", abuse.DAY), ("c", "x", abuse.HOUR), ("c", "y", abuse.HOUR)]
    assert limits.tallies(each) == [1, 2, 0]
