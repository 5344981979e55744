"""An enquiry's page over HTTP: no button loses what was typed into the other fields."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from enquiries.actions import contact, erasure, triage
from enquiries.models import Enquiry, ReplyTemplate, StaffDraft
from tests.conftest import consultation, give_signs
from tests.support.desk import person, values_of
from tests.support.html import text, tree
from tests.support.inbox import LIST, flagged, listed, step
from tests.support.outbox import deliver

HALF = "Half a sen"
# What each field holds when somebody was called away. A day is one that no form takes yet.
BEGUN = {"day": "2020-01-", "time": "10:", "minutes": "90", "channel": "video", "which": "0"}


def page_of(client, enquiry, **query):
    return client.get(enquiry.get_admin_url(), query)


def buttons(page) -> list[dict]:
    """Everything that can be pressed in the page's form: its address and what it sends."""
    [form] = [each for each in tree(page).iter("form") if each.get("id") == "enquiry_form"]
    return [
        {"to": each.get("formaction") or form.get("action"), "name": each.get("name"), "value": each.get("value", "")}
        for each in form.iter("button")
    ]


def half_filled(page, owner) -> dict[str, str]:
    """Every field that the page knows as one that staff fill in, with something begun in it."""
    begun = {}
    for name, was in json.loads(values_of(page)["shown"]).items():
        field = name.rpartition("-")[2]
        if field in {"result", "advice", "who", "state", "remind", "keep_open", "outcome", "whom"}:
            continue  # choices of their step alone: see below
        begun[name] = BEGUN.get(field, HALF)
        if field in {"owner", "person"}:
            begun[name] = str((owner if field == "owner" else owner.team_member).pk)
        elif field == "status":
            begun[name] = "in_progress" if was == "new" else was
    return begun


def enquiry_with_everything(staff) -> Enquiry:
    """Found twice, asked for someone who does not know, with a failed mail: every kind of button is there."""
    enquiry = consultation(for_name="Bo", for_relation="my son", for_agreed="not_yet")
    consultation(name="Ada again")
    enquiry.messages.update(state="failed", error="SMTPRecipientsRefused 550")
    contact.log_call(enquiry=enquiry, by=staff, result="no_answer")
    return Enquiry.objects.get(pk=enquiry.pk)


@pytest.mark.parametrize("with_sign", [False, True], ids=["plain", "with a warning sign"])
@pytest.mark.long
def test_no_button_loses_what_was_typed_into_another_field(reception, staff, with_sign):
    carl = person("Carl", "clinician")
    made = enquiry_with_everything(staff)
    if with_sign:
        give_signs(Enquiry.objects.filter(pk=made.pk))
    pressed = len(buttons(page_of(reception, made, queue="open", at=0)))
    assert pressed >= 15
    for number in range(pressed):
        Enquiry.objects.all().delete()
        enquiry = enquiry_with_everything(staff)
        if with_sign:
            give_signs(Enquiry.objects.filter(pk=enquiry.pk))
        page = page_of(reception, enquiry, queue="open", at=0)
        typed = half_filled(page, carl)
        assert len(typed) > 8
        button = buttons(page)[number]
        sent = values_of(page) | typed | ({button["name"]: button["value"]} if button["name"] else {})
        reception.post(button["to"], sent)
        if button["name"] == "discard":
            assert not StaffDraft.objects.exists()
            continue
        after = page_of(reception, enquiry)
        shown, said = values_of(after), text(tree(after))
        for name, value in typed.items():
            own = f"/step/{name.partition('-')[0]}/" in button["to"] or ("-" not in name and "change/" in button["to"])
            if not own or shown.get(name):  # a step that is done can no longer be filled in
                kept = shown.get(name, value if value in said or value != HALF else "")
                assert value in kept, (number, button, name, kept)


def test_choices_of_a_step_survive_the_buttons_of_the_others(reception, staff):
    enquiry = consultation()
    page = page_of(reception, enquiry)
    chosen = {"book-remind": "", "close-outcome": "elsewhere", "book-channel": "video"}
    sent = {name: value for name, value in (values_of(page) | chosen).items() if name != "book-remind"}
    reception.post(reverse("admin:enquiries_enquiry_new_link", args=[enquiry.pk]), sent)
    after = values_of(page_of(reception, enquiry))
    assert "book-remind" not in after, "It was unticked."
    assert (after["close-outcome"], after["book-channel"]) == ("elsewhere", "video")


@pytest.mark.long
def test_a_draft_is_ones_own_is_encrypted_and_takes_nothing_from_a_newer_tab(reception, client, staff):
    enquiry = consultation()
    draft = reverse("admin:enquiries_enquiry_draft", args=[enquiry.pk])
    first = values_of(page_of(reception, enquiry))
    reception.post(draft, first | {"reply-text": "Dear Ada, a long answer"}, headers={"X-Requested-With": "fetch"})
    # A tab that was opened before and in which only a note was begun.
    said = reception.post(draft, first | {"note": "Rang."}, headers={"X-Requested-With": "fetch"}).json()
    assert said["saved"].startswith("Draft saved at ")
    kept = values_of(page_of(reception, enquiry))
    assert (kept["reply-text"], kept["note"]) == ("Dear Ada, a long answer", "Rang.")
    client.force_login(staff)
    others = values_of(page_of(client, enquiry))
    assert (others["reply-text"], others["note"]) == ("", "")
    assert "Rita is writing here" in text(tree(page_of(client, enquiry)))
    User.objects.filter(first_name="Rita").update(is_active=False)
    assert "Rita is" not in text(tree(page_of(client, enquiry))), "Nobody with a deactivated account is here."
    User.objects.filter(first_name="Rita").update(is_active=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT typed FROM enquiries_staffdraft")
        assert b"long answer" not in bytes(cursor.fetchone()[0])
    # What is taken out again is gone, and an empty draft is deleted.
    reception.post(draft, kept | {"reply-text": "", "note": ""})
    assert not StaffDraft.objects.exists()


@pytest.mark.parametrize("how", ["erased", "two weeks"])
def test_drafts_end_with_the_details_or_after_two_weeks(reception, staff, how):
    enquiry = consultation()
    page = values_of(page_of(reception, enquiry))
    draft = reverse("admin:enquiries_enquiry_draft", args=[enquiry.pk])
    reception.post(draft, page | {"note": "She has numb legs."})
    if how == "erased":
        erasure.erase(enquiry=enquiry, by=staff)
    else:
        erasure.purge(now=timezone.now() + timedelta(days=13))
        assert StaffDraft.objects.exists()
        erasure.purge(now=timezone.now() + timedelta(days=14, minutes=1))
    assert not StaffDraft.objects.exists()
    if how == "erased":
        reception.post(draft, page | {"note": "Once more"})
        assert not StaffDraft.objects.exists()


@pytest.mark.parametrize("nonsense", ["[", "[1]", '{"note": 1}', "null", "[" * 100_000])
def test_a_page_that_says_nonsense_about_itself_breaks_nothing(reception, nonsense):
    enquiry = consultation()
    sent = values_of(page_of(reception, enquiry)) | {"shown": nonsense, "at": "²", "queue": "mine", "seen": "x"}
    for name in ("draft", "go", "new_link", "words"):
        assert reception.post(reverse(f"admin:enquiries_enquiry_{name}", args=[enquiry.pk]), sent).status_code == 302


def test_a_template_is_added_and_never_replaces(reception):
    enquiry = consultation()
    page = values_of(page_of(reception, enquiry)) | {
        "reply-text": "Dear Ada,",
        "insert": str(ReplyTemplate.objects.get(name="Please phone us").pk),
    }
    reception.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "reply"]), page)
    reply = values_of(page_of(reception, enquiry))["reply-text"]
    assert reply.startswith("Dear Ada,\n\nHello,") and "Please phone us" in reply


@pytest.mark.long
def test_what_a_colleague_wrote_is_shown_before_ones_own_is_sent(reception, staff):
    enquiry = consultation()
    page = values_of(page_of(reception, enquiry))
    contact.reply(enquiry=enquiry, by=staff, text="I told her to rest.")
    deliver()  # which the timeline says as well, and is no change of the enquiry
    send = reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "reply"])
    refused = reception.post(send, page | {"reply-text": "Keep moving.", "send": "yes"})
    said = text(tree(refused))
    assert refused.status_code == 422
    assert "Sam replied while you were writing" in said and "I told her to rest." in said
    again = values_of(refused)
    assert again["reply-text"] == "Keep moving."
    assert enquiry.messages.filter(purpose="reply").count() == 1
    reception.post(send, again | {"send": "yes"})
    assert enquiry.messages.filter(purpose="reply").count() == 2, "Sent knowingly."
    # The same for what is saved, and the page tells it already while somebody types.
    asked = reverse("admin:enquiries_enquiry_enquiry_pulse", args=[enquiry.pk])
    seen = values_of(page_of(reception, enquiry))["seen"]
    triage.triage(enquiry=enquiry, by=staff, note="Her GP rang.")
    news = reception.get(asked, {"seen": seen}).json()
    assert [(each["what"], each["note"]) for each in news["changes"]] == [("Sam added a note", "Her GP rang.")]
    assert reception.get(asked, {"seen": "2026-99-99"}).json()["changes"] == []


@pytest.mark.long
def test_the_next_one_keeps_the_queue_and_the_place(reception):
    made = [consultation(email=f"{n}@example.com") for n in range(4)]
    order = listed(reception, queue="nobody")
    assert len(order) == 4
    links = [each.get("href") for each in tree(reception.get(LIST, {"queue": "nobody"})).iter("a")]
    second = next(each for each in links if str(order[1]) in each)
    assert second.endswith("?queue=nobody&at=1")
    page = reception.get(second)
    assert "2 of 4 in Unassigned" in " ".join(text(tree(page)).split())
    # When the second in the list is closed, the next is the one that was third.
    enquiry = next(each for each in made if each.pk == order[1])
    close = reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "close"])
    done = reception.post(close, values_of(page) | {"close-outcome": "answered"}, follow=True)
    assert done.redirect_chain[-1][0].endswith("?queue=nobody&at=1")
    go = reverse("admin:enquiries_enquiry_go", args=[enquiry.pk])
    third = reception.post(go, values_of(done) | {"to": "next"})
    assert third.url == f"{Enquiry(pk=order[2]).get_admin_url()}?queue=nobody&at=1"
    page = reception.get(third.url)
    go = reverse("admin:enquiries_enquiry_go", args=[order[2]])
    assert str(order[0]) in reception.post(go, values_of(page) | {"to": "previous"}).url
    last = reception.post(go, values_of(page) | {"to": "next"}).url
    end = reception.post(
        reverse("admin:enquiries_enquiry_go", args=[order[3]]),
        values_of(reception.get(last)) | {"to": "next"},
        follow=True,
    )
    assert "That was the last one in “Unassigned”." in text(tree(end))


@pytest.mark.long
@pytest.mark.parametrize(
    "shown",
    [
        {"q": "moss", "o": "7"},
        {"q": "moss"},
        *({"queue": "open", "o": each} for each in ("-1", "2.-7", "6", "-7", "8")),
    ],
)
def test_the_next_one_is_the_next_of_what_was_found_and_as_the_list_was_sorted(reception, staff, shown):
    for number, name in enumerate(["Ann Moss", "Bo Moss", "Cy Moss", "Di Fern"]):
        made = consultation(name=name, email=f"{number}@example.com")
        if number % 2:
            triage.triage(enquiry=made, by=staff, to="in_progress", owner=staff, change_owner=True)
    order = listed(reception, **shown)
    assert len(order) == (3 if "q" in shown else 4)
    links = [each.get("href") for each in tree(reception.get(LIST, shown)).iter("a")]
    page, seen = reception.get(next(each for each in links if each and str(order[0]) in each)), [order[0]]
    assert ("3 found for “moss”" if "q" in shown else "4 in All open") in text(tree(page))
    for _ in order[1:]:
        address = reverse("admin:enquiries_enquiry_go", args=[seen[-1]])
        page = reception.post(address, values_of(page) | {"to": "next"}, follow=True)
        seen.append(page.context["original"].pk)
    assert seen == order
    address = reverse("admin:enquiries_enquiry_go", args=[seen[-1]])
    back = reception.post(address, values_of(page) | {"to": "next"}, follow=True)
    assert "That was the last one" in text(tree(back))
    assert [each.pk for each in back.context["cl"].result_list] == order, "It leads back to the same list."


def test_counts_and_what_is_new_are_told_without_being_active(reception, monkeypatch):
    since = timezone.now().isoformat()
    consultation(email="1@example.com")
    flagged(email="2@example.com")
    ask = reverse("admin:enquiries_enquiry_pulse")
    news = reception.get(ask, {"since": since}).json()
    assert (news["counts"]["open"], news["counts"]["safety"], news["fresh"]) == (2, 1, 2)
    assert "(2) Inbox" in reception.get(LIST).content.decode()
    session = reception.session
    session["seen_at"] -= 300  # seconds
    session.save()
    was = reception.session["seen_at"]
    reception.get(ask, headers={"X-Requested-With": "pulse"})
    assert reception.session["seen_at"] == was
    reception.get(ask)
    assert reception.session["seen_at"] > was


def test_what_came_since_somebody_looked_is_marked_in_the_list(reception):
    consultation(email="1@example.com")
    reception.get(LIST)
    session = reception.session
    session["looks"] = [each - 600 for each in session["looks"]]  # seconds ago
    session.save()
    Enquiry.objects.update(created_at=timezone.now() - timedelta(hours=1))
    newest = consultation(email="2@example.com", needs="BSL interpreter")
    page = reception.get(LIST)
    rows = [" ".join(text(each).split()) for each in tree(page).iter("tr")]
    assert ["new since you looked" in row for row in rows if newest.reference in row] == [True]
    assert sum("new since you looked" in row for row in rows) == 1
    assert ["BSL interpreter" in row for row in rows if newest.reference in row] == [True]


def test_a_call_is_one_press(reception):
    enquiry = consultation()
    page = page_of(reception, enquiry)
    press = {"call-result": "voicemail", "call-note": "Left my name.", "reply-text": HALF}
    reception.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "call"]), values_of(page) | press)
    enquiry.refresh_from_db()
    after = page_of(reception, enquiry)
    assert enquiry.contact_attempts == 1
    assert "Rita logged a call: Left a voicemail" in text(tree(after))
    assert (values_of(after)["call-note"], values_of(after)["reply-text"]) == ("", HALF)
    assert step(reception, enquiry, "call", result="").status_code == 422


def test_after_the_session_has_ended_what_staff_wrote_is_shown_and_what_the_page_began_with_is_sent_along(reception):
    enquiry = consultation()
    sent = values_of(page_of(reception, enquiry)) | {"reply-text": "Dear Ada, thank you for asking."}
    reception.logout()
    answer = reception.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "reply"]), sent)
    assert answer.status_code == 403
    assert [each.get("name") for each in tree(answer).iter("textarea")] == ["reply-text"]
    [began] = [each for each in tree(answer).iter("input") if each.get("name") == "shown"]
    assert (began.get("type"), began.get("value")) == ("hidden", sent["shown"])


def test_what_is_due_later_is_not_shown_as_late_and_their_own_words_about_times_are_beside_the_number(reception):
    enquiry = consultation(best_time="after the school run")
    page = page_of(reception, enquiry)
    [due] = [each for each in tree(page).iter("span") if "due" in each.get("class", "").split()]
    assert due.get("class") == "due", text(due)
    assert "Best times: after the school run" in text(tree(page))
    Enquiry.objects.filter(pk=enquiry.pk).update(reply_by=timezone.now() - timedelta(minutes=5))
    [due] = [each for each in tree(page_of(reception, enquiry)).iter("span") if "due" in each.get("class", "").split()]
    assert due.get("class") == "due late", text(due)
