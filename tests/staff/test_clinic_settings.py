"""The owner's page of the clinic's settings, read back where patients are."""

from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from PIL import Image

from backcare.core import clinic
from backcare.core.models import INTEREST_STATEMENT, ClinicSettings, ClinicSettingsEdition
from enquiries.models import ClinicHours, Closure, OpeningHours, ReplyTemplate
from factsheets import pictures
from factsheets.models import FactSheet, TeamMember
from factsheets.rendering import printed
from tests.factsheets.rendering.test_pdf_cache import words_of
from tests.support.desk import conflict_in, save, values_of
from tests.support.html import text, tree
from tests.support.outbox import deliver, html_of, question
from tests.support.outbox import words_of as words_in
from tests.support.pictures import made
from tests.support.reading import page

PATH = "/admin/clinic/"
EARLIER = PATH + "earlier/{}/"


def png(size=(480, 120)) -> BytesIO:
    file = BytesIO(made("PNG", size))
    file.name = "logo.png"
    return file


@pytest.fixture
def owner(client, staff):
    client.force_login(staff)
    return client


def filled(client, **changes) -> dict[str, str]:
    """The form as the page shows it, with what the owner types."""
    form = client.get(PATH).context["form"]
    return {name: form[name].value() for name in form.fields if name not in {"shorter", "logo"}} | changes


@pytest.mark.long
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
        "acupuncture_prices": "Needles, 30 minutes: £45",
        "nation": "scotland",
        "report_retention_days": "40",
        "colour": "navy",
        "sender_name": "Harbour bookings",
        "sender_email": "bookings@harbour.example",
    }
    response = owner.post(PATH, filled(owner, **changes), follow=True)
    assert response.status_code == 200
    for path in pages:
        said = text(page(reader, path))
        assert "Harbour Spine Clinic" in said
        assert "Larkfield Back" not in said
        assert "020 7946 0123" in said
    assert {"First visit: £70", "Later visits: £50"} <= set(clinic.details()["prices"])
    # Each page that says what a treatment costs says that of its own treatment, on paper too.
    for slug, theirs, others in (
        ("acupuncture-for-back-pain", "Needles, 30 minutes: £45", "First visit: £70"),
        ("manual-therapy-for-back-pain", "First visit: £70", "Needles, 30 minutes: £45"),
    ):
        about = FactSheet.objects.get(slug=slug)
        printed_words = [" ".join(words_of(each(about)).split()) for each in (printed.leaflet, printed.whole)]
        plain = " ".join(reader.get(f"{about.get_absolute_url()}text/").content.decode().split())
        for said in (text(page(reader, about.get_absolute_url())), plain, *printed_words):
            assert theirs in said and others not in said
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
    assert {mail["From"] for mail in mail_through.messages} == {"Harbour bookings <bookings@harbour.example>"}
    said = text(page(owner, PATH))
    assert "Name: “Larkfield Back Clinic” became “Harbour Spine Clinic”" in " ".join(said.split())
    assert "Nation: “England” became “Scotland”" in " ".join(said.split())
    logged = LogEntry.objects.get()
    assert "name: “Larkfield Back Clinic” became “Harbour Spine Clinic”; phone: “" in logged.get_change_message()


def test_two_owners_at_once_lose_nothing(owner):
    theirs, mine = filled(owner, phone="020 7946 0111"), filled(owner, name="Mine")
    owner.post(PATH, theirs)
    refused = owner.post(PATH, mine)
    assert ClinicSettings.objects.get().name == "Larkfield Back Clinic"
    assert "Their changes are in the form now" in text(tree(refused))
    form = refused.context["form"]
    assert (form["name"].value(), form["phone"].value()) == ("Mine", "020 7946 0111")
    both = {name: form[name].value() for name in form.fields if name not in {"shorter", "logo"}}
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
    assert "Colour: “Pine” became “Navy”" in " ".join(text(page(owner, PATH)).split())
    again = {name: form[name].value() for name in form.fields if name not in {"shorter", "logo"}} | {
        "initial-nation": "scotland"
    }
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
        ({"sender_email": "bookings@localhost"}, "correct format"),
        ({"logo": BytesIO(b"<svg/>")}, "We cannot read this file as a picture"),
        ({"logo": png((100, 50))}, "at least 160 pixels wide"),
        ({"logo": png(), "phone": "call us"}, "Choose the picture again"),
        ({"map_link": "javascript:alert(1)"}, "Enter a"),
        ({"map_link": "http://maps.example/"}, "starts with https://"),
        ({"hospital_phone": "020 7946 0123"}, "Enter the hospital’s name and address"),
        ({"report_retention_days": "366"}, "from 1 to 365"),
        ({"enquiry_retention_months": "6"}, "Tick this too"),
        ({"nation": "france"}, "Select a valid choice"),
        ({"interest_statement": "Acupuncture cures back pain."}, "“Acupuncture cures back pain.”"),
        ({"prices": "x" * 121}, "Shorten the line"),
        ({"acupuncture_prices": "Acupuncture cures: £5"}, "“Acupuncture cures: £5”"),
        ({"has_no_rooms": "on"}, "Take the address out"),
        ({"colour": "#FF0000"}, "might not stand out enough"),
    ],
)
@pytest.mark.once
def test_what_cannot_be_shown_is_refused_with_the_reason_and_kept_in_the_form(owner, typed, said):
    response = owner.post(PATH, filled(owner, address="9 New Street", **typed))
    assert said in text(tree(response))
    assert response.context["form"]["address"].value() == "9 New Street"
    assert ClinicSettings.objects.get().version == 1


def logo_in(mail) -> tuple[Image.Image, str]:
    """The only picture of a mail's HTML, out of the mail itself, and its text alternative."""
    [shown] = html_of(mail).findall(".//img")
    [part] = [each for each in mail.walk() if each["Content-ID"] == f"<{shown.get('src').removeprefix('cid:')}>"]
    assert part.get_content_disposition() == "inline"
    assert len(part.get_content()) <= pictures.MAIL_LOGO_BYTES
    picture = Image.open(BytesIO(part.get_content()))
    assert (int(shown.get("width")) * 2, int(shown.get("height")) * 2) == picture.size
    return picture, shown.get("alt")


def colours_of(image: bytes) -> set[tuple[int, ...]]:
    with Image.open(BytesIO(image)) as picture:
        return {colour[:3] for number, colour in picture.getcolors(picture.width * picture.height) if number > 500}


@pytest.mark.long
def test_a_logo_heads_pages_pdfs_mails_and_the_card_and_goes_and_comes_back_in_one_press(owner, sheet, mail_through):
    reader, path = Client(), sheet.get_absolute_url()
    bare, bare_card = printed.leaflet(sheet), reader.get("/card.png").content
    for size, is_wide, in_mail in (((480, 120), True, (352, 88)), ((300, 300), False, (88, 88))):
        owner.post(PATH, filled(owner, logo=png(size)))
        head = tree(reader.get(path)).find(".//a[@class='brand']")
        image = head.find("img")
        name = text(head), image.get("alt")
        assert name == (("", "Larkfield Back Clinic") if is_wide else ("Larkfield Back Clinic", ""))
        assert (image.get("width"), image.get("height")) == tuple(map(str, size))
        assert reader.get(image.get("src"))["Content-Type"] == "image/jpeg"
        assert printed.leaflet(sheet).count(b"/DCTDecode") == bare.count(b"/DCTDecode") + 1
        assert printed.whole(sheet, large_print=True).count(b"/DCTDecode") == 1
        question(email=f"{size[0]}@example.com")
        deliver()
        picture, alt = logo_in(mail_through.messages[-1])
        assert (picture.size, alt) == (in_mail, "Larkfield Back Clinic" if is_wide else "")
        assert ("Larkfield Back Clinic" in words_in(mail_through.messages[-1]).partition("Hello")[0]) is not is_wide
        # A page cannot look into a mail: a preview on the desk shows the picture of the website.
        wording = owner.get("/admin/enquiries/wordingedition/report/").context["preview"]
        assert f'src="{image.get("src")}"' in wording.html
        red = {each for each in colours_of(reader.get("/card.png").content) if each[0] > 190 and max(each[1:]) < 40}
        assert red, "The card shows no logo."
    assert "logo" in owner.post(PATH, filled(owner, remove_logo="1"), follow=True).content.decode()
    assert tree(reader.get(path)).find(".//a[@class='brand']/img") is None
    assert printed.leaflet(sheet) == bare
    assert reader.get("/card.png").content == bare_card
    owner.post(PATH, filled(owner, colour="navy"))
    assert (0x1E, 0x4B, 0x7A) in colours_of(reader.get("/card.png").content) - colours_of(bare_card)
    owner.post(PATH, filled(owner, colour="pine"))
    question()
    deliver()
    assert not html_of(mail_through.messages[-1]).findall(".//img")
    pictures.discard_unused()  # as after each work on a figure
    assert "Put back: logo" in text(tree(owner.post(EARLIER.format(2), {"opened": "6"}, follow=True)))
    src = tree(reader.get(path)).find(".//a[@class='brand']/img").get("src")
    assert reader.get(src).status_code == 200


def test_earlier_settings_are_compared_word_by_word_and_put_back(owner):
    owner.post(PATH, filled(owner, name="Harbour Back Clinic", report_retention_days="40", nation="wales"))
    owner.post(PATH, filled(owner, interest_statement="We sell massage.", report_retention_days="50"))
    shown = tree(owner.get(EARLIER.format(2)))
    assert [text(each) for each in shown.findall(".//del")][-1] == "50"
    assert "acupuncture among them" in " ".join(text(each) for each in shown.findall(".//ins"))
    assert "Name" not in text(shown.find(".//section")), "It is the same in both."
    refused = owner.post(EARLIER.format(2), {"opened": "3"})
    assert "Tick this too" in text(tree(refused))
    late = owner.post(EARLIER.format(2), {"opened": "2", "shorter": "on"})
    assert "Compare again" in text(tree(late))
    assert ClinicSettings.objects.get().version == 3
    owner.post(EARLIER.format(2), {"opened": "3", "shorter": "on"})
    row = ClinicSettings.objects.get()
    assert (row.report_retention_days, row.version, row.name) == (40, 4, "Harbour Back Clinic")
    assert "acupuncture among them" in row.interest_statement
    owner.post(EARLIER.format(1), {"opened": "4", "shorter": "on"})
    assert ClinicSettings.objects.get().name == "Larkfield Back Clinic"
    assert ClinicHours.objects.get().nation == "england"
    assert (
        "Put back settings 1: name: “Harbour Back Clinic” became “Larkfield Back Clinic”"
        in LogEntry.objects.first().get_change_message()
    )
    typed = filled(owner, default="interest_statement", interest_statement="Ours.", name="Typed")
    owner.post(PATH, typed | {"phone": ""})
    assert ClinicSettings.objects.get().name == "Larkfield Back Clinic", "What cannot be saved is not, default or no."
    owner.post(PATH, typed)
    row = ClinicSettings.objects.get()
    assert (row.interest_statement, row.name) == (INTEREST_STATEMENT, "Typed"), "One press saves it."
    assert owner.get(EARLIER.format(9)).status_code == 404


@pytest.mark.long
def test_the_second_of_two_saves_is_told_of_the_first_and_loses_nothing(owner, staff):
    person = TeamMember.objects.create(name="Ann Lee", role="physio")
    template = ReplyTemplate.objects.first()
    closure = Closure.objects.create(first_day="2027-03-01", last_day="2027-03-01", reason="Training")
    for record, path, field, theirs, mine in (
        (person, f"/admin/factsheets/teammember/{person.pk}/change/", "role", "osteopath", "physiotherapist"),
        (template, f"/admin/enquiries/replytemplate/{template.pk}/change/", "name", "Theirs", "Mine"),
        (closure, f"/admin/enquiries/closure/{closure.pk}/change/", "reason", "Staff training", "Team day"),
        (ClinicHours.objects.get(), "/admin/enquiries/clinichours/", "within_hours", "5", "6"),
    ):
        opened = values_of(owner.get(path))
        save(owner, path, **{field: theirs})
        refused = owner.post(path, opened | {field: mine})
        said = " ".join(text(tree(refused)).split())
        assert f"{staff.get_full_name() or staff.username} saved this while you had it open." in said
        assert list(conflict_in(refused).values()) == [(theirs, mine)]
        record.refresh_from_db()
        assert str(getattr(record, field)) == theirs
        meant = values_of(refused)
        assert meant[field] == mine
        owner.post(path, meant)
        record.refresh_from_db()
        assert str(getattr(record, field)) == mine
    path = "/admin/enquiries/clinichours/"
    opened = values_of(owner.get(path))
    OpeningHours.objects.filter(weekday=1).update(opens="08:15")
    assert "saved this while you had it open" in text(tree(owner.post(path, opened))), "The lines count too."


def test_only_owners_open_it(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("rae", password="x", is_staff=True))
    assert client.get(EARLIER.format(1)).status_code == 403
    assert client.get(PATH).status_code == client.post(PATH, {}).status_code == 403
