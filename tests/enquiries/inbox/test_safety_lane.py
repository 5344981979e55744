"""A person with a warning sign is called within minutes, told what to do, recorded once, and stays known as flagged."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enquiries import clock
from enquiries.actions import by_patient, contact, erasure, intake, triage
from enquiries.assessment import handover
from enquiries.assessment.flags import flags
from enquiries.assessment.result import played_back, shown
from enquiries.inbox import calls, safety_lane
from enquiries.models import ClinicHours, Enquiry, EventKind, MessageState, OpeningHours, Purpose, slot_bit
from factsheets.models import SafetyAdvice
from tests.conftest import consultation, give_signs
from tests.support.assessment import answers
from tests.support.clock import london
from tests.support.desk import at_the_desk, person, save
from tests.support.html import parse, text, tree
from tests.support.inbox import LIST, flagged, listed, step
from tests.support.outbox import deliver, text_of


def page_of(client, enquiry) -> str:
    return text(parse(client.get(enquiry.get_admin_url())))


def fresh(enquiry) -> Enquiry:
    return Enquiry.objects.get(pk=enquiry.pk)


# --- when to call again ---


@pytest.mark.parametrize(
    ("failed", "at", "again"),
    [
        (1, (10, 0), (10, 10)),
        (2, (10, 10), (10, 30)),
        (3, (10, 30), (11, 0)),
        (9, (12, 0), (12, 30)),
        (3, (16, 45), (17, 0)),  # while somebody is still there
        (1, (16, 57), (17, 7)),  # too near closing time to be another try
        (1, (20, 0), (20, 10)),  # somebody who is calling at night is at their desk
    ],
)
def test_a_flagged_call_is_tried_again_in_minutes(db, failed, at, again):
    OpeningHours.objects.all().delete()
    OpeningHours.objects.create(clinic=ClinicHours.objects.get(), weekday=0, opens="09:00", closes="17:00")
    after = london(2027, 2, 1, *at)  # a Monday
    assert calls.next_try_flagged(failed, after=after, hours=clock.load().hours) == london(2027, 2, 1, *again)


@pytest.mark.long
def test_no_answer_brings_it_back_in_minutes_and_never_in_their_best_time(reception, monkeypatch):
    enquiry = flagged()
    Enquiry.objects.filter(pk=enquiry.pk).update(call_slots=slot_bit(2, 1))  # Wednesday afternoon
    at_the_desk(monkeypatch, reception, london(2027, 2, 1, 10))  # a Monday
    assert listed(reception, queue="call") == [enquiry.pk]
    said = text(parse(step(reception, enquiry, "call", result="no_answer")))
    assert "It stays in the safety queue. Try again at 10:10am today." in said
    assert fresh(enquiry).next_call_at == london(2027, 2, 1, 10, 10)
    assert listed(reception, queue="safety") == [enquiry.pk]
    assert listed(reception, queue="call") == []
    at_the_desk(monkeypatch, reception, london(2027, 2, 1, 10, 12))
    assert listed(reception, queue="call") == [enquiry.pk]
    step(reception, enquiry, "call", result="voicemail")
    assert fresh(enquiry).next_call_at == london(2027, 2, 1, 10, 32)
    # The patient chooses other times meanwhile: this call waits for none of them.
    by_patient.change_times(enquiry=enquiry, call_slots=slot_bit(4, 0), best_time="", version=fresh(enquiry).version)
    assert fresh(enquiry).next_call_at == london(2027, 2, 1, 10, 32)
    at_the_desk(monkeypatch, reception, london(2027, 2, 2, 9))
    assert listed(reception) == [enquiry.pk]
    step(reception, enquiry, "call", result="no_answer")
    assert fresh(enquiry).next_call_at == london(2027, 2, 2, 9, 10), "A new morning starts with short gaps."


def test_a_sign_added_later_is_to_be_called_about_at_once(reception, staff):
    enquiry = consultation()
    contact.log_call(enquiry=enquiry, by=staff, result="no_answer")
    asked = fresh(enquiry)
    by_patient.add_detail(enquiry=asked, text="My bottom is numb now.", safety_signs="RF-E1", version=asked.version)
    assert fresh(enquiry).next_call_at is None
    assert "Possible emergency: call now" in page_of(reception, enquiry)


# --- what comes before the call ---


@pytest.mark.long
def test_the_page_says_what_to_ask_and_say_and_what_if_nobody_answers(reception):
    enquiry = flagged(description="My bottom is numb.")
    Enquiry.objects.filter(pk=enquiry.pk).update(may_leave_voicemail=False)
    other = consultation(phone="+442079460099", description="Earlier.")
    sign = SafetyAdvice.objects.get(code="RF-E1")
    page = page_of(reception, enquiry)
    top = page[: page.index("Next step")]
    for words in (
        "Possible emergency: call now",
        "020 7946 0018",
        "Do not leave a voicemail.",
        sign.text,
        "Call 999 or go to A&E now",
        "Do not drive yourself",
        "Tell a clinician",
        "welfare check",
        "020 7946 0099",
        other.reference,
    ):
        assert words in top, words
    assert "My bottom is numb." not in page, "Reception opens the words knowingly."
    reception.post(f"{enquiry.get_admin_url().removesuffix('change/')}words/")
    page = page_of(reception, enquiry)
    assert "My bottom is numb." in page[: page.index("Next step")]
    assert enquiry.events.filter(kind=EventKind.READ).count() == 1


@pytest.mark.parametrize(
    ("signs", "says", "never"),
    [
        ("RF-E1 RF-U4", "Do not drive yourself", "You must be seen the same day"),
        ("RF-U1", "Ask for an urgent GP appointment or call 111 today.", "999"),
        ("RF-R3", "116 123", "A&E now."),
        ("RF-R3 RF-E1", "116 123", "nothing"),
        ("RF-GONE", "Call 999 or go to A&E now.", "111"),
    ],
)
@pytest.mark.once
def test_the_script_is_of_the_gravest_tier(db, signs, says, never):
    enquiry = flagged()
    enquiry.safety_signs = signs
    script = safety_lane.script(enquiry)
    said = " ".join([*script.say, *script.crisis_lines])
    assert says in said
    assert never not in said
    assert ("Are you safe at the moment?" in script.ask) == ("RF-R3" in signs)


@pytest.mark.long
def test_who_cannot_be_reached_can_be_sent_the_advice_of_the_tier(reception, mail_through):
    enquiry = flagged()
    deliver()
    give_signs(Enquiry.objects.filter(pk=enquiry.pk), "RF-U1 RF-R3")
    step(reception, enquiry, "call", result="no_answer")
    page = step(reception, enquiry, "reply", insert="safety")
    [ready] = [each for each in parse(page).iter("textarea") if each.get("name") == "reply-text"]
    words = "".join(ready.itertext())
    assert "could not reach you" in words and "call 111 today" in words and "116 123" in words
    assert "Send now" not in text(parse(page)), "What goes to somebody with a warning sign is read once more."
    preview = step(reception, enquiry, "reply", text=words, send="yes")
    assert "Nothing has been sent yet. Read it once more" in text(parse(preview))
    assert not enquiry.messages.filter(purpose="reply").exists()
    shown_there = {each.get("name"): each.get("value") for each in parse(preview).iter("input")}
    step(reception, enquiry, "reply", text=words, previewed=shown_there["previewed"], send="yes")
    deliver()
    assert "call 111 today" in text_of(mail_through.messages[-1])
    assert fresh(enquiry).is_flagged, "A mail is no answer."


def test_without_a_number_it_says_to_act_by_email(reception):
    enquiry = flagged(phone="")
    page = page_of(reception, enquiry)
    assert "Possible emergency: act now" in page and "They gave no phone number." in page
    assert "How did the call go?" not in page


# --- the call settles the flag ---


@pytest.mark.long
def test_what_they_were_told_is_recorded_once_and_settles_the_flag(reception):
    enquiry = flagged()
    nothing = step(reception, enquiry, "call", result="spoke", note="She answered.")
    assert nothing.status_code == 422
    assert "Choose what you told them" in text(parse(nothing)) and "She answered." in nothing.content.decode()
    mistaken = step(reception, enquiry, "call", result="no_answer", advice="999")
    assert mistaken.status_code == 422, "Nobody was told anything."
    assert step(reception, enquiry, "call", result="spoke", advice="no_sign").status_code == 422, "Asked what?"
    later = step(reception, enquiry, "call", result="spoke", advice="later", note="She wants a woman to call.")
    assert "stays in the safety queue" in text(parse(later))
    assert fresh(enquiry).is_flagged
    said = text(parse(step(reception, enquiry, "call", result="spoke", advice="999", note="Her son drives her.")))
    assert "Recorded. Moved out of the safety queue." in said
    settled = fresh(enquiry)
    assert not settled.is_flagged and settled.contact_attempts == 2
    safety = enquiry.events.get(kind=EventKind.SAFETY)
    assert (safety.summary, safety.actor) == ("Told them to call 999 or go to A&E now", "Rita")
    assert enquiry.events.filter(kind=EventKind.CALLED).last().note == "Her son drives her."
    assert listed(reception, queue="safety") == []
    with pytest.raises(triage.MoveRefused):
        contact.log_call(enquiry=enquiry, by=User.objects.get(first_name="Rita"), result="spoke", advice="999")


@pytest.mark.long
def test_a_flag_is_shown_for_ever_with_what_was_done_and_how_it_ended(reception, monkeypatch, staff):
    enquiry = flagged()
    at_the_desk(monkeypatch, reception, london(2027, 2, 1, 10))
    step(reception, enquiry, "call", result="spoke", advice="111")
    step(reception, enquiry, "close", outcome="elsewhere")
    at_the_desk(monkeypatch, reception, london(2028, 1, 31, 10))
    done = "Told them to call 111 today (Northern Ireland: GP out-of-hours): Rita"
    page = page_of(reception, enquiry)
    assert "Was flagged as a possible emergency" in page
    assert f"{done}, 10am on Monday 1 February 2027" in page
    assert "Outcome: went elsewhere (999, 111 or a GP)" in page
    in_the_list = text(parse(reception.get(LIST, {"queue": "all"})))
    assert f"Was flagged. {done}, 10am on Monday 1 February 2027. Outcome: went elsewhere" in in_the_list
    erasure.erase(enquiry=enquiry, by=staff)
    assert done in page_of(reception, enquiry)
    assert "Was flagged." in text(parse(reception.get(LIST, {"queue": "all"})))


@pytest.mark.long
def test_it_can_be_settled_without_a_call_for_a_reason(reception):
    enquiry = flagged()
    assert step(reception, enquiry, "safety", note=" ").status_code == 422
    step(reception, enquiry, "safety", note="Her daughter rang us: she is in hospital.")
    assert fresh(enquiry).safety_acted_at
    assert "Settled without a call: Rita" in page_of(reception, enquiry)


@pytest.mark.parametrize("settles", ["call", "safety"])
@pytest.mark.long
def test_withdrawn_with_an_open_flag_it_stays_in_the_safety_queue_until_staff_record_what_was_done(
    reception, mail_through, settles
):
    enquiry = flagged()
    deliver()
    before = len(mail_through.messages)
    Enquiry.objects.filter(pk=enquiry.pk).update(next_call_at=timezone.now() + timedelta(hours=1))
    by_patient.withdraw(enquiry=enquiry, version=enquiry.version)
    deliver()
    [mail] = mail_through.messages[before:]
    assert mail["Subject"] == "Urgent: please look now"
    other = consultation(email="2@example.com")
    assert (fresh(enquiry).status, fresh(enquiry).outcome) == ("closed", "withdrawn")
    for queue in ("safety", "call", "open"):
        assert listed(reception, queue=queue)[0] == enquiry.pk, queue
    in_the_list = text(parse(reception.get(LIST)))
    assert "possible emergency Call now." in in_the_list
    page = page_of(reception, enquiry)
    assert "Closed before anyone recorded what was done (withdrawn by the patient)." in page
    top = page[: page.index("Next step")]
    assert "Possible emergency: call now" in top and "020 7946 0018" in top and "Tell a clinician" in top
    assert "Book an appointment" not in page
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    booked = step(reception, enquiry, "book", day=tomorrow, time="14:30", channel="phone")
    assert "Reopen it before you book" in text(parse(booked))
    assert "Try again at" in text(parse(step(reception, enquiry, "call", result="no_answer")))
    assert listed(reception, queue="safety") == [enquiry.pk]
    given = {"result": "spoke", "advice": "999"} if settles == "call" else {"note": "His wife rang: he is in hospital."}
    assert "Moved out of the safety queue" in text(parse(step(reception, enquiry, settles, **given)))
    assert listed(reception, queue="safety") == []
    assert listed(reception) == [other.pk]
    after = fresh(enquiry)
    assert (after.status, after.outcome, after.is_flagged, after.next_call_at) == ("closed", "withdrawn", False, None)
    assert "Outcome: withdrawn by the patient" in page_of(reception, enquiry)
    assert step(reception, enquiry, "call", result="spoke").status_code == 422, "It is closed now like any other."


# --- a clinician ---


@pytest.mark.long
def test_a_clinician_is_told_once_by_a_mail_that_says_nothing(reception, mail_through):
    person("Edith", "editor")
    carl = person("Carl", "clinician")
    enquiry = flagged()
    deliver()
    before = len(mail_through.messages)
    for presses in ("We are emailing Carl now.", "Carl has already been told"):
        assert presses in text(parse(step(reception, enquiry, "tell", whom=carl.pk)))
    deliver()
    [mail] = mail_through.messages[before:]
    assert (mail["To"], mail["Subject"]) == ("carl@example.com", "Urgent: please look now")
    assert enquiry.reference in text_of(mail) and enquiry.get_admin_url() in text_of(mail)
    for secret in ("Ada", "numb", "ache", "7946", "RF-E1"):
        assert secret not in mail.as_string()
    assert "Told Carl by email" in page_of(reception, enquiry)
    assert fresh(enquiry).is_flagged
    assert step(reception, enquiry, "tell", whom=User.objects.get(username="edith").pk).status_code == 422
    # Another sign, after the first was settled, is a new reason to tell a clinician.
    step(reception, enquiry, "call", result="spoke", advice="999")
    refused = step(reception, enquiry, "tell", whom=carl.pk)
    assert refused.status_code == 422
    now = fresh(enquiry)
    by_patient.add_detail(enquiry=now, text="Worse.", safety_signs="RF-E2", version=now.version)
    assert "We are emailing" in text(parse(step(reception, enquiry, "tell", whom=carl.pk)))


@pytest.mark.both
@pytest.mark.long
def test_a_clinician_whose_mail_failed_or_who_left_is_not_counted_as_told(reception, mail_through):
    carl = person("Carl", "clinician")
    enquiry = flagged()
    deliver()
    step(reception, enquiry, "tell", whom=carl.pk)
    User.objects.filter(pk=carl.pk).update(is_active=False)
    deliver()
    mail = enquiry.messages.get(purpose=Purpose.CLINICIAN_ALERT)
    assert (mail.state, mail.error) == (MessageState.FAILED, "NoLongerAClinician")
    assert fresh(enquiry).mail_failed
    User.objects.filter(pk=carl.pk).update(is_active=True)
    assert "We are emailing Carl now." in text(parse(step(reception, enquiry, "tell", whom=carl.pk)))


# --- the self-assessment that came along ---


def test_clinicians_see_the_self_assessment_at_the_top_and_reception_only_the_flag(client, reception):
    known, told = flags(), answers(limits="stops")
    given = intake.Consented(
        result=shown(told, known), answers=played_back(told, known), consent_version=handover.CONSULTATION_CONSENT
    )
    details = {"name": "Ada", "email": "ada@example.com", "phone": "", "best_time": "", "description": "An ache."}
    also = {"safety_signs": "RF-U1"}
    enquiry = intake.accept(
        intake.Submission(kind="consultation", details=details, contact_by=("email",), consented=given, also=also)
    )
    client.force_login(person("Carl", "clinician"))
    page = page_of(client, enquiry)
    top = page[: page.index("Next step")]
    assert "See a GP. Checked on" in top and given.result["version"].lower() in top.lower()
    theirs = page_of(reception, enquiry)
    assert "See a GP. Checked on" not in theirs
    assert "Urgent warning sign: act now" in theirs


def test_a_form_with_a_mistake_is_given_back_with_the_warning_still_above_it(reception):
    enquiry = flagged()
    refused = save(reception, enquiry.get_admin_url(), status="closed", note="Half a note.")
    said = text(tree(refused))
    assert "Possible emergency: call now" in said and "Half a note." in said
