"""The three forms as a patient meets them: labels, hints, and every message of every field."""

import pytest

from backcare.core import addresses, phones
from backcare.core.forms import EMAIL_LENGTH, one_line
from enquiries.inbox import find
from enquiries.models import Enquiry
from enquiries.privacy import subject_access
from enquiries.request_forms.consultation import DESCRIPTION_LENGTH, SHORT_LENGTH
from enquiries.request_forms.form_state import FORMS
from enquiries.request_forms.forms import NAME_LENGTH, QUESTION_LENGTH
from tests.support.consultation_form import follow
from tests.support.forms import ADDRESSES, FIELDS, OPTIONAL, form
from tests.support.html import (
    by_id,
    controls,
    described,
    form_at,
    label,
    parse,
    sent,
    summary,
    text,
    title,
    value,
    visible,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

EMAIL = "Enter an email address in the correct format, like name@example.com"
LOCAL = "Use only the letters a to z, numbers and . _ - + before the @ sign. Our mail system cannot reach other addresses yet."
PHONE = "Enter a phone number, like 020 7946 0958 or +44 20 7946 0958"
SHEET = "We do not have that fact sheet. Choose one from the list."

# What is sent, in which field, and what the person reads.
PEOPLE = [
    ({"name": ""}, "name", "Enter your name"),
    ({"name": None}, "name", "Enter your name"),
    ({"name": " \t\u200b\x00 "}, "name", "Enter your name"),
    ({"name": "x" * (NAME_LENGTH + 1)}, "name", "Enter your name in 120 characters or fewer: remove 1"),
    ({"name": "x" * 10_000}, "name", "Enter your name in 120 characters or fewer: remove 9,880"),
    ({"email": ""}, "email", "Enter your email address"),
    ({"email": None}, "email", "Enter your email address"),
    ({"email": "ada"}, "email", EMAIL),
    ({"email": "ada@localhost"}, "email", EMAIL),
    ({"email": "ada@[127.0.0.1]"}, "email", EMAIL),
    ({"email": "ada@example.com, bob@example.com"}, "email", addresses.ONE),
    ({"email": "ada@back–care.example"}, "email", addresses.DASH),
    ({"email": "ada—example@example.com"}, "email", addresses.DASH),
    ({"email": "ada.o’neil@example.com"}, "email", addresses.QUOTE),
    ({"email": "ada at example.com"}, "email", addresses.WITH_AT),
    ({"email": "ada @example.com"}, "email", addresses.SPACE),
    ({"email": "ada@example.com."}, "email", addresses.END),
    ({"email": "Ada <ada@example.com>"}, "email", addresses.ONLY),
    ({"email": "ada@stra\u00dfe.example"}, "email", EMAIL),
    ({"email": "jürgen@example.com"}, "email", LOCAL),
    (
        {"email": "a" * (EMAIL_LENGTH - 11) + "@example.com"},
        "email",
        "Enter an email address of 254 characters or fewer: remove 1",
    ),
    ({"email": "a" * 10_000}, "email", "Enter an email address of 254 characters or fewer: remove 9,746"),
]
# Name and address are the same two fields in every form: each of the others is asked for one that is missing and one that is wrong.
NAME_AND_EMAIL = [case for number, case in enumerate(PEOPLE) if number in {0, 4, 5, 7}]
THEIRS = {name: OPTIONAL["consultation"][name] for name in ("their_name", "they_are", "they_agree")}
DESCRIPTION = f"Shorten your description to {DESCRIPTION_LENGTH:,} characters or fewer"
ERRORS = {
    "report": [
        *NAME_AND_EMAIL,
        ({"sheet": ""}, "sheet", "Choose the fact sheet you want"),
        ({"sheet": None}, "sheet", "Choose the fact sheet you want"),
        ({"sheet": "no-such-sheet"}, "sheet", SHEET),
        ({"sheet": "about-back-pain\x00'; --" + "x" * 10_000}, "sheet", SHEET),
    ],
    "consultation": [
        *NAME_AND_EMAIL,
        ({"contact_by": None}, "contact_by", "Choose how we should contact you"),
        ({"contact_by": ["pigeon"]}, "contact_by", "Choose phone, video call or email"),
        ({"phone": ""}, "phone", "Enter your phone number, so that we can call you"),
        ({"phone": "call me maybe"}, "phone", PHONE),
        ({"phone": "O20 7946 0018"}, "phone", phones.LETTERS),
        ({"phone": "0800 FLOWERS"}, "phone", phones.LETTERS),
        ({"phone": "07700 900123 after 6"}, "phone", "Enter only the number, without “after 6”"),
        ({"phone": "home 020 7946 0018"}, "phone", "Enter only the number, without “home”"),
        ({"phone": "020 7946 0018 or 020 7946 0019"}, "phone", phones.TWO),
        ({"phone": "18001 020 7946 0018/07700 900123"}, "phone", phones.TWO),
        ({"phone": "0207946001807700900123"}, "phone", phones.TOO_LONG),
        ({"phone": "1" * 10_000}, "phone", phones.TOO_LONG),
        ({"phone": "12"}, "phone", phones.TOO_SHORT),
        ({"phone": "7946 0018"}, "phone", phones.TOO_SHORT),
        ({"phone": "07700 90012"}, "phone", phones.TOO_SHORT),
        ({"phone": "18001"}, "phone", PHONE),
        ({"phone": "+999 123 456 789"}, "phone", phones.COUNTRY),
        ({"phone": "01111 111111"}, "phone", phones.NOT_REAL),
        ({"may_leave_voicemail": None}, "may_leave_voicemail", "Choose whether we may leave a voicemail"),
        ({"may_leave_voicemail": ["pigeon"]}, "may_leave_voicemail", "Choose yes or no"),
        ({"may_say_who_calls": ""}, "may_say_who_calls", "Choose whether we may say who is calling"),
        ({"may_say_who_calls": ["pigeon"]}, "may_say_who_calls", "Choose yes or no"),
        ({"days": ["pigeon"]}, "days", "Choose days from the list"),
        ({"day_parts": ["pigeon"]}, "day_parts", "Choose times of day from the list"),
        ({"best_time": "x" * (SHORT_LENGTH + 1)}, "best_time", "Use 120 characters or fewer: remove 1"),
        ({"for_whom": None}, "for_whom", "Choose who this is for"),
        ({"for_whom": ["pigeon"]}, "for_whom", "Choose one from the list"),
        ({"for_whom": "other", **THEIRS, "their_name": ""}, "their_name", "Enter the name of the person this is for"),
        ({"for_whom": "other", **THEIRS, "they_are": ["pigeon"]}, "they_are", "Choose one from the list"),
        ({"for_whom": "other", **THEIRS, "they_agree": ["pigeon"]}, "they_agree", "Choose one from the list"),
        ({"needs": ["pigeon"]}, "needs", "Choose from the list, or tell us in your own words below"),
        ({"needs": ["interpreter"]}, "language", "Enter the language that you need an interpreter for"),
        ({"language": "x" * (SHORT_LENGTH + 1)}, "language", "Use 120 characters or fewer: remove 1"),
        ({"needs_note": "x" * (SHORT_LENGTH + 1)}, "needs_note", "Use 120 characters or fewer: remove 1"),
        ({"how_long": ["pigeon"]}, "how_long", "Choose one from the list"),
        ({"where": ["pigeon"]}, "where", "Choose one from the list"),
        ({"seen": ["pigeon"]}, "seen", "Choose from the list"),
        ({"description": ""}, "description", "Tell us briefly about your back pain"),
        ({"description": "x" * (DESCRIPTION_LENGTH + 1)}, "description", f"{DESCRIPTION}: remove 1"),
        ({"description": "y\r\n" * 3_334}, "description", f"{DESCRIPTION}: remove 6,167"),
    ],
    "question": [
        *PEOPLE,
        ({"description": ""}, "description", "Write your question"),
        (
            {"description": "x" * 10_000},
            "description",
            f"Shorten your question to {QUESTION_LENGTH:,} characters or fewer: remove 9,000",
        ),
    ],
}
CASES = [
    pytest.param(kind, *case, id=f"{kind}-{case[1]}-{number}")
    for kind, cases in ERRORS.items()
    for number, case in enumerate(cases)
]


def first_control(page_form, name: str):
    return next(control for control in visible(page_form) if control.get("name") == name)


@pytest.mark.parametrize(("kind", "changes", "field", "message"), CASES)
def test_an_error_is_an_instruction_linked_to_its_field_and_nothing_typed_is_lost(
    client, kind, changes, field, message
):
    data = form(kind, **changes)
    response = client.post(ADDRESSES[kind], data)
    assert response.status_code == 422
    assert "no-store" in response["Cache-Control"]
    document = parse(response)
    assert title(document).startswith("Error: ")
    page_form = form_at(document, ADDRESSES[kind])

    first = next(part for part in page_form.iter() if part is not page_form)
    assert summary(page_form) is first, "The error summary is not the first thing in the form."
    assert text(by_id(document, first.get("aria-labelledby"))) == "There is a problem"
    links = {text(link): link.get("href") for link in first.iter("a")}
    assert list(links) == [message]

    control = by_id(document, links[message].removeprefix("#"))
    assert control is first_control(page_form, f"{kind}-{field}")
    assert message in described(document, control)
    assert "Error:" in described(document, control)
    if control.get("type") not in {"checkbox", "radio"}:
        assert control.get("aria-invalid") == "true"

    shown = sent(page_form)
    for name, typed in data.items():
        if name in {f"{kind}-sheet", f"{kind}-step", f"{kind}-seal"} or typed == ["pigeon"]:
            continue  # chosen from a list, where a foreign value has no place, or said by a button
        if not typed:
            continue  # nothing was typed
        typed = typed if isinstance(typed, list) else [typed]
        # A browser shows NUL as "�" and turns every line break into one character.
        assert shown[name] == [part.replace("\r\n", "\n").replace("\x00", "\ufffd") for part in typed]
    assert not Enquiry.objects.exists()


def test_every_visible_field_has_its_messages_tested():
    for kind, form_class in FORMS.items():
        tested = {field for _, field, _ in ERRORS[kind]}
        made = form_class(prefix=kind, action="/")
        names = {name for step in made.steps for name in step.fields} & set(made.fields)
        assert tested == names
        messages = {message for _, _, message in ERRORS[kind]}
        for name in names:
            if made.fields[name].required:
                assert made.fields[name].error_messages["required"] in messages


@pytest.mark.parametrize("kind", FORMS)
def test_an_empty_form_names_every_field_its_first_page_needs_in_order(client, kind):
    document = parse(follow(client, client.post(ADDRESSES[kind], {})))
    page_form = form_at(document, ADDRESSES[kind])
    linked = [by_id(document, link.get("href")[1:]).get("name") for link in summary(page_form).iter("a")]
    order = list(dict.fromkeys(control.get("name") for control in visible(page_form)))
    assert linked == [name for name in order if name in linked]
    needed = {"report": ["sheet", "name", "email"], "consultation": ["for_whom"]}
    assert linked == [f"{kind}-{name}" for name in needed.get(kind, ["name", "email", "description"])]


def pages(client, kind: str) -> list:
    """The form's own page, and of a consultation every further one that this person is asked."""
    if kind != "consultation":
        return [client.get(ADDRESSES[kind])]
    whole = client.post(ADDRESSES[kind], form(kind, **OPTIONAL[kind], step=None))
    assert whole.status_code == 200
    return [client.get(ADDRESSES[kind]), *(client.get(f"/{kind}/{step.name}/") for step in FORMS[kind].steps[1:])]


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_has_visible_labels_and_tied_hints_and_never_cuts_what_is_pasted(client, kind):
    asked = set()
    for response in pages(client, kind):
        if response.status_code == 303:  # nobody here holds a self-assessment
            continue
        document = parse(response)
        assert not title(document).startswith("Error")
        page_form = form_at(document, ADDRESSES[kind])
        assert summary(page_form) is None
        asked |= {control.get("name") for control in visible(page_form)}
        fields = FORMS[kind](prefix=kind, action="/").fields
        for control in visible(page_form):
            assert label(document, control), f"{control.get('name')} has no label"
            assert control.get("placeholder") is None
            assert control.get("maxlength") is None
            assert control.get("required") is None
            assert control.get("aria-invalid") is None
            hint = fields[control.get("name").split("-", 1)[1]].help_text
            assert hint in described(document, control)
        for group in page_form.iter("fieldset"):
            assert text(next(group.iter("legend")))
    assert asked == {f"{kind}-{name}" for name in FIELDS[kind] | OPTIONAL.get(kind, {})}


def test_the_report_form_on_a_fact_sheet_is_sent_to_its_own_page_and_accepted(client, sheet):
    document = parse(client.get(sheet.get_absolute_url()))
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), "Two elements of the page share an id."
    page_form = form_at(document, ADDRESSES["report"])
    typed = {name: part for name, part in form("report").items() if not name.endswith("-sheet")}
    assert set(typed) <= {control.get("name") for control in controls(page_form)}
    response = client.post(page_form.get("action"), sent(page_form) | typed)
    assert (response.status_code, response["Location"].startswith("/report/sent/")) == (303, True)
    assert Enquiry.objects.get(kind="report").sheet == sheet


def test_a_mistake_made_on_a_fact_sheet_keeps_the_sheet(client, sheet):
    page_form = form_at(parse(client.get(sheet.get_absolute_url())), ADDRESSES["report"])
    document = parse(follow(client, client.post(ADDRESSES["report"], sent(page_form))))
    assert title(document).startswith("Error: ")
    assert sent(form_at(document, ADDRESSES["report"]))["report-sheet"] == [sheet.slug]


def test_the_form_of_a_sheet_is_opened_with_that_sheet_chosen(client, sheet):
    page_form = form_at(parse(client.get(f"/report/?sheet={sheet.slug}")), "/report/")
    assert value(first_control(page_form, "report-sheet")) == sheet.slug


def test_a_choice_that_no_longer_needs_a_phone_number_needs_none(client):
    response = client.post("/consultation/", form("consultation", contact_by=["video", "email"], phone=""))
    assert response.status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.by_phone, kept.by_video, kept.by_email, kept.phone) == (False, True, True, "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("020 7946 0018", "+442079460018"),
        ("(020) 7946-0018", "+442079460018"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("0044 20 7946 0018", "+442079460018"),
        ("０２０ ７９４６ ００１８", "+442079460018"),
        ("020\u200b7946\x000018\u202e", "+442079460018"),
        ("020 7946 0018 ext. 12", "+442079460018 ext. 12"),
        ("020 7946 0018 x12", "+442079460018 ext. 12"),
        ("020 7946 0958", "+442079460958"),
        ("+44 20 7946 0958", "+442079460958"),
        ("07700 900123", "+447700900123"),  # kept for plays by Ofcom: in no range that a library knows, as a new one is
        ("18001 020 7946 0018", "18001 +442079460018"),
        ("18002-02079460018 x12", "18002 +442079460018 ext. 12"),
        ("１８００１ +44 20 7946 0018", "18001 +442079460018"),
    ],
)
def test_a_phone_number_is_taken_in_any_form_and_kept_whole(client, typed, kept):
    assert client.post("/consultation/", form("consultation", phone=typed)).status_code == 303
    enquiry = Enquiry.objects.get()
    assert enquiry.phone == kept
    assert ("Text relay" in enquiry.needs) is (" +" in kept)
    assert [*find.find(one_line(typed)).pks] == [enquiry.pk]
    assert [*find.find(phones.parts(kept).e164).pks] == [enquiry.pk], "Found without the prefix as well."
    assert subject_access.find(one_line(typed)) == [enquiry]
    assert phones.read(phones.in_words(kept)) == kept


def test_a_text_relay_number_is_shown_and_dialled_with_its_prefix(client, staff):
    several = form("consultation", phone="18001 020 7946 0018", step=None, needs_note="")
    first = client.post("/consultation/", several)
    said = text(parse(first))
    assert "18001 020 7946 0018" in said
    assert "Text relay" in said
    client.post("/consultation/", form("consultation", phone="18001 020 7946 0018"))
    client.force_login(staff)
    page = parse(client.get(Enquiry.objects.get().get_admin_url()))
    links = {(each.get("href"), text(each)) for each in page.iter("a") if "tel" in each.get("class", "").split()}
    assert links == {("tel:1800102079460018", "18001 020 7946 0018")}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" ada@example.com\t", "ada@example.com"),
        ("ada＠ｅｘａｍｐｌｅ．com", "ada@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.example", "ada@xn--r8jz45g.example"),
        ("ada.o'neil+back_1@example.com", "ada.o'neil+back_1@example.com"),
        ("\u202eada\u200b@exam\u200dple.com\x00", "ada@example.com"),
        ("a" * (EMAIL_LENGTH - 12) + "@example.com", "a" * (EMAIL_LENGTH - 12) + "@example.com"),
    ],
)
def test_an_email_address_is_taken_as_people_and_keyboards_write_it(client, typed, kept):
    assert client.post("/question/", form("question", email=typed)).status_code == 303
    assert Enquiry.objects.get().email == kept
