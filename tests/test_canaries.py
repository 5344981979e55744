"""Marked words in every field of every journey, through the real web server and mail worker: then everything written is searched.

MAY_STAND says where a word may be. Files on disk (the database, its log, backups) are searched in another file of tests.
"""

import base64
import io
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from pypdf import PdfReader

from enquiries.models import Enquiry, Kind, MessageState, OutgoingMessage
from factsheets.models import SafetyAdvice
from tests.assessment import page_data
from tests.conftest import ROOT
from tests.outbox import make_due, text_of
from tests.smtp import free_port, wait_for
from tests.walking import Walker

# One for each field that anybody can fill in, and for what a browser says by itself.
MARKS = {
    "name": "Zqname",
    "email": "zqmail@example.com",
    "corrected email": "zqsecond@example.com",
    "consultation email": "zqthird@example.com",
    "question email": "zqfourth@example.com",
    "wrong email": "zqwrong",
    "guessed email": "zqguess@example.com",
    "phone": "79460977",
    "best time": "zqdusk",
    "description": "zqwords",
    "question": "zqquestion",
    "language": "zqlanguage",
    "needs": "zqneeds",
    "added": "zqadded",
    "new time": "zqnewtime",
    "trap": "zqtrap",
    "unknown field": "zqfield",
    "query": "zqquery",
    "search": "zqsearched",
    "browser": "zqbrowser",
    "referrer": "zqreferrer",
    "cookie": "zqcookie",
    "address": "198.51.100",
    "staff name": "zquser",
    "password": "zqpassword",
    "note": "zqnote",
    "reply": "zqreply",
    "safety note": "zqsafety",
    "call note": "zqcall",
    "reason": "zqreason",
}
SPELLINGS = {"phone": ["79460977", "7946 0977", "7946+0977"]}
# The places where a word may stand, for each thing that is searched. Anywhere that is not named: none.
MAY_STAND = {
    "the mail to the patient: To": {"email", "corrected email", "consultation email", "question email"},
    "the mail to the patient: a reply": {"reply"},  # the staff's words, for this patient
    "the database": {"reason"},  # the log of exports; the page asks that no patient is named there
    "an address": {"query", "search"},  # as the reader typed it, or wrote it into a link; no address of ours repeats it
    "the text of the personal PDF": {"name"},
}


def in_base64(word: str, shift: int) -> str:
    """How the word looks in the base64 of something longer, `shift` bytes after a multiple of three."""
    coded = base64.b64encode(b" " * shift + word.encode()).decode()
    return coded[-(-shift * 8 // 6) : (shift + len(word)) * 8 // 6]


def expect_none(content: str, where: str) -> None:
    for mark, word in MARKS.items():
        if mark in MAY_STAND.get(where, ()):
            continue
        for spelling in SPELLINGS.get(mark, [word]):
            forms = {spelling, quote(spelling), quote_plus(spelling)}
            forms |= {in_base64(spelling, shift) for shift in range(3)}
            for form in forms:
                at = content.lower().find(form.lower()) if len(form) > 5 else -1
                assert at < 0, f"The {mark} is in {where}: …{content[max(0, at - 150) : at + 60]}…"


@contextmanager
def running(command, environment, log):
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def servers(child_environment, tmp_path):
    """gunicorn with its access log, and the mail worker. Gives the site's address; their logs are in tmp_path."""
    port = free_port()
    environment = child_environment | {
        "PORT": str(port),
        "ACCESS_LOG": "1",
        "TRUSTED_PROXIES": "1",
        "PYTHONUNBUFFERED": "1",
    }
    environment |= {"MOST_FORMS_OF_ONE_SENDER_AN_HOUR": "50"}
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:backcare.gunicorn", "backcare.wsgi"]
    worker = [sys.executable, "manage.py", "deliver_mail"]
    site = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{site}/robots.txt", timeout=2).status == 200
        except OSError:
            return False

    with running(gunicorn, environment, tmp_path / "web.log"), running(worker, environment, tmp_path / "mail.log"):
        wait_for(answers, seconds=60, what="the web server's first answer")
        yield site


@pytest.fixture
def walker(servers):
    answers, number = [], iter(range(1, 250))

    def new() -> Walker:
        made = Walker(
            servers,
            answers,
            **{
                "User-Agent": MARKS["browser"],
                "Referer": f"{servers}/question/?{MARKS['referrer']}",
                "X-Forwarded-For": f"{MARKS['address']}.{next(number)}",
            },
        )
        made.cookies["other"] = MARKS["cookie"]
        return made

    new.answers = answers
    return new


CONSULTATION = {
    "name": f"{MARKS['name']} Finch",
    "email": MARKS["consultation email"],
    "contact_by": ["phone"],
    "phone": "020 7946 0977",
    "may_leave_voicemail": "no",
    "may_say_who_calls": "yes",
    "times": ["0-0"],
    "best_time": f"{MARKS['best time']} at dusk",
    "needs": ["interpreter"],
    "language": MARKS["language"],
    "needs_note": MARKS["needs"],
    "description": f"{MARKS['description']}: since this morning I can't pee.",
}
QUESTION = {
    "name": f"{MARKS['name']} Finch",
    "email": MARKS["question email"],
    "description": f"{MARKS['question']}: may I swim?",
}


def filled(kind: str, fields: dict, **more) -> dict:
    fields = {f"{kind}-{name}": value for name, value in (fields | more).items()}
    return fields | {MARKS["unknown field"]: MARKS["unknown field"]}


# --- the journeys ---


def reads(walker):
    for path in (
        "/",
        "/fact-sheets/about-back-pain/",
        "/fact-sheets/about-back-pain/pdf/",
        "/nothing/",
        "/get-help-now/",
    ):
        walker.get(path, utm_source=MARKS["query"])
    assert walker.get("/search/", q=MARKS["search"]).status == 200


def asks_for_a_report(walker):
    for number in range(1, 13):
        assert walker.post(f"/check/{number}/", page_data(number, limits="stops")).status == 303
    assert walker.follow(walker.post("/check/answers/", {})).status == 200
    given = {"name": f"{MARKS['name']} Finch", "email": MARKS["wrong email"], "sheet": "about-back-pain"}
    assert walker.post("/report/", filled("report", given)).status == 422
    given["email"] = MARKS["email"]
    assert walker.post("/report/", filled("report", given)).status == 200  # asks whether to include the answers
    page = walker.follow(walker.post("/report/", filled("report", given, include_answers="yes")))
    assert page.path == "/report/sent/" and MARKS["email"] in page.said
    assert walker.post("/report/sent/change/", {"email": MARKS["wrong email"]}).status == 422
    page = walker.follow(walker.post("/report/sent/change/", {"email": MARKS["corrected email"]}))
    assert MARKS["corrected email"] in page.said
    walker.post("/report/sent/again/", {})


def asks_for_a_consultation(walker):
    short = {"name": CONSULTATION["name"], "email": MARKS["wrong email"], "sheet": "about-back-pain"}
    assert walker.post("/consultation/", filled("consultation", short)).status == 422
    card = walker.post("/consultation/", filled("consultation", CONSULTATION))
    assert MARKS["description"] in card.said and "999" in card.said
    check = walker.press(card, "Send it anyway")
    back = walker.press(check, "Change your")
    check = walker.press(back, "Continue")
    assert walker.press(check, "Send my request").path == "/consultation/sent/"


def asks_a_question(walker):
    check = walker.post("/question/", filled("question", QUESTION))
    assert walker.press(check, "Send my question").path == "/question/sent/"
    walker.post("/question/", filled("question", QUESTION, website=MARKS["trap"]))
    assert walker.post("/question/", filled("question", QUESTION), **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert walker.ask("PUT", "/question/", MARKS["question"].encode()).status == 405
    assert (
        walker.post(
            "/question/", filled("question", QUESTION), **{"Content-Type": f"a/b; charset={MARKS['query']}"}
        ).status
        == 400
    )


def meets_a_fault(walker):
    """Real ones: the emergency advice is not loaded, and a table is gone."""
    advice = list(SafetyAdvice.objects.all())
    SafetyAdvice.objects.all().delete()
    assert walker.post("/consultation/", filled("consultation", CONSULTATION)).status == 500
    SafetyAdvice.objects.bulk_create(advice)
    check = walker.post("/question/", filled("question", QUESTION, description=f"{MARKS['question']} and may I run?"))
    wait_for(worker_is_idle, what="the mail worker's pause")  # or it would meet the fault half way with a mail
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE enquiries_enquiryevent RENAME TO elsewhere")
        try:
            assert walker.press(check, "Send my question").status in {500, 503}
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO enquiries_enquiryevent")


def worker_is_idle() -> bool:
    in_hand = OutgoingMessage.objects.filter(state=MessageState.SENDING)
    return not in_hand.exists() and not OutgoingMessage.objects.due().exists()


def opens_the_summary(walker, link):
    walker.get(link)
    assert walker.post(link, {"email": MARKS["guessed email"]}).status == 422
    opened = walker.post(link, {"email": MARKS["corrected email"]})
    assert opened.status == 200
    given = opened.document.find(".//input[@name='pass']").get("value")
    made = walker.post(f"{link}pdf/", {"pass": given})
    assert made.headers["Content-Type"] == "application/pdf"
    return made


def sees_to_the_request(walker, link):
    assert walker.post(link, {"email": MARKS["guessed email"]}).status == 422
    opened = walker.post(link, {"email": MARKS["consultation email"]})
    adding = walker.press(opened, "Add something")
    check = walker.press(adding, "Continue", **{"add-text": f"{MARKS['added']}: I am away on Monday."})
    done = walker.press(check, "Send it")
    timing = walker.press(done, "Change the times")
    check = walker.press(timing, "Continue", **{"times-times": ["1-0"], "times-best_time": MARKS["new time"]})
    done = walker.press(check, "Save the new times")
    assert walker.press(walker.press(done, "Withdraw my"), "Yes, withdraw").status == 200


def works_through_the_inbox(walker, staff):
    guessing = {"username": MARKS["staff name"], "password": MARKS["password"]}
    assert walker.post("/admin/login/", guessing).status == 200
    signed_in = Client()
    signed_in.force_login(staff)
    walker.cookies["sessionid"] = signed_in.cookies["sessionid"].value
    inbox = walker.get("/admin/enquiries/enquiry/", q=MARKS["search"])
    assert inbox.status == 200
    assert walker.post("/admin/enquiries/enquiry/person/", {"typed": MARKS["consultation email"]}).status == 200
    flagged = Enquiry.objects.exclude(safety_signs="").get()
    page = walker.get(flagged.get_admin_url())
    assert MARKS["name"] in page.said
    walker.post(f"/admin/enquiries/enquiry/{flagged.pk}/words/", {})
    step(walker, flagged, "safety", note=MARKS["safety note"])
    asked = Enquiry.objects.filter(kind=Kind.QUESTION, status="new", quarantine_reason="").first()
    step(walker, asked, "call", result="no_answer", note=MARKS["call note"])
    preview = step(walker, asked, "reply", text=f"Dear patient, {MARKS['reply']}")
    assert preview.status == 200
    form_of = filled("reply", {"text": f"Dear patient, {MARKS['reply']}"})
    asked.refresh_from_db()
    walker.post(
        f"/admin/enquiries/enquiry/{asked.pk}/step/reply/", form_of | {"reply-version": asked.version, "send": "yes"}
    )
    walker.press(walker.get(asked.get_admin_url()), "Save", note=MARKS["note"])
    export = {"which": "open", "reason": f"{MARKS['reason']} for the partners", "personal": "on", "export": "yes"}
    taken = walker.post("/admin/enquiries/enquiry/export/", export)
    assert taken.headers["Content-Type"].startswith("text/csv")
    for path in (
        "/admin/",
        "/admin/enquiries/export/",
        "/admin/enquiries/outgoingmessage/",
        f"/admin/enquiries/enquiry/{asked.pk}/history/",
    ):
        assert walker.get(path).status == 200


def step(walker, enquiry, name: str, **typed):
    enquiry.refresh_from_db()
    data = {f"{name}-{field}": value for field, value in typed.items()} | {f"{name}-version": enquiry.version}
    return walker.follow(walker.post(f"/admin/enquiries/enquiry/{enquiry.pk}/step/{name}/", data))


def link_in(mails, pattern: str) -> str:
    found = [match[1] for mail in mails for match in re.finditer(rf"https?://[^\s/]+({pattern}[^\s]+)", text_of(mail))]
    assert found, f"No mail holds a link to {pattern}"
    return found[-1]


def wait_for_the_mail():
    """The waits between two tries are over."""
    make_due()
    try:
        wait_for(lambda: not OutgoingMessage.objects.unsent().exists(), seconds=60, what="all the mail")
    except AssertionError as error:
        rows = OutgoingMessage.objects.values_list(
            "purpose", "state", "error", "attempts", "next_attempt_at", "lease_until"
        )
        error.add_note(str(list(rows.filter(sent_at=None))))
        raise


def test_a_marked_word_is_found_nowhere_but_where_it_may_stand(walker, smtp, staff, sheet, tmp_path):
    # The server quotes the address and the name, as many do.
    smtp.answers["data"] = f"451 4.7.1 <{MARKS['email']}> {MARKS['name']} greylisted"
    patient = walker()
    reads(patient)
    asks_for_a_report(patient)
    asks_for_a_consultation(walker())
    asks_a_question(walker())
    meets_a_fault(walker())
    wait_for(lambda: OutgoingMessage.objects.filter(attempts__gt=0).exists(), what="the first failed mail")
    smtp.answers.clear()
    smtp.refuse_recipients.add(MARKS["email"])
    wait_for_the_mail()
    summary_pdf = opens_the_summary(walker(), link_in(smtp.messages, "/report/summary/"))
    works_through_the_inbox(walker(), staff)
    about = [mail for mail in smtp.messages if mail["To"] == MARKS["consultation email"]]
    sees_to_the_request(walker(), link_in(about, "/request/"))
    assert walker().post(link_in(smtp.messages, "/report/stop/"), {}).status == 200
    wait_for_the_mail()

    logs_hold_nothing(tmp_path)
    answers_hold_nothing(walker.answers)
    database_holds_nothing()
    mails_hold_nothing(smtp.received)
    pdf_holds_nothing(summary_pdf)


# --- the search ---


def logs_hold_nothing(folder):
    web, mail = ((folder / name).read_text() for name in ("web.log", "mail.log"))
    for line in ("POST /consultation/ 303", "GET /report/summary/…/ 200", "POST /request/…/add/ 200"):
        assert line in re.sub(r" +", " ", web), f"The access log does not say {line}:\n{web[-3000:]}"
    assert "Internal Server Error: /consultation/" in web
    assert "SafetyAdviceMissing" in web
    assert "Accepted" in web
    assert mail.count("Not sent") >= 2, mail
    for where, written in (("the web server's log", web), ("the mail worker's log", mail)):
        expect_none(written, where)


def answers_hold_nothing(answers):
    assert len(answers) > 70
    for answer in answers:
        expect_none(answer.path, "an address")
        expect_none(answer.headers.get("Location", ""), "a redirect")
        expect_none(str(answer.headers.items()), f"the headers of {answer.path}")
        if answer.status >= 400 and answer.path.startswith("/request/") and answer.method == "GET":
            expect_none(answer.said, "an error page")
        if answer.status >= 500:
            expect_none(answer.said, "an error page")
            assert "Traceback" not in answer.said
        if answer.is_page and answer.body:
            for title in answer.document.iter("title"):
                if not answer.path.startswith(("/search/", "/admin/")):
                    expect_none(title.text or "", f"the title of {answer.path}")
            for link in answer.document.iter("a"):
                if not answer.path.startswith("/admin/"):
                    expect_none(link.get("href", ""), f"a link on {answer.path}")
        # Only a page that no cache keeps and whose address goes nowhere shows what somebody typed.
        if MARKS["name"].encode() in answer.body:
            assert "no-store" in answer.headers["Cache-Control"], answer.path
            assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}


def database_holds_nothing():
    assert Enquiry.objects.filter(erased_at=None).count() == 3
    rows = 0
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            found = [str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]) for row in cursor]
            rows += len(found)
            expect_none("\n".join(found), "the database")
    assert rows > 500
    for session in Session.objects.all():
        expect_none(str(session.get_decoded()), "a session")


def mails_hold_nothing(received):
    assert len(received) >= 7
    for recipients, mail in received:
        assert [mail["To"]] == recipients and mail["Cc"] is None and mail["Bcc"] is None
        to_clinic = recipients == ["inbox@example.com"]
        expect_none(mail["To"], "the mail to the clinic: To" if to_clinic else "the mail to the patient: To")
        others = [(name, value) for name, value in mail.items() if name != "To"]
        expect_none(str(others), "a mail's headers")
        for part in mail.walk():
            if part.is_multipart():
                continue
            content = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
            is_reply = MARKS["reply"] in content and recipients == [MARKS["question email"]]
            where = "a mail to the clinic" if to_clinic else "a mail to a patient"
            expect_none(content, "the mail to the patient: a reply" if is_reply else where)
            expect_none(str(part.items()).replace(str(mail["To"]), ""), "a part's headers")
    clinic = [text_of(mail) for to, mail in received if to == ["inbox@example.com"]]
    assert clinic and all("/admin/enquiries/enquiry/" in each for each in clinic)


def pdf_holds_nothing(answer):
    expect_none(answer.body.decode("latin-1"), "the bytes of the personal PDF")
    pdf = PdfReader(io.BytesIO(answer.body))
    expect_none(" ".join(page.extract_text() for page in pdf.pages[:2]), "the text of the personal PDF")
    expect_none(str(pdf.metadata), "the personal PDF's properties")
    xmp = pdf.trailer["/Root"].get("/Metadata")
    expect_none(xmp.get_object().get_data().decode() if xmp else "", "the personal PDF's XMP")


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_the_search_finds_a_word_however_it_is_written(mark):
    word = SPELLINGS.get(mark, [MARKS[mark]])[-1]
    box = base64.b64encode(f'{{"email": "{word}, and more"}}'.encode()).decode()
    for written in (word, word.upper(), quote(f"a={word}&b"), quote_plus(word), f"…{word}…", box):
        with pytest.raises(AssertionError, match=f"The {mark} is in a place"):
            expect_none(written, "a place")
