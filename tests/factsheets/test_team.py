"""Who works at the clinic: an owner's records, and every place in which patients read them."""

from datetime import timedelta
from importlib import import_module

import html5lib
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import timezone

from enquiries.actions.appointments import book
from enquiries.mail import emails, replies
from enquiries.models import Enquiry
from factsheets import approvals, pictures, team
from factsheets.models import ContentVersion, FactSheet, Picture, State, Step, TeamMember
from tests.conftest import consultation
from tests.support.desk import draft, errors_of, move, person, published, save, values_of
from tests.support.html import text, tree
from tests.support.inbox import let_appointment_begin
from tests.support.outbox import deliver, html_of, text_of, words_of
from tests.support.patient_portal import enter
from tests.support.pictures import made
from tests.support.reading import links, page

ADD = "/admin/factsheets/teammember/add/"
ENTRY = "https://www.hcpc.example/PH123456"
ANN = {"name": "Ann  Lee", "role": "physiotherapist", "register": "HCPC", "number": "ph 123456", "register_link": ENTRY}


@pytest.mark.both
def test_an_owner_enters_somebody_and_every_page_that_names_them_follows_at_once(
    staff_client, staff, client, author, mail_through
):
    reviewer = person("Clive", "clinician")
    sheet = published(author, reviewer)
    assert "by Clive, physiotherapist (HCPC, search for PH123456 there)" in text(page(client, sheet.get_absolute_url()))
    TeamMember.objects.all().delete()
    assert "Who you will meet" not in text(page(client, "/"))
    assert "by Clive." in text(page(client, sheet.get_absolute_url())), "A review stays, whoever left the list."
    staff_client.force_login(staff)
    offered = tree(staff_client.get(ADD)).findall(".//select[@name='drawing']/option")
    assert [text(each) for each in offered] == [
        "None",
        "A man with a beard and glasses",
        "A woman with a bob",
        "A woman with curly hair",
    ]
    portrait = SimpleUploadedFile("ann.jpg", made(), "image/jpeg")
    saved = save(staff_client, ADD, **ANN, account=str(reviewer.pk), upload=portrait)
    assert not errors_of(saved)
    ann = TeamMember.objects.get()
    assert (ann.name, ann.number) == ("Ann Lee", "PH123456")
    staff_client.logout()
    for path in ("/", "/about/"):
        shown = page(client, path)
        assert "Ann Lee, physiotherapist (HCPC PH123456)" in text(shown)
        assert ENTRY in links(shown)
        [image] = [each.get("src") for each in shown.iter("img") if ann.picture.digest in each.get("src", "")]
        assert client.get(image)["Content-Type"] == "image/jpeg"
    shown = page(client, sheet.get_absolute_url())
    assert "by Ann Lee, physiotherapist (HCPC PH123456)" in text(shown)
    assert ENTRY in links(shown)
    assert "Ann Lee, physiotherapist (HCPC PH123456)" in client.get(f"{sheet.get_absolute_url()}text/").content.decode()
    # Whom an appointment is with.
    enquiry = consultation()
    at = timezone.localtime() + timedelta(days=9)
    book(
        enquiry=enquiry,
        by=staff,
        at=at.replace(hour=10, minute=0),
        channel="phone",
        with_whom=ann,
        sure="",
        doubts=[],
    )
    deliver()
    booking = mail_through.messages[-1]
    client.logout()
    portal = text(tree(enter(enquiry)))
    reply = replies.fill("{appointment}", Enquiry.objects.get()).text
    [calendar] = [each for each in booking.walk() if each.get_content_type() == "text/calendar"]
    for part in (text_of(booking), words_of(booking), portal, reply, calendar.get_content().replace("\\,", ",")):
        assert "Ann Lee, physiotherapist (HCPC PH123456)" in part.replace("( ", "(").replace(" )", ")")  # around a link
    # Without an entry of her own it is the register's website that each of them leads to, with what to do there.
    TeamMember.objects.update(register_link="")
    ContentVersion.changed()
    client.logout()
    appointment = emails.values_of_appointment(Enquiry.objects.get().appointment, manage="", no_reminder="")[
        "appointment"
    ]
    assert "Register: https://www.hcpc-uk.org/\n(search for PH123456 there)" in appointment.text
    for shown in (
        page(client, "/about/"),
        page(client, sheet.get_absolute_url()),
        tree(enter(enquiry)),
        html5lib.parse(appointment.html, namespaceHTMLElements=False),
    ):
        assert "https://www.hcpc-uk.org/" in links(shown)
        assert "Ann Lee, physiotherapist (HCPC, search for PH123456 there)" in text(shown)
    assert f"Register: {ENTRY}" in text_of(booking) and ENTRY in [
        each.get("href") for each in html_of(booking).iter("a")
    ]
    # Nobody can remove her from a future appointment. After it she can be removed, and her portrait with her.
    client.force_login(staff)
    delete = f"/admin/factsheets/teammember/{ann.pk}/delete/"
    client.post(delete, {"post": "yes"})
    assert Enquiry.objects.get().appointment.with_whom == ann
    let_appointment_begin(enquiry)
    client.post(delete, {"post": "yes"})
    assert Enquiry.objects.get().appointment.with_whom is None
    client.logout()
    pictures.discard_unused()
    assert not Picture.objects.exists()
    assert "Who you will meet" not in text(page(client, "/"))


@pytest.mark.long
def test_mistakes_are_said_beside_their_field(staff_client):
    wrong = ANN | {"number": "12", "other_register": "A body", "register_link": "http://example.com/"}
    told = errors_of(save(staff_client, ADD, **wrong))
    for why in ("a HCPC number has two letters", "not both", "begins with https://"):
        assert why in told
    claim = "we cure back pain for good"
    for words in (
        ANN | {"role": claim},
        ANN | {"name": f"Ann Lee, {claim}"},
        ANN | {"name": f"ANN {claim.upper()}"},
        ANN | {"name": f"Ann O’Neill, {claim.title()}"},
        ANN | {"register": "", "other_register": claim},
    ):
        refused = save(staff_client, ADD, **words)
        assert f"{claim}”: Do not promise a cure." in errors_of(refused).replace(
            "We Cure Back Pain For Good", claim
        ).replace(claim.upper(), claim)
        assert values_of(refused)["role"] == words["role"]
    assert "Say which register" in errors_of(save(staff_client, ADD, **ANN | {"register": ""}))
    numberless = save(staff_client, ADD, **ANN | {"number": " "})
    assert "Enter their HCPC number" in errors_of(numberless)
    assert (values_of(numberless)["name"], values_of(numberless)["register"]) == ("Ann  Lee", "HCPC")
    both = save(staff_client, ADD, **ANN | {"upload": SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")})
    assert "We cannot read this file" in errors_of(both)
    # A number that nobody can look up: the website of a register that no sheet names is filled in, to be looked at first.
    nurse = ANN | {"register": "NMC", "number": "12A3456B", "register_link": ""}
    asked = save(staff_client, ADD, **nurse)
    assert "We filled in the register’s website." in errors_of(asked)
    [filled] = [each.get("value") for each in tree(asked).iter("input") if each.get("name") == "register_link"]
    assert filled == "https://www.nmc.org.uk/"
    body = ANN | {"register": "", "other_register": "A body", "register_link": ""}
    assert "Enter the register’s website" in errors_of(save(staff_client, ADD, **body))
    assert not TeamMember.objects.filter(name="Ann Lee").exists()
    save(staff_client, ADD, **body | {"other_register": "British Acupuncture Council"})
    assert TeamMember.objects.get(name="Ann Lee").link == "https://acupuncture.org.uk/"
    assert not errors_of(save(staff_client, ADD, **nurse | {"name": "Miracle Cure", "register_link": filled}))


def test_only_somebody_with_a_register_and_a_number_signs_off(client, author):
    reviewer = person("Clive", "clinician")
    TeamMember.objects.filter(account=reviewer).update(number="")
    sheet = draft(author)
    sheet.state = State.IN_REVIEW
    sheet.save()
    client.force_login(reviewer)
    due = (timezone.localdate() + timedelta(days=300)).isoformat()
    refused = move(client, sheet, Step.SIGNED_OFF, review_due_on=due)
    assert "Ask an owner to enter yours under “People who work here”" in text(tree(refused))
    TeamMember.objects.filter(account=reviewer).update(number="PH123456")
    move(client, sheet, Step.SIGNED_OFF, review_due_on=due)
    assert FactSheet.objects.get(pk=sheet.pk).reviewed_by == reviewer


@pytest.mark.both
def test_the_migration_takes_over_the_environments_lines_and_those_who_reviewed(author):
    reviewer = person("Clive", "clinician")
    published(author, reviewer)
    approver = User.objects.create_user("ada", first_name="Ada", last_name="Example")
    known = {"name": "Dr Ada Example", "register": "GMC", "number": "1234567"}
    approvals.record(subject="questions", version="1", digest="x", by=approver, **known)
    TeamMember.objects.all().delete()
    lines = ["Dr Ada Example, GP (GMC)", "Bo Li, acupuncturist (BAcC 12)", "The whole (team) of us, and more"]
    with override_settings(CLINIC_PEOPLE_AT_FIRST=lines):
        import_module("factsheets.migrations.0025_people").fill(apps, None)
    assert [(each.line, each.account, each.shown) for each in TeamMember.objects.all()] == [
        ("Dr Ada Example, GP (GMC 1234567)", approver, True),
        ("Bo Li, acupuncturist (BAcC 12)", None, True),
        ("The whole (team) of us, and more", None, True),
        ("Clive", reviewer, False),
    ]


def test_the_drawings_that_had_names_of_people_stay_chosen(db):
    tom = TeamMember.objects.create(name="Tom", drawing="people/tom.svg")
    import_module("factsheets.migrations.0038_drawings_named_by_what_they_show").forwards(apps, None)
    tom.refresh_from_db()
    assert tom.drawing in team.drawings()
