"""The link to a private summary: opened with the address, guessed at, changed, over, and what the page offers."""

import io
import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from enquiries.mail.worker import Worker
from enquiries.models import Assessment, Enquiry, EnquiryEvent, OutgoingMessage, PrivateLink
from tests.support.html import form_at, parse, text, title
from tests.support.outbox import deliver, html_of, text_of
from tests.support.patient_portal import without_cookies
from tests.support.reading import packed
from tests.support.summary import ask, patient, summary_link


@pytest.fixture
def sent(db, mail_through):
    """A report with a summary, delivered. The browser that opens the link is another one: it holds no cookie."""
    assert ask(patient(limits="stops"), include_answers="yes").status_code == 303
    deliver()
    return summary_link(mail_through.messages[-1])


def open_with(link: str, email: str = "ada@example.com", **extra):
    return without_cookies(link, {"email": email}, **extra)


def pass_in(response) -> str:
    return parse(response).find(".//input[@name='pass']").get("value")


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


def delete_link(mail) -> str:
    [link] = set(re.findall(r"https?://[^\s\"<>/]+(/report/delete/[^\s\"<>]+)", text_of(mail)))
    assert link in " ".join(a.get("href") for a in html_of(mail).iter("a"))
    return link


def test_delete_my_data_now_in_the_mail_takes_one_press_and_none_of_a_scanner(sent, mail_through):
    link = delete_link(mail_through.messages[-1])
    for look in (Client().get, Client().head, Client().options):
        look(link)
    form = form_at(parse(Client().get(link)), link)
    assert "Ada" not in Client().get(link).content.decode()
    assert Enquiry.objects.get().email == "ada@example.com"
    done = Client().post(form.get("action"), follow=True)
    assert "Your report is deleted" in text(parse(done))
    gone = Enquiry.objects.get()
    assert (gone.name, gone.email, Assessment.objects.count()) == ("", "", 0)
    assert gone.events.get(kind="erased").actor == "patient"
    assert Client().get(sent).status_code == 410
    for again in (Client().get, Client().post):
        assert "Your report is deleted" in text(parse(again(link, follow=True)))
    assert Client().post(link.replace("/delete/", "/delete/0")).status_code == 404


def test_the_mail_that_went_to_a_wrong_address_deletes_nothing_of_whoever_has_the_right_one(db, mail_through):
    browser = patient()
    ask(browser, include_answers="yes")
    deliver()
    link = delete_link(mail_through.messages[-1])
    assert browser.post("/report/sent/change/", {"email": "bea@example.com"}).status_code == 303
    assert Client().post(link).status_code == 303
    assert (Enquiry.objects.get().email, Assessment.objects.count()) == ("bea@example.com", 1)


def test_guessing_ends_after_ten_tries_and_the_right_address_does_not_help_then(sent):
    for number in range(10):
        assert open_with(sent, f"guess{number}@example.com").status_code == 422
        if 4 <= number < 9:
            assert "Wait a minute" in text(parse(open_with(sent))), "Guessing was not slowed."
            PrivateLink.objects.update(last_wrong_at=timezone.now() - timedelta(minutes=1))
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
    assert PrivateLink.objects.get().wrong_tries == 5


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
@pytest.mark.once
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


@pytest.mark.once
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
        assert browser.post(f"{sent}?kept", given, headers={"sec-fetch-site": origin}).status_code == status


def test_no_log_holds_the_link(sent, caplog):
    from backcare.ops.logs import WithoutRequestValues

    Assessment.objects.update(expires_at=timezone.now())
    Client().get(sent)
    records = [record for record in caplog.records if "Gone" in record.getMessage()]
    assert records
    for record in records:
        WithoutRequestValues().filter(record)
        assert sent.split("/")[3] not in record.getMessage()


# --- the mail ---


def test_the_outbox_holds_no_link(db, mail_through, sent):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM enquiries_outgoingmessage")
        assert "summary" not in str(cursor.fetchall()).replace("report_summary", "")


# --- what it offers ---


@pytest.mark.parametrize("size", ["", "large"])
@pytest.mark.once
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
@pytest.mark.once
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
    assert "Your report is deleted" in title(parse(response))
    enquiry = Enquiry.objects.get()
    assert (enquiry.name, enquiry.email) == ("", "")
    assert enquiry.erased_at
    assert not Assessment.objects.exists()
    assert Client().get(sent).status_code == 410
    assert EnquiryEvent.objects.filter(kind="erased", actor="patient").count() == 1


def test_details_deleted_before_the_mail_left_stop_the_mail(db, mail_through):
    from enquiries.actions import erasure

    ask(patient(), include_answers="yes")
    erasure.erase(enquiry=Enquiry.objects.get(), actor="patient")
    assert Worker("test").run_once() is False
    assert not mail_through.messages
    assert OutgoingMessage.objects.get().state == "lapsed"
