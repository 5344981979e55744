"""The private summary behind the report's link: asked for, sent, opened, guessed at, shared, and deleted."""

import io
import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from enquiries.assessment import cookie
from enquiries.assessment.flags import flags
from enquiries.models import Assessment, Enquiry, EnquiryEvent, OutgoingMessage
from enquiries.outbox import Worker
from enquiries.report import consent
from tests.assessment import answers, finish
from tests.conftest import report as plain_report
from tests.honest import form
from tests.html import parse, text, title
from tests.outbox import deliver, html_of, text_of
from tests.reading import packed

HEALTH_WORDS = ("answer", "symptom", "self-care", "see a gp about", "urgent", "you told us", "look after your back")
QUESTION = "Include my answers?"


def patient(**given) -> Client:
    """A browser that has finished the self-assessment."""
    client = Client()
    kept = cookie.Kept(answers(**given), done=True)
    client.cookies[cookie.name()] = cookie.sealed(kept, known=flags(), now=time.time())
    return client


def ask(client: Client, **changes):
    return client.post("/report/", form("report", **changes))


def summary_link(mail) -> str:
    found = set(re.findall(r"https?://[^\s\"<>]*(/report/summary/[^\s\"<>]+)", text_of(mail)))
    assert len(found) == 1, "The mail holds one link to the summary."
    link = found.pop()
    assert link in " ".join(a.get("href") for a in html_of(mail).iter("a"))
    return link


@pytest.fixture
def sent(db, mail_through):
    """A report with a summary, delivered. The browser that opens the link is another one: it holds no cookie."""
    assert ask(patient(limits="stops"), include_answers="yes").status_code == 303
    deliver()
    return summary_link(mail_through.messages[-1])


def open_with(link: str, email: str = "ada@example.com", **extra):
    return Client().post(link, {"email": email}, **extra)


def pass_in(response) -> str:
    return parse(response).find(".//input[@name='pass']").get("value")


# --- the question ---


def test_who_has_no_finished_assessment_is_not_asked(db):
    client = Client()
    assert QUESTION not in client.get("/report/").content.decode()
    client.post("/check/1/", {"emergency": "none"})
    assert QUESTION not in client.get("/report/").content.decode()
    assert ask(Client()).status_code == 303
    assert not Assessment.objects.exists()


def test_the_default_is_no_and_the_consent_is_said_in_full(db):
    page = parse(patient().get("/report/"))
    radios = {each.get("value"): each for each in page.findall(".//input[@name='report-include_answers']")}
    assert set(radios) == {"no", "yes"}
    assert radios["no"].get("checked") is not None
    assert radios["yes"].get("checked") is None
    assert consent.wording() in text(page)


@pytest.mark.parametrize("given", [{"urgent": ["RF-U4"]}, {"age": "under_18"}])
def test_nobody_is_asked_where_the_table_offers_no_form(db, given):
    client = patient(**given)
    assert QUESTION not in client.get("/report/").content.decode()
    assert ask(client, include_answers="yes").status_code == 200
    assert not Enquiry.objects.exists()


def test_no_keeps_no_answers(db):
    assert ask(patient(), include_answers="no").status_code == 303
    assert Enquiry.objects.count() == 1
    assert not Assessment.objects.exists()


def test_yes_keeps_the_result_and_the_answers_and_the_consent(db):
    client = Client()
    finish(client, limits="stops")
    told = text(parse(client.get("/check/result/")).find(".//main"))
    assert ask(client, include_answers="yes").status_code == 303
    kept = Assessment.objects.get()
    assert kept.consent_version == consent.VERSION
    assert kept.result["heading"] in told
    assert any("stops daily activity" in each for part in kept.answers for each in part["parts"][0]["answers"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT told FROM enquiries_assessment")
        assert b"daily" not in bytes(cursor.fetchone()[0])


def test_the_form_of_a_sheet_brings_one_more_question_and_keeps_what_was_typed(db):
    client = patient()
    response = ask(client)
    page = parse(response)
    assert response.status_code == 200
    assert "One more question" in text(page)
    assert page.find(".//input[@name='report-name']").get("value") == "Ada Example"
    assert page.find(".//option[@selected]").get("value") == "about-back-pain"
    assert not Enquiry.objects.exists()


def test_answers_that_are_gone_by_then_are_said_to_be_gone_and_nothing_typed_is_lost(db):
    response = ask(Client(), include_answers="yes")
    page = parse(response)
    assert response.status_code == 200
    assert "no longer in this browser" in text(page)
    assert page.find(".//input[@name='report-email']").get("value") == "ada@example.com"
    assert not Enquiry.objects.exists()
    assert ask(Client()).status_code == 303


def test_an_error_keeps_the_choice(db):
    response = ask(patient(), include_answers="yes", email="ada@")
    assert response.status_code == 422
    assert parse(response).find(".//input[@name='report-include_answers'][@checked]").get("value") == "yes"


def test_another_choice_is_another_request_and_the_same_is_the_same(db):
    client = patient()
    for choice in ("yes", "yes", "no", "no"):
        assert ask(client, include_answers=choice).status_code == 303
    assert Enquiry.objects.count() == 2
    assert Assessment.objects.count() == 1


# --- the mail ---


def test_the_mail_holds_the_link_and_no_word_of_the_answers(db, mail_through):
    ask(patient(limits="stops", mood="a_lot"), include_answers="yes")
    deliver()
    [mail] = mail_through.messages
    link = summary_link(mail)
    said = f"{mail['Subject']} {text_of(mail)} {''.join(html_of(mail).itertext())}".lower()
    assert not [word for word in HEALTH_WORDS if word in said.replace(link, "")]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["about-back-pain.pdf"]
    assert "Ada" not in said


def test_the_outbox_holds_no_link(db, mail_through, sent):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM enquiries_outgoingmessage")
        assert "summary" not in str(cursor.fetchall()).replace("report_summary", "")


def test_a_report_without_answers_has_no_link(db, mail_through, sheet):
    plain_report(sheet)
    deliver()
    assert "/report/summary/" not in text_of(mail_through.messages[-1])


def test_the_seven_days_start_when_the_mail_has_gone(db, mail_through):
    ask(patient(), include_answers="yes")
    Assessment.objects.update(expires_at=timezone.now() + timedelta(hours=2))
    deliver()
    left = Assessment.objects.get().expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


# --- the link ---


def test_opening_takes_a_press_and_the_address(sent):
    page = Client().get(sent)
    assert page.status_code == 200
    assert "See a GP" not in page.content.decode()
    response = open_with(sent)
    assert response.status_code == 200
    said = text(parse(response).find(".//main"))
    assert "Prepared for Ada Example" in said
    assert "See a GP about your back" in said
    assert "It stops daily activity, work or sleep" in said
    assert "Call 999" in said


@pytest.mark.parametrize("typed", ["ADA@Example.COM", " ada@example.com ", "ada@example.com\u200b"])
def test_the_address_is_read_as_people_type_it(sent, typed):
    assert open_with(sent, typed).status_code == 200


@pytest.mark.parametrize("typed", ["", "eve@example.com", "ada", "ada@example.com,eve@example.com", "%", "'; --"])
def test_another_address_opens_nothing(sent, typed):
    response = open_with(sent, typed)
    assert response.status_code == 422
    assert title(parse(response)).startswith("Error: ")
    assert "Ada Example" not in response.content.decode()


def test_scanners_that_fetch_and_probe_every_address_change_nothing(sent):
    before = list(Assessment.objects.values()), list(Enquiry.objects.values("version", "erased_at"))
    for method in ("get", "head", "options"):
        for address in (sent, f"{sent}pdf/", f"{sent}delete/", "/report/summary/deleted/"):
            getattr(Client(), method)(address)
    Client().post(f"{sent}delete/")
    Client().post(f"{sent}delete/", {"sure": "yes", "pass": "x"})
    assert (list(Assessment.objects.values()), list(Enquiry.objects.values("version", "erased_at"))) == before


def test_guessing_ends_after_ten_tries_and_the_right_address_does_not_help_then(sent):
    for number in range(10):
        assert open_with(sent, f"guess{number}@example.com").status_code == 422
    assert open_with(sent).status_code == 403
    assert Client().get(sent).status_code == 403


def test_guessing_from_many_browsers_at_once_is_counted(transactional_db, mail_through):
    ask(patient(), include_answers="yes")
    deliver()
    link = summary_link(mail_through.messages[-1])

    def guess():
        try:
            open_with(link, "eve@example.com")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Assessment.objects.get().wrong_tries == 8


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link[:-2] + ("A/" if link[-2] != "A" else "B/"),
        lambda link: re.sub(r"summary/.", "summary/0" if "summary/0" not in link else "summary/1", link),
        lambda link: "/report/summary/x/",
        lambda link: "/report/summary/" + "a" * 3000 + "/",
        lambda link: link.replace(".", "%00."),
    ],
)
def test_a_changed_link_is_not_found(sent, change):
    assert Client().get(change(sent)).status_code in {400, 404}
    assert open_with(change(sent)).status_code in {400, 404}


def test_a_link_of_one_report_does_not_open_another(sent, mail_through):
    ask(patient(), include_answers="yes", email="bob@example.com")
    deliver()
    other = summary_link(mail_through.messages[-1])
    assert open_with(other).status_code == 422
    theirs = pass_in(open_with(other, "bob@example.com"))
    response = Client().post(f"{sent}pdf/", {"pass": theirs})
    assert (response.status_code, response["Location"]) == (303, sent)


def test_after_seven_days_it_says_so(sent):
    Assessment.objects.update(expires_at=timezone.now())
    for response in (Client().get(sent), open_with(sent)):
        assert response.status_code == 410
        assert "no longer here" in title(parse(response))


def test_no_page_of_it_is_kept_found_or_passed_on(sent):
    for response in (Client().get(sent), open_with(sent), open_with(sent, "x@example.com")):
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert not response.cookies
    modern = Client(headers={"sec-fetch-site": "same-origin"})
    assert modern.get(sent)["Referrer-Policy"] == "no-referrer"


def test_a_form_from_another_site_opens_nothing(sent):
    browser = Client(enforce_csrf_checks=True)
    for origin, status in (("cross-site", 403), ("same-origin", 200)):
        given = {"email": "ada@example.com"}
        assert browser.post(sent, given, headers={"sec-fetch-site": origin}).status_code == status


def test_no_log_holds_the_link(sent, caplog):
    from backcare.logs import WithoutRequestValues

    Assessment.objects.update(expires_at=timezone.now())
    Client().get(sent)
    records = [record for record in caplog.records if "Gone" in record.getMessage()]
    assert records
    for record in records:
        WithoutRequestValues().filter(record)
        assert sent.split("/")[3] not in record.getMessage()


# --- what it offers ---


@pytest.mark.parametrize("size", ["", "large"])
def test_the_pdf_is_one_tagged_document_with_the_summary_and_the_sheets(sent, size):
    opened = open_with(sent)
    response = Client().post(f"{sent}pdf/", {"pass": pass_in(opened), "size": size})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    reader = PdfReader(io.BytesIO(response.content), strict=True)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    words = packed("".join(page.extract_text() for page in reader.pages))
    assert packed("Ada Example") in words
    assert packed("See a GP about your back") in words
    for sheet in Assessment.objects.get().result["sheets"]:
        assert packed(sheet["title"]) in words
    assert "Ada" not in str(reader.metadata)


@pytest.mark.parametrize("given", ["", "x", "x.y.z"])
def test_without_a_good_pass_the_address_is_asked_again(sent, given):
    for address in ("pdf/", "delete/"):
        response = Client().post(sent + address, {"pass": given, "sure": "yes"})
        assert (response.status_code, response["Location"]) == (303, sent)
    assert Assessment.objects.exists()


def test_delete_my_data_now_asks_once_and_erases_all_of_it(sent):
    response = Client().post(f"{sent}delete/", {"pass": pass_in(open_with(sent))})
    assert Assessment.objects.exists()
    assert "cannot be undone" in text(parse(response))
    response = Client().post(f"{sent}delete/", {"pass": pass_in(response), "sure": "yes"}, follow=True)
    assert "Your details are deleted" in title(parse(response))
    enquiry = Enquiry.objects.get()
    assert (enquiry.name, enquiry.email) == ("", "")
    assert enquiry.erased_at
    assert not Assessment.objects.exists()
    assert Client().get(sent).status_code == 410
    assert EnquiryEvent.objects.filter(kind="erased", actor="patient").count() == 1


def test_details_deleted_before_the_mail_left_stop_the_mail(db, mail_through):
    from enquiries import actions

    ask(patient(), include_answers="yes")
    actions.erase(enquiry=Enquiry.objects.get(), actor="patient")
    assert Worker("test").run_once() is False
    assert not mail_through.messages
    assert OutgoingMessage.objects.get().state == "lapsed"
