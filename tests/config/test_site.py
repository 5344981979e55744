"""Every public address: it exists, is valid, asks no other host, and has the same frame around it."""

import random
import re
from urllib.parse import urldefrag
from xml.etree.ElementTree import tostring

import html5lib
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from backcare.core import clinic
from factsheets.models import FactSheet, GlossaryTerm, SafetyAdvice
from tests.support import linked_data
from tests.support.html import parse, text, title
from tests.support.plain_html import read_plain
from tests.support.reading import (
    SHEET_PAGES,
    SLUGS,
    elements,
    expect_links_on_the_page_to_lead_somewhere,
    expect_ordered_headings,
    ids,
    links,
    page,
    with_class,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
# What the routes of the site need in order to be walked. A new kind of part in an address needs a line here.
PARTS = {
    "<slug:slug>": SLUGS,
    "<int:number>": [str(number) for number in range(1, 13)],
}
# Addresses that answer something other than a page, or only to staff, and have tests of their own.
NOT_PAGES = {
    "/healthz",
    "/metrics",
    "/robots.txt",
    "/sitemap.xml",
    "/feed.xml",
    "/.well-known/security.txt",
    "/static/",
    "/media/",
}
NOT_PAGES |= {"/search/tell/"}  # takes a form and shows nothing: tests/factsheets/search/test_search_private.py
# Each of these is made by tests/factsheets/rendering/, and some take the printing of ten to find what fits.
PRINTED = re.compile(r"(/fact-sheets/[\w-]+/)pdf/(?:full/)?(?:large/)?")
NOT_HTML = ("/useful/", "/pdf/", "/full/", "/large/", "/text/", "/json/", ".png", ".ico")


def routes(resolver=None, before: str = "/"):
    """Every address pattern of the site, the admin left out."""
    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern)
        if route.startswith("/admin/"):
            continue
        if isinstance(each, URLResolver):
            yield from routes(each, route)
        elif isinstance(each, URLPattern):
            yield route


def addresses() -> list[str]:
    found = []
    for route in routes():
        filled = [route]
        for part, values in PARTS.items():
            filled = [each.replace(part, value) for each in filled for value in (values if part in each else [""])]
        found += filled
    return sorted(set(found))


PAGES = [path for path in addresses() if path not in NOT_PAGES and not path.endswith(NOT_HTML) and "<" not in path]


def test_the_walk_meets_the_whole_site():
    for path in (
        "/",
        "/fact-sheets/",
        "/get-help-now/",
        "/glossary/",
        "/privacy/",
        "/about/",
        "/report/",
        "/consultation/",
    ):
        assert path in PAGES
    assert set(SHEET_PAGES) <= set(PAGES)
    assert len(PAGES) >= 20


def test_no_public_address_is_left_out_of_the_walk():
    # The pages behind a link from a mail: test_report_summary_link.py, test_stop_mails.py, test_patient_portal_link.py;
    # a step, with what was typed: tests/enquiries/request_forms/test_consultation.py;
    # a signed confirmation: tests/enquiries/request_forms/test_signs_in_every_box.py.
    behind_a_link = (
        "/report/summary/<str:token>/",
        "/report/stop/<str:token>/",
        "/report/delete/<str:token>/",
        "/request/<str:token>/",
        "/consultation/<slug:page>/",
        "/question/<slug:page>/",
        "/staff/calendar/<str:token>.ics",
        "/report/<slug:page>/",
        "/consultation/sent/<str:token>/",
        "/question/sent/<str:token>/",
        "/report/sent/<str:token>/",
    )
    elsewhere = ("/static/", "/pictures/", *behind_a_link)
    # A sheet's former pages: tests/factsheets/rendering/test_layers.py; lists that links narrowed: test_treatments.py; what thanks
    # for an answer: test_useful.py.
    known = ("/<slug:page>/", "/useful/<slug:said>/", "/<slug:first>/", "/<slug:second>/")
    unknown = [
        path for path in addresses() if "<" in path and not path.startswith(elsewhere) and not path.endswith(known)
    ]
    assert not unknown, f"Say in PARTS how to fill {unknown}, or test them elsewhere and say so here."


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_and_ours(client, settings, path):
    response = client.get(path)
    expect_no_cookie_and_every_guard(response)
    if response.status_code != 200:  # a step that needs an earlier one leads back to it
        response = client.get(path, follow=True)
    assert response.status_code == 200, path
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response.content.startswith(b"<!doctype html>")
    tree = parse(response)
    assert tree.get("lang") == "en-GB"
    expect_ordered_headings(tree)
    expect_links_on_the_page_to_lead_somewhere(tree)
    assert title(tree).endswith(clinic.details()["name"])
    assert len(title(tree)) > len(clinic.details()["name"]) + 5
    first = next(node for node in elements(tree) if node.tag == "a")
    assert first.get("href") == "#main", "The first link skips to the page."
    [main] = tree.iter("main")
    assert main.get("id") == "main"
    [footer] = tree.iter("footer")
    assert "Not an NHS service." in text(footer)
    [header] = tree.iter("header")
    assert "999" in text(header), "The emergency line is on every page."
    expect_nothing_inline(tree)
    expect_nothing_foreign(tree)
    linked_data.expect_head(tree, settings, response.request["PATH_INFO"])


def expect_no_cookie_and_every_guard(response) -> None:
    assert not response.cookies
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def expect_nothing_inline(tree) -> None:
    for node in elements(tree):
        assert node.tag != "style"
        data = node.get("type") == "application/ld+json"  # a block of data, which no browser runs
        assert node.tag != "script" or data or (node.get("src") and not node.text)
        assert not [name for name in node.attrib if name == "style" or name.startswith("on")], node.attrib


def expect_nothing_foreign(tree) -> None:
    """Nothing is requested from another host. Only a link may lead a reader elsewhere."""
    for node in elements(tree):
        for name in ("src", "srcset", "action", "poster", "data", "formaction"):
            assert (node.get(name) or "/").startswith(("/", "#")), node.attrib
            assert not (node.get(name) or "").startswith("//")
        if node.tag == "link" and node.get("rel") != "canonical":
            assert re.match(r"/(?!/)", node.get("href")), node.attrib


# At some places in a page right, and at others closed early, moved or refused by a browser.
INTRUDERS = [
    *(
        f"<{tag}>x</{tag}>"
        for tag in ("div", "p", "li", "td", "option", "a", "h2", "form", "button", "dd", "b", "search")
    ),
    *("<tr><td>x</td></tr>", "<select><p>x</p></select>", "<textarea>\n\nx</textarea>", "<svg><path d=x /></svg>"),
    *(
        "x",
        "&amp",
        "&nosuch;",
        "&#0;",
        "&#8211;",
        "<img/>",
        "<p/>",
        "<i a=1 a=2></i>",
        "<!-- x -->",
        "<!-- x -- y -->",
        "<>",
    ),
    *("<b><i>x</b></i>", "</p>", "</br>", "<pre>\nx</pre>", "<A>x</A>", "<hr>"),
]


@pytest.mark.long
def test_the_fast_reader_of_these_tests_and_html5lib_agree(staff_client):
    """Also on pages with damage: it may read them as html5lib does, without an error, or leave them to it."""
    pages = [
        staff_client.get(path).content.decode()
        for path in ("/", SHEET_PAGES[0], "/consultation/", "/admin/enquiries/enquiry/")
    ]
    assert [read_plain(each) is None for each in pages] == [False] * len(pages)
    chance = random.Random(20_261_130)  # noqa: S311 - repeatable, no secret
    for whole in [each for each in pages if len(each) < 20_000]:
        tags = [tag.span() for tag in re.finditer(r"<[^>]+>", whole)]
        for put_in in ("", *INTRUDERS):
            for start, end in chance.sample(tags, 4):
                pages.append(whole[: end if put_in else start] + put_in + whole[end:])
    read = 0
    for each in pages:
        if (plain := read_plain(each)) is not None:
            parser = html5lib.HTMLParser(namespaceHTMLElements=False)
            repaired = parser.parse(each)
            assert not parser.errors, parser.errors
            assert tostring(plain) == tostring(repaired)
            read += 1
    assert 4 < read < len(pages), "Nothing that needs a repair was tried, or nothing else."


@pytest.mark.long
def test_titles_tell_the_pages_apart_and_every_link_picture_and_style_is_there(client):
    """Also the right place on the other page."""
    titles: dict[str, list[str]] = {}
    wanted: dict[str, str] = {}  # address on our site -> a page that names it
    for path in PAGES:
        response = client.get(path)
        if response.status_code != 200:
            continue
        tree = parse(response)
        titles.setdefault(title(tree), []).append(path)
        for node in elements(tree):
            for name in ("href", "src", "srcset", "action"):
                if (node.get(name) or "").startswith("/"):
                    wanted.setdefault(node.get(name), path)
    assert not {words: paths for words, paths in titles.items() if len(paths) > 1}
    assert len(wanted) > 80
    assert set(SHEET_PAGES) <= set(wanted)
    lost = []
    printed = {link for link in wanted if (found := PRINTED.fullmatch(link)) and found[1] in SHEET_PAGES}
    apart = NOT_PAGES | printed
    answers = {address: client.get(address) for address in {link.partition("#")[0] for link in wanted} - apart}
    places = {}
    for address, answer in answers.items():
        if answer.streaming:
            assert b"".join(answer.streaming_content)  # read to its end, the file is closed
        elif answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            places[address] = set(ids(parse(answer)))
    for link, path in wanted.items():
        address, _, place = link.partition("#")
        if address in apart:
            continue
        if answers[address].status_code not in {200, 302, 303}:
            lost.append((path, link, answers[address].status_code))
        elif place and place not in places.get(address, ()):
            lost.append((path, link, "no such place"))
    assert not lost
    assert len(printed) >= 3 * len(SHEET_PAGES)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/no-such-page/", 404), ("/fact-sheets/no-such-sheet/", 404), ("/fact-sheets/%00/", 404), ("/glossary", 301)],
)
def test_an_address_that_is_wrong_gets_a_page_of_ours_or_is_put_right(client, path, status):
    response = client.get(path)
    assert response.status_code in {status, 400}
    if response.status_code == 404:
        tree = parse(response)
        expect_ordered_headings(tree)
        assert "Not an NHS service." in text(tree)
        assert "/fact-sheets/" in links(tree)
        expect_nothing_inline(tree)


def test_the_first_page_shows_emergency_signs_and_leads_to_every_sheet(client):
    tree = page(client, "/")
    [card] = with_class(tree, "care", "emergency")
    assert len(list(card.iter("li"))) >= 3
    for slug in SLUGS:
        assert f"/fact-sheets/{slug}/" in [urldefrag(each).url for each in links(tree)]


def test_the_list_groups_every_sheet_under_its_question(client):
    tree = page(client, "/fact-sheets/")
    for sheet in FactSheet.objects.published().select_related("topic"):
        assert sheet.get_absolute_url() in links(tree)
        assert sheet.summary in text(tree)
        assert sheet.topic.question in text(tree)


def test_get_help_now_holds_every_red_flag(client):
    said = text(page(client, "/get-help-now/"))
    for advice in SafetyAdvice.objects.all():
        assert advice.text in said
        assert advice.action in said


def test_the_glossary_holds_every_term_once_in_order(client):
    tree = page(client, "/glossary/")
    terms = [text(node) for node in tree.iter("dfn")]
    assert sorted(terms) == sorted(GlossaryTerm.objects.values_list("term", flat=True))
    letters = [term[0].upper() for term in terms]
    assert letters == sorted(letters)


def test_robots_are_kept_from_staff_pages_only(client):
    response = client.get("/robots.txt")
    assert response["Content-Type"].startswith("text/plain")
    assert response.content.decode().splitlines()[:2] == ["User-agent: *", "Disallow: /admin/"]
