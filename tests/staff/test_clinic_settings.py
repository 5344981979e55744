"""The owner's page of the clinic's settings, read back where patients are."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backcare.core import clinic
from backcare.core.models import ClinicSettings, ClinicSettingsEdition
from enquiries.models import ClinicHours
from factsheets.rendering import printed
from tests.factsheets.rendering.test_pdf_cache import words_of
from tests.support.desk import tree
from tests.support.html import text
from tests.support.outbox import deliver, question
from tests.support.reading import page

PATH = "/admin/clinic/"


@pytest.fixture
def owner(client, staff):
    client.force_login(staff)
    return client


def filled(client, **changes) -> dict[str, str]:
    """The form as the page shows it, with what the owner types."""
    form = client.get(PATH).context["form"]
    return {name: form[name].value() for name in form.fields if name != "shorter"} | changes


def test_a_change_is_on_pages_a_leaflet_and_a_mail_at_once_and_in_the_history(owner, sheet, mail_through):
    reader = Client()
    pages = ("/", "/about/", "/get-help-now/", sheet.get_absolute_url())
    for path in pages:
        assert "Larkfield Back Clinic" in text(page(reader, path))
    assert "A&E near our clinic" not in text(page(reader, "/get-help-now/"))
    changes = {
        "name": "Harbour Spine Clinic",
        "phone": "+44 20 7946 0123",
        "inbox_email": "desk@harbour.example",
        "map_link": "https://maps.example/harbour",
        "hospital_name": "Harbour General",
        "hospital_address": "2 Quay Road",
        "prices": "First visit: £70\n\n  Later   visits: £50 ",
        "nation": "scotland",
        "report_retention_days": "40",
        "colour": "navy",
    }
    response = owner.post(PATH, filled(owner, **changes), follow=True)
    assert response.status_code == 200
    for path in pages:
        said = text(page(reader, path))
        assert "Harbour Spine Clinic" in said
        assert "Larkfield Back" not in said
        assert "020 7946 0123" in said
    assert {"First visit: £70", "Later visits: £50"} <= set(clinic.details()["prices"])
    assert "Harbour General" in text(page(reader, "/get-help-now/"))
    assert "https://maps.example/harbour" in reader.get("/about/").content.decode()
    assert ClinicHours.objects.get().nation == "scotland"
    assert "40 days" in text(page(reader, "/privacy/"))
    assert "Harbour Spine Clinic" in words_of(printed.leaflet(sheet))
    question()
    deliver()
    assert ["desk@harbour.example"] in mail_through.recipients
    assert "css/colour-navy." in reader.get("/").content.decode()
    for mail in mail_through.messages:
        html = mail.get_body(("html",)).get_content()
        assert "#1E4B7A" in html
        assert "#1F5A54" not in html
    assert {"Harbour Spine Clinic" in mail["From"] for mail in mail_through.messages} == {True}
    said = text(page(owner, PATH))
    assert "Name: “Larkfield Back Clinic” became “Harbour Spine Clinic”" in " ".join(said.split())
    assert "Nation: “england”" not in said  # the first values have none
    logged = LogEntry.objects.get()
    assert "name, phone" in logged.get_change_message()
    assert "Harbour" not in logged.get_change_message()


def test_two_owners_at_once_lose_nothing(owner):
    theirs, mine = filled(owner, phone="020 7946 0111"), filled(owner, name="Mine")
    owner.post(PATH, theirs)
    refused = owner.post(PATH, mine)
    assert ClinicSettings.objects.get().name == "Larkfield Back Clinic"
    assert "Their changes are in the form now" in text(tree(refused))
    form = refused.context["form"]
    assert (form["name"].value(), form["phone"].value()) == ("Mine", "020 7946 0111")
    both = {name: form[name].value() for name in form.fields if name != "shorter"}
    owner.post(PATH, filled(owner, name="Theirs"))
    refused = owner.post(PATH, both)
    assert "Name is now “Theirs”" in text(tree(refused))
    owner.post(PATH, both | {"version": refused.context["form"]["version"].value()})
    row = ClinicSettings.objects.get()
    assert (row.name, row.phone, row.version) == ("Mine", "020 7946 0111", 4)
    assert ClinicSettingsEdition.objects.count() == 4


def test_what_a_colleague_saved_is_kept_although_the_first_edition_or_the_version_does_not_know_it(owner):
    theirs, mine = filled(owner, nation="scotland", colour="navy"), filled(owner, phone="020 7946 0111")
    mine["initial-nation"] = mine["nation"]
    owner.post(PATH, theirs)
    form = owner.post(PATH, mine).context["form"]
    assert (form["nation"].value(), form["colour"].value(), form["phone"].value()) == (
        "scotland",
        "navy",
        mine["phone"],
    )
    assert "Colour: “pine” became “navy”" in " ".join(text(page(owner, PATH)).split())
    again = {name: form[name].value() for name in form.fields if name != "shorter"} | {"initial-nation": "scotland"}
    ClinicHours.objects.update(nation="wales")  # on the page of the opening hours
    assert "Saved: phone." in text(tree(owner.post(PATH, again, follow=True)))
    assert ClinicHours.objects.get().nation == "wales"
    assert 'name="initial-nation" value="wales"' in owner.get(PATH).content.decode()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Enter the clinic’s name."),
        ({"phone": "call us"}, "Enter a phone number"),
        ({"phone": "18001 020 7946 0123"}, "without text relay"),
        ({"email": "clinic@localhost"}, "correct format"),
        ({"map_link": "javascript:alert(1)"}, "Enter a"),
        ({"map_link": "http://maps.example/"}, "starts with https://"),
        ({"hospital_phone": "020 7946 0123"}, "Enter the hospital’s name and address"),
        ({"report_retention_days": "366"}, "from 1 to 365"),
        ({"enquiry_retention_months": "6"}, "Tick this too"),
        ({"nation": "france"}, "Select a valid choice"),
        ({"interest_statement": "Acupuncture cures back pain."}, "“Acupuncture cures back pain.”"),
        ({"prices": "x" * 121}, "Shorten the line"),
        ({"colour": "#FF0000"}, "might not stand out enough"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason_and_kept_in_the_form(owner, typed, said):
    response = owner.post(PATH, filled(owner, address="9 New Street", **typed))
    assert said in text(tree(response))
    assert response.context["form"]["address"].value() == "9 New Street"
    assert ClinicSettings.objects.get().version == 1


def test_only_owners_open_it(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("rae", password="x", is_staff=True))
    assert client.get(PATH).status_code == client.post(PATH, {}).status_code == 403
