"""Addresses as people type them lead to the page, and to no other site."""

from urllib.parse import unquote_to_bytes

import pytest
from django.test import Client

from factsheets.models import FactSheet, State

pytestmark = pytest.mark.once

SHEET = "/fact-sheets/about-back-pain/"


def ask(typed: str):
    """Django's client takes what follows two slashes for a host. A server takes it for the path that it is."""
    path, _, query = typed.partition("?")
    return Client().get("/", PATH_INFO=unquote_to_bytes(path).decode("latin-1"), QUERY_STRING=query)


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("/Fact-Sheets/About-Back-Pain/", SHEET),
        ("/fact-sheets/about-back-pain.", SHEET),
        ("/fact-sheets/about-back-pain/)", SHEET),
        ("/fact-sheets/about-back-pain/%29.", SHEET),
        ("/fact-sheets//about-back-pain/", SHEET),
        ("//fact-sheets/about-back-pain/,", SHEET),
        ("/FACT-SHEETS", "/fact-sheets/"),
        ("/Get-Help-Now/”", "/get-help-now/"),
        ("/Check", "/check/"),
        ("/About.", "/about/"),
        ("/Feed.xml", "/feed.xml"),
        ("/FACT-SHEETS/ABOUT-BACK-PAIN/PDF/", f"{SHEET}pdf/"),
        ("/Search/?q=sleep", "/search/?q=sleep"),
        ("/)", "/"),
        ("/fact-sheets/about-back-pain&gt;", SHEET),
        ("/fact-sheets/about-back-pain/&quot;.", SHEET),
        ("/fact-sheets/about-back-pain/%3Cbr%3E", SHEET),
        ("/fact-sheets/about-back-pain/%E2%80%8B", SHEET),
        ("/fact-sheets/about-back-pain%C2%A0»", SHEET),
        ("/fact-sheets/about%20back%20pain", SHEET),
        ("/Fact_Sheets/about–back–pain/", SHEET),
        ("/%20get-help-now%20/", "/get-help-now/"),
        ("/Treatments/Helps.", "/treatments/helps/"),
    ],
)
def test_a_slip_leads_to_the_page(db, typed, page):
    answer = ask(typed)
    assert (answer.status_code, answer["Location"]) == (301, page)
    assert Client().get(page).status_code == 200


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "/fact-sheets/no-such-sheet.",
        "/Treatments/no-such-verdict/",
        "/treatments/helps/helps.",
        "//evil.example/",
        "//evil.example/about/.",
        "/\\evil.example/",
        "/%5Cevil.example/About/",
        "/https://evil.example/about/",
        "/Admin/",
        "/ADMIN/login/",
        "/Request/AbCdEf/",
        "/request/AbCdEf./",
        "/Report/Summary/AbCdEf/",
        "/Static/css/site.css",
        "/" + "." * 300,
        "/Fact-sheets/looking-after-your-back/",
    ],
)
def test_what_leads_nowhere_stays_unknown(db, typed):
    FactSheet.objects.filter(slug="looking-after-your-back").update(state=State.DRAFT)
    answer = ask(typed)
    assert answer.status_code == 404, answer.headers


def test_a_form_is_never_sent_on(db):
    assert Client().post("/Consultation/", {"name": "Ann"}).status_code == 404
