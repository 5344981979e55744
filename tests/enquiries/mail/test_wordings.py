"""The words of emails and confirmation pages, as an owner changes them on the desk, and as patients then get them."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enquiries.actions.appointments import book
from enquiries.admin.hours import PAUSE_NOTICE
from enquiries.mail import samples, wordings
from enquiries.mail.wordings import WORDINGS, Kind
from enquiries.models import ClinicHours, Enquiry, ReplyTemplate, WordingEdition
from enquiries.request_forms import journey
from tests.conftest import consultation, give_signs, report
from tests.support.clinic_settings import set_clinic
from tests.support.desk import conflict_in, errors_of, save, values_of
from tests.support.html import parse, text, tree
from tests.support.outbox import deliver, html_of, question, text_of, words_of

LIST = "/admin/enquiries/wordingedition/"
# What a stranger may type into a form: none of it may come in with an edited text.
TYPED = "Zaphod"


def page_of(key: str) -> str:
    return f"{LIST}{key}/"


def press(client, key: str, do: str, **typed):
    address = page_of(key)
    return client.post(address, values_of(client.get(address)) | typed | {"do": do}, follow=True)


@pytest.mark.long
def test_an_owner_changes_an_email_sees_it_as_it_will_arrive_and_puts_the_default_back(staff_client, mail_through):
    key = "consultation_acknowledgement"
    own = (
        "Good day,\n\nthis is {clinic}. {reply time}\n\n- One <b>\n- Two\n\n{link: Your own request} "
        "or https://clinic.example/x."
    )
    seen = press(staff_client, key, "preview", text=own, heading="Well met", subject="{clinic} writes")
    assert not WordingEdition.objects.exists(), "A preview keeps nothing."
    assert values_of(seen)["text"].replace("\r\n", "\n") == own
    preview = seen.context["preview"]
    [frame] = tree(seen).iter("iframe")
    assert (frame.get("srcdoc"), frame.get("sandbox")) == (preview.framed, "allow-same-origin")
    for part in (preview.text, preview.html):
        assert "Good day," in part
        assert "999" in part
        assert "Stop these emails" in part or "stop these emails" in part
    saved = press(staff_client, key, "save", text=own, heading="Well met", subject="{clinic} writes")
    assert "Saved. It is used from now on." in text(parse(saved))
    assert "Changed by Sam" in text(parse(staff_client.get(LIST)))
    enquiry = consultation(name=TYPED)
    deliver()
    [mail] = [each for each in mail_through.messages if each["To"] == enquiry.email]
    assert mail["Subject"] == "Larkfield Back Clinic writes" == preview.subject
    for part in (text_of(mail), words_of(mail)):
        assert "Well met" in part
        assert "One <b>" in part
        assert "999" in part
        assert "We will reply by" in part
    links = [(each.get("href"), text(each)) for each in html_of(mail).iter("a")]
    assert ("https://clinic.example/x", "https://clinic.example/x") in links
    [(private, _)] = [each for each in links if each[1] == "Your own request"]
    assert f"Your own request ({private})" in text_of(mail)
    back = press(staff_client, key, "default")
    assert "The default is back." in text(parse(back))
    new = {text(each) for each in tree(back).iter("ins")}
    assert {"Well", "met"} <= new, "What it was stays in its history, beside what is in use."
    assert values_of(back)["heading"] == WORDINGS[key].default["heading"]
    assert list(WordingEdition.objects.values_list("actor", "number")) == [("Sam", 2), ("Sam", 1)]


@pytest.mark.long
def test_a_text_that_could_not_be_sent_as_it_stands_is_refused_with_the_reason(staff_client):
    def refused(key: str, **typed) -> str:
        answer = press(staff_client, key, "save", **typed)
        assert answer.status_code == 422
        kept = values_of(answer)
        assert {name: kept[name].replace("\r\n", "\n") for name in typed} == typed, "What was typed is still there."
        return errors_of(answer)

    told = refused(
        "booking", subject="Sam, {time}", text="{name}, come on {appointment} please. {link} {reminder: x} {"
    )
    for why in (
        "{time} is not one of the placeholders of this text. It has {appointment}, {link: your words}",
        "{name} is not one of the placeholders",
        "{appointment} must have a line of its own.",
        "{link} needs the words to press",
        "{reminder: x} takes no words",
        "A brace has no partner",
    ):
        assert why in told
    assert "{link: your words} is missing" in refused("booking", text="Come.\n\n{appointment}\n\n{reminder}")
    assert "may be read on a locked screen" in refused("report", subject="Your fact sheet: {sheet}")
    assert "Write something" in refused("report", heading=" ")
    assert "can be in the text only" in refused("report", heading="{page: Here}")
    claim = "Acupuncture cures sciatica.\n\n{link: See it}"
    assert "Do not promise a cure" in refused("new_link", text=claim)
    assert not WordingEdition.objects.exists()
    kept = press(staff_client, "new_link", "save", text=claim, kept_because="Quoted")
    assert "The claims guard found “Acupuncture cures sciatica.”" in text(parse(kept))
    assert WordingEdition.objects.get().kept_because == "Quoted"


@pytest.mark.long
def test_of_two_owners_the_second_is_told_and_an_edit_that_no_longer_fits_gives_way(staff_client, staff):
    key = "new_link"
    before = values_of(staff_client.get(page_of(key)))
    other = User.objects.create_superuser("ola", "ola@example.com", "a long demo password", first_name="Ola")
    theirs = WORDINGS[key].default | {"heading": "From Ola"}
    wordings.save(WORDINGS[key], theirs, by=other, seen=0)
    mine = before | {"heading": "From Sam", "do": "save"}
    # To look at it first, or to be told of a mistake, is not to have been told of hers.
    for do, typed in (("preview", {}), ("save", {"text": "No link."})):
        looked = staff_client.post(page_of(key), mine | typed | {"do": do})
        mine["seen"] = values_of(looked)["seen"]
    told = staff_client.post(page_of(key), mine)
    assert wordings.newest(key).parts == theirs, "Nothing was put over hers unseen."
    assert "Ola saved this while you had it open." in text(parse(told))
    assert conflict_in(told)["Heading"][1] == "From Sam" and "Ola" in conflict_in(told)["Heading"][0]
    assert values_of(told)["heading"] == "From Sam"
    for _ in range(2):  # a double click
        saved = staff_client.post(page_of(key), values_of(told) | {"do": "save"}, follow=True)
        assert "Saved. It is used from now on." in text(parse(saved))
    assert (wordings.newest(key).number, wordings.newest(key).parts["heading"]) == (2, "From Sam")
    with pytest.raises(wordings.Changed):
        wordings.save(WORDINGS[key], theirs, by=other, seen=1)
    # One press restores an earlier text, after showing the difference, but not over one that nobody here has seen.
    [earlier, default] = staff_client.get(page_of(key)).context["history"][1]["changes"], WORDINGS[key].default
    assert [("gone", "Sam") in each["words"] and ("new", "Ola") in each["words"] for each in earlier] == [True]
    staff_client.post(page_of(key), {"do": "back 1", "seen": "1"})
    assert wordings.newest(key).number == 2
    staff_client.post(page_of(key), {"do": "back 1", "seen": "2"})
    assert wordings.newest(key).parts == theirs
    assert staff_client.post(page_of(key), {"do": "back 9", "seen": "3"}).status_code == 404
    assert wordings.save(WORDINGS[key], default | {"text": "{gone}"}, by=other, seen=3)
    staff_client.post(page_of(key), {"do": "back 1", "seen": "4"})
    unfit = staff_client.post(page_of(key), {"do": "back 4", "seen": "5"})
    assert "does not fit this version of the software: {gone} is not one" in text(parse(unfit))
    # A later release takes a placeholder away: patients get the default, whole.
    wordings.save(WORDINGS[key], theirs | {"text": "{gone}"}, by=other, seen=5)
    assert wordings.parts_of(WORDINGS[key], wordings.newest(key)) == WORDINGS[key].default
    assert "does not fit this version" in text(parse(staff_client.get(page_of(key))))


def test_whoever_owns_nothing_changes_nothing(reception):
    for address in (LIST, page_of("report")):
        assert reception.get(address).status_code == 403
    assert reception.post(page_of("report"), {"do": "default", "seen": "0"}).status_code == 403


def edit_all(staff) -> None:
    """Every text says all that it can."""
    for wording in WORDINGS.values():
        said = [
            each.written.replace("your words", "Press") if each.kind == Kind.LINK else each.written
            for each in wording.placeholders.values()
        ]
        inline = [each.written for each in wording.placeholders.values() if each.kind == Kind.INLINE]
        every = {"subject": "{clinic} {phone}", "heading": " ".join(inline), "lead": " ".join(inline)}
        parts = {part: every.get(part, "\n\n".join(["Edited.", *said])) for part in wording.default}
        assert not wordings.mistakes(wording, parts)
        wordings.save(wording, parts, by=staff, seen=0)


def test_no_edit_brings_in_what_a_stranger_typed_and_none_leaves_the_safety_advice_out(
    staff, sheet, mail_through, many_forms, client
):
    edit_all(staff)
    booked = consultation(name=TYPED, description=f"{TYPED} hurts")
    flagged = consultation(name=TYPED, description=f"{TYPED} hurts", email="flagged@example.com")
    give_signs([flagged])
    asked = question(name=TYPED, description=f"{TYPED} hurts", email="asked@example.com")
    wanted = report(sheet, name=TYPED, email="wanted@example.com")
    opening = timezone.localtime() + timedelta(days=9)
    book(enquiry=booked, by=staff, at=opening.replace(hour=10, minute=0), channel="phone", sure="", doubts=[])
    deliver()
    to_patients = [
        each for each in mail_through.messages if each["To"] in {booked.email, flagged.email, asked.email, wanted.email}
    ]
    assert len(to_patients) >= 5
    for mail in to_patients:
        for part in (text_of(mail), words_of(mail), mail["Subject"]):
            assert TYPED not in part
        for part in (text_of(mail), words_of(mail)):
            assert "Edited." in part
            assert "999" in part
    to_staff = [each for each in mail_through.messages if each["To"] == "inbox@example.com"]
    assert {each["Subject"] for each in to_staff} >= {
        WORDINGS["urgent_alert"].subject,
        "Larkfield Back Clinic 020 7946 0958",
    }
    for mail in to_staff:
        for part in (text_of(mail), words_of(mail)):
            assert TYPED not in part + mail["Subject"]
            assert "Edited." in part
            assert not re.search(r"\b999\b", part), "Staff know the signs, and have the desk."
    for enquiry in (booked, asked):
        answer = client.get(journey.sent_address(enquiry), follow=True)
        assert TYPED not in answer.content.decode()
        assert "Edited." in answer.content.decode()
    # One whose words sound like an emergency reads the advice first, in place of the clinic's own first sentence.
    page = client.get(journey.sent_address(Enquiry.objects.get(pk=flagged.pk)), follow=True).content.decode()
    advised = page.partition("<main")[2]  # below the line that every page has
    assert advised.index("do not wait for our reply") < advised.index('href="tel:999"') < advised.rindex("Edited.")


@pytest.mark.django_db
def test_the_links_of_every_email_have_the_clinics_colour():
    for key, wording in WORDINGS.items():
        if not wording.is_page:
            assert 'color=""' not in samples.email(key, wording.default).html, key
    set_clinic(phone="")
    without = samples.email("new_link", WORDINGS["new_link"].default)
    assert "Text relay" not in without.text + without.html, "A clinic without a number gives none."


@pytest.mark.parametrize("key", [key for key, wording in WORDINGS.items() if wording.is_page])
@pytest.mark.once
def test_a_confirmation_page_is_previewed_as_itself(key, staff_client):
    shown = press(staff_client, key, "page", heading="We have it, thank you")
    assert shown.status_code == 200
    said = text(parse(shown))
    assert "We have it, thank you" in said
    assert "Staff preview, with invented details" in said
    if key.endswith("_sent"):
        assert parse(shown).findall(".//section[@class='care emergency short']//li"), "With the signs of an emergency."
    assert not WordingEdition.objects.exists()


@pytest.mark.long
def test_the_guard_reads_a_pause_notice_too_and_a_reply_template_shows_its_whole_email(staff_client):
    hours = "/admin/enquiries/clinichours/"
    claim = {"paused": "on", "notice": "Acupuncture cures sciatica."}
    assert "Do not promise a cure" in errors_of(save(staff_client, hours, **claim))
    assert not errors_of(save(staff_client, hours, paused="on", notice="We are away until Monday."))
    history = text(tree(staff_client.get(f"{hours}1/history/")))
    assert "Replies paused. Notice: We are away until Monday." in history
    assert re.search("Changed .*notice", history), "What else was changed with it is in the same line."
    template = ReplyTemplate.objects.create(name="Hello", text="Dear {name},\n\nabout {reference}: a < b.")
    shown = tree(staff_client.get(f"/admin/enquiries/replytemplate/{template.pk}/change/"))
    [frame] = shown.iter("iframe")
    assert frame.get("sandbox") == "allow-same-origin"
    assert "Dear Sam Patient," in frame.get("srcdoc")
    assert "a &lt; b." in frame.get("srcdoc")
    assert "999" in frame.get("srcdoc")
    # What is typed is shown before it is saved, and the default comes into the form in one press.
    address = address_of(template)
    for where, typed in ((address, {"text": "Dear {name}, new words."}), (hours, {"notice": "New words."})):
        looked = press_of_admin(staff_client, where, "_preview", **typed)
        assert "Not saved yet:" in text(tree(looked)) and "New words." in said_of(looked)
        wrong = press_of_admin(staff_client, where, "_preview", **dict.fromkeys(typed, "It cures sciatica."))
        assert "The claims guard found" in errors_of(wrong) and "As last saved:" in text(tree(wrong))
    template.refresh_from_db()
    assert template.text == "Dear {name},\n\nabout {reference}: a < b."
    assert ClinicHours.objects.get().notice == "We are away until Monday."
    press_of_admin(staff_client, hours, "_default")
    assert ClinicHours.objects.get().notice == PAUSE_NOTICE, "One press saves it."
    new = press_of_admin(
        staff_client, "/admin/enquiries/replytemplate/add/", "_preview", name="N", text="Unsaved {name}"
    )
    assert "Unsaved Sam Patient" in said_of(new) and not ReplyTemplate.objects.filter(name="N").exists()
    installed = ReplyTemplate.objects.get(name="Please phone us")
    save(staff_client, address_of(installed), text="Ring us.")
    back = press_of_admin(staff_client, address_of(installed), "_default")
    assert back.status_code == 302
    assert "Thank you for writing to us." in ReplyTemplate.objects.get(pk=installed.pk).text
    assert b"_default" not in staff_client.get(address).content, "What the clinic wrote itself has no default."
    assert "[your text]" in said_of(staff_client.get(address)), "What is around their words is beside the form."


def address_of(template: ReplyTemplate) -> str:
    return f"/admin/enquiries/replytemplate/{template.pk}/change/"


def press_of_admin(client, address: str, button: str, **typed):
    return client.post(address, values_of(client.get(address)) | typed | {button: "1"})


def said_of(response) -> str:
    """With the contents of a preview's frame."""
    frames = [each.get("srcdoc") for each in tree(response).iter("iframe")]
    return " ".join([text(tree(response)), *frames]).replace("new words", "New words")
