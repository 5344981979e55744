"""A clinic sets up an empty site from a browser, and patients read all of it: no developer, no shell, no restart."""

import csv
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image
from pypdf import PdfReader

from tests.conftest import ROOT
from tests.support.outbox import text_of
from tests.support.pictures import RED, made
from tests.support.processes import start_process
from tests.support.sign_in import code_for
from tests.support.smtp import free_port, wait_for
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]

OWNER, STAFF = "olu@harbour.example", {"nora@harbour.example": "reception", "cal@harbour.example": "clinician"}
PASSWORD = "seven green kettles"
DESK = [
    f"/admin/{path}"
    for path in ("", "accounts/", "clinic/", "enquiries/clinichours/", "enquiries/wordingedition/", "who-did-what/")
]
NAVY = (0x1E, 0x4B, 0x7A)
# What is in the environment from the second start on. Nobody may ever read it.
STALE = {
    "CLINIC_NAME": "Stale Clinic",
    "CLINIC_PHONE": "020 7946 0999",
    "CLINIC_EMAIL": "stale@stale.example",
    "CLINIC_INBOX_EMAIL": "stale@stale.example",
    "DEFAULT_FROM_EMAIL": "Stale <stale@stale.example>",
    "CLINIC_ADDRESS": "9 Stale Street",
    "CLINIC_PRICES": "Stale: £1",
    "CLINIC_INTEREST_STATEMENT": "Stale sells acupuncture.",
    "CLINIC_PEOPLE": "Stale Person, physiotherapist",
}


@pytest.fixture
def started(tmp_path, smtp):
    """The whole site as `make run EMPTY=1` starts it in a new folder. Gives its address and the printed code."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", *settings.CLINIC_VARIABLES}
    }
    environment |= {"BACKCARE_LOCAL": "1", "PORT": str(free_port()), "DATA_DIR": str(tmp_path / "var")}
    environment |= {"EMAIL_URL": f"smtp://{smtp.host}:{smtp.port}", "STAFF_SECOND_FACTOR": "1", "WEB_WORKERS": "1"}
    made = manage(environment, "prepare", "--empty")
    assert re.search(
        r"^Content: \d{4} added, 0 changed, 0 removed, 0 as they were, 0 of yours kept", made, re.MULTILINE
    )
    with closing(sqlite3.connect(tmp_path / "var" / "backcare.sqlite3")) as database:
        details = "SELECT name, phone, email, inbox_email, address, prices FROM backcare_clinicsettings"
        assert database.execute(details).fetchone() == ("Back clinic", "", "", "", "", "")
        assert "The code is" in manage(environment, "owner_code")
        # What was begun without the demo goes on without it, also where nobody says so again.
        assert "Staff accounts" not in manage(environment, "prepare")
        for table in ("auth_user", "enquiries_enquiry", "factsheets_teammember"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608 - our own
    command, environment = [sys.executable, "manage.py", "serve"], environment | STALE
    process = start_process(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = ""
    while not (found := re.search(r"set it up on (\S+)\s+The code is (\S+)", printed, re.IGNORECASE)):
        line = process.stdout.readline()
        assert line, f"It ended: {printed}"
        printed += line
    site = f"http://{urlsplit(found[1]).netloc}"
    wait_for(partial(answers, site), what="the first page")
    yield site, found[2]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)


def manage(environment: dict[str, str], *command: str) -> str:
    """What a command says that must end well."""
    command = (sys.executable, "manage.py", *command)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(site: str) -> bool:
    try:
        return urllib.request.urlopen(f"{site}/robots.txt", timeout=2).status == 200
    except OSError:
        return False


def mail_to(smtp, address: str, before: int = 0):
    return wait_for(
        lambda: next((mail for to, mail in smtp.received[before:] if address in to), None),
        what=f"a mail to {address}",
    )


def set_up_second_factor(page, then: str = "Today") -> None:
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(code_for(secret))
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("link", name="I have saved them. Continue").click()
    page.get_by_role("heading", name=then, exact=True).wait_for()


def fill(page, **values: str) -> None:
    for name, value in values.items():
        field = page.locator(f"[name='{name}']")
        field.select_option(value) if field.evaluate("field => field.tagName") == "SELECT" else field.fill(value)


def colours_of(pdf: PdfReader) -> set[tuple[int, ...]]:
    """The colours, as bytes, that the first page is filled with."""
    drawn = pdf.pages[0].get_contents().get_data().decode("latin-1")
    found = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) (?:scn|rg)\b", drawn)
    return {tuple(round(float(part) * 255) for part in each) for each in found}


def test_an_empty_site_becomes_a_clinic_of_its_own(browser, started, smtp):
    site, code = started
    with visitor(browser, site, viewport={"width": 360, "height": 740}, java_script_enabled=False) as desk:
        page = desk.page
        desk.open("/admin/")
        fill(page, code=code, first_name="Olu", last_name="Ray", email=OWNER, password=PASSWORD, again=PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        set_up_second_factor(page, then="Clinic settings")
        page.get_by_text("Set-up: step 2 of 4.").wait_for()
        desk.open("/admin/")
        missing = page.locator(".set-up li > a").all_inner_texts()
        assert missing[:4] == ["Clinic settings", "Opening hours", "Test email", "People who work here"]
        assert "interest statement" in page.locator(".set-up").inner_text()
        for path in ("/", "/about/"):
            desk.open(path)
            said = page.locator("body").inner_text()
            assert not re.search("Larkfield|Demo|£|9am|one working day|clinic sells", said), "This is invented."
            assert ("We are still setting this website up" in said) == (path == "/")
        desk.open("/question/")
        assert "We will reply as soon as we can." in page.locator("main").inner_text()
        desk.open("/admin/clinic/")
        page.get_by_text("Set-up: step 2 of 4.").wait_for()
        fill(
            page,
            name="Harbour Spine Clinic",
            phone="020 7946 0123",
            email="hello@harbour.example",
            address="2 Quay Road, Harbour",
            prices="First visit: £70",
            acupuncture_prices="Needles, 30 minutes: £45",
            sender_name="Harbour bookings",
            sender_email="bookings@harbour.example",
            inbox_email="desk@harbour.example",
        )
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            swatches = page.locator(".swatches svg")
            assert swatches.count() == 5 and swatches.first.bounding_box()["width"] > 100
        page.locator(".swatches label", has_text="Navy").click()
        logo = {"name": "logo.png", "mimeType": "image/png", "buffer": made("PNG", (480, 120))}
        page.locator("[name='logo']").set_input_files(logo)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved: name").wait_for()
        page.get_by_text("step 2 of 4, done. Next: Opening hours").wait_for()
        desk.open("/admin/enquiries/clinichours/")
        parts = page.locator("#clinichours_form h2").all_inner_texts()
        assert [part.split()[0] for part in parts] == ["Opening", "How", "Pause"], "The hours do not come first."
        assert re.search(r"\d", page.locator(".field-bank_holidays .readonly").inner_text()), "No bank holidays."
        page.set_viewport_size({"width": 320, "height": 700})
        for name in ("weekday", "opens", "closes"):
            box = page.locator(f"[name='openings-0-{name}']").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 320, f"{name} is cut off on a phone."
        fill(page, **{"openings-0-opens": "07:35"})
        page.locator("[name='_save']").click()
        page.get_by_text("Patients who write now are told").wait_for()
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            page.get_by_text("Remove", exact=True).nth(1).click()
            assert page.locator("[name='openings-1-DELETE']").is_checked() == (width == 320), "The word presses no box."

        desk.open("/admin/clinic/email/")
        fill(page, to=OWNER)
        page.get_by_role("button", name="Send a test message").click()
        page.get_by_text("We sent a message with a code").wait_for()
        fill(page, code=re.search(r"code is (\d{3} \d{3})", text_of(mail_to(smtp, OWNER)))[1])
        page.get_by_role("button", name="It arrived").click()
        page.get_by_text("Email arrives. Recorded. All four steps are done.").wait_for()
        desk.open("/admin/")
        assert not {"Clinic settings", "Opening hours", "Test email"} & set(
            page.locator(".set-up li > a").all_inner_texts()
        )
        empty = "Still empty: emergency department near the clinic, interest statement (what you sell)."
        assert empty in page.locator(".set-up").inner_text()

        desk.open("/admin/factsheets/teammember/add/")
        fill(page, name="Ann Lee", role="physiotherapist", register="HCPC", number="PH123456")
        page.locator("[name='_save']").click()
        desk.open("/admin/enquiries/wordingedition/invitation/")
        fill(page, heading="Come and work on our desk")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved. It is used from now on.").wait_for()

        for address, role in STAFF.items():
            desk.open("/admin/accounts/invite/")
            fill(page, first_name=role.title(), last_name="Featherstonehaugh" * 5, email=address)
            page.get_by_label(re.compile(role, re.IGNORECASE)).first.check()
            page.get_by_role("button", name="Send the invitation").click()
            page.get_by_text("We are emailing a link").wait_for()
            invited = text_of(mail_to(smtp, address))
            assert "Come and work on our desk" in invited and "Do not forward this email" in invited
            link = re.search(r"https?://\S+/invitation/\S+", invited)[0]
            with visitor(browser, site, java_script_enabled=False) as theirs:
                theirs.open(link)
                fill(theirs.page, new_password1=PASSWORD, new_password2=PASSWORD)
                theirs.page.get_by_role("button", name="Continue").click()
                set_up_second_factor(theirs.page)
        desk.open("/admin/accounts/")
        for address in STAFF:
            assert "since" in page.locator("tbody tr").filter(has_text=address).inner_text(), "No second factor."

        desk.open("/admin/enquiries/wordingedition/report/")
        fill(page, heading="Here is your leaflet, {sheet}")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved. It is used from now on.").wait_for()
        desk.open("/admin/factsheets/sitenotice/add/")
        now = timezone.localtime()
        ends = f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}"
        fill(page, text="We move to the quay on Monday.", starts_at=f"{now:%Y-%m-%dT00:00}", ends_at=ends)
        page.get_by_role("button", name="Save and preview").first.click()
        page.get_by_role("button", name="Publish").click()
        page.get_by_text("Published.", exact=True).wait_for()
        page.set_viewport_size({"width": 320, "height": 700})
        for path in DESK:
            desk.open(path)
            assert page.evaluate("document.documentElement.scrollWidth") == 320, f"{path} is wider than a phone."
        assert "Clinic settings: Changed name: “Back clinic” became “Harbour Spine Clinic”" in page.content()
        page.get_by_text("Export this list").click()
        fill(page, reason="For our insurer, who asks each year")
        with page.expect_download() as download:
            page.get_by_role("button", name="Export").click()
        with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
            head, *lines = csv.reader(file)
        assert head[:4] == ["when", "who", "kind", "what"]
        assert "For our insurer" in lines[0][3] and any("“Back clinic” became" in line[3] for line in lines)
        desk.expect_clean(cookies=True)

    sent = len(smtp.received)
    with visitor(browser, site, viewport={"width": 360, "height": 740}) as patient:
        page = patient.page
        read = ""
        for path in ("/", "/about/", "/get-help-now/", "/fact-sheets/about-back-pain/"):
            patient.open(path)
            assert page.locator(".brand img").get_attribute("alt") == "Harbour Spine Clinic"
            assert page.locator(".brand img").evaluate("image => image.naturalWidth") == 400
            strong = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--pine').trim()")
            assert strong.upper() == "#1E4B7A"
            said = page.locator("body").inner_text()
            assert "We move to the quay on Monday." in said
            assert "still setting this website up" not in said
            assert {"020 7946 0123" in said, "2 Quay Road, Harbour" in said, "7:35am" in said} == {True}, path
            read += page.content()
        card = page.request.get("/card.png").body()
        patient.open("/about/")
        assert "First visit: £70\nNeedles, 30 minutes: £45" in page.locator("main").inner_text()
        assert "Ann Lee, physiotherapist (HCPC, search for PH123456 there)" in page.locator("main").inner_text()
        for path in ("/about/", "/treatments/", "/fact-sheets/acupuncture-for-back-pain/"):
            patient.open(path)
            unsaid = re.search("sells some|What we sell|Our interest", page.locator("main").inner_text())
            assert not unsaid, "It states an interest that nobody confirmed."
        patient.open("/fact-sheets/about-back-pain/#report")
        page.locator("summary", has_text="Email me this sheet").click()
        fill(page, **{"report-name": "Ada", "report-email": "ada@example.com"})
        page.get_by_role("button", name="Send me the fact sheet").click()
        page.wait_for_url("**/report/sent/")
        patient.expect_clean(receipt=True)
    mail = mail_to(smtp, "ada@example.com", sent)
    assert mail["From"] == "Harbour bookings <bookings@harbour.example>"
    html = mail.get_body(("html",)).get_content()
    assert "Here is your leaflet, About back pain" in html
    assert "#1E4B7A" in html and "020 7946 0123" in html and "7:35am" in html
    [logo] = re.findall(r'<img src="cid:([^"]+)" [^>]*alt="Harbour Spine Clinic"', html)
    assert [each.get_content_type() for each in mail.walk() if each["Content-ID"] == f"<{logo}>"] == ["image/jpeg"]
    [leaflet] = [each.get_content() for each in mail.iter_attachments() if each.get_content_type() == "application/pdf"]
    pdf = PdfReader(BytesIO(leaflet))
    printed = " ".join(page.extract_text() for page in pdf.pages)
    assert "Harbour Spine Clinic" in printed and "020 7946 0123" in printed and "7:35am" in printed
    assert NAVY in colours_of(pdf)
    assert b"/DCTDecode" in leaflet, "The logo is not in it."
    with Image.open(BytesIO(card)) as picture:
        shown = {colour[:3] for number, colour in picture.getcolors(picture.width * picture.height) if number > 999}
    assert {NAVY, RED} <= shown, "The card beside shared links has another colour, or no logo."
    mails = "".join(f"{each['From']} {text_of(each)}" for each in smtp.messages)
    assert "Stale" not in read + mails + printed + html and "0999" not in read + mails + printed
    assert not any("stale.example" in address for to, _ in smtp.received for address in to)
