"""The pages around the fact sheets: error pages that lose nothing, get help now, the sent pages, emails on a small screen."""

import re
from itertools import pairwise

import html5lib
import pytest
from django.test import Client
from playwright.sync_api import expect

from enquiries.mail import samples
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Enquiry
from enquiries.request_forms.form_state import FORMS
from factsheets import safety
from tests.support.accessibility import patient
from tests.support.consultation_form import follow
from tests.support.forms import ADDRESSES, FIELDS, form
from tests.support.html import by_id, form_at, parse, sent, text, title, visible
from tests.support.wsgi import ask

pytestmark = pytest.mark.once

ELSEWHERE = {"sec-fetch-site": "cross-site"}
NASTY = '"><script>alert(1)</script>\n</textarea><b>“ok” & 🦴 \u202e'


def from_elsewhere(kind: str, data: dict) -> object:
    return Client(enforce_csrf_checks=True, headers=ELSEWHERE).post(ADDRESSES[kind], data)


def given_back(response, kind: str) -> dict[str, list[str]]:
    """What the page's own form would send, without what is empty."""
    filled = sent(form_at(parse(response), ADDRESSES[kind]))
    return {name: values for name, values in filled.items() if values != [""]}


def as_lists(data: dict) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [value] for name, value in data.items()}


# --- what was typed is given back ---


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_sent_from_another_website_comes_back_filled_in_and_can_be_sent_from_here(db, client, kind):
    response = from_elsewhere(kind, form(kind))
    assert response.status_code == 403
    # Nothing says that the answers were looked through: the next page is the one for that.
    assert given_back(response, kind) == as_lists(form(kind, step=None))
    assert not Enquiry.objects.exists()
    own = {"sec-fetch-site": "same-origin"}
    again = client.post(ADDRESSES[kind], given_back(response, kind), headers=own)
    if kind != "report":
        assert again.status_code == 200
        assert not Enquiry.objects.exists()
        while f"{kind}-seal" not in given_back(again, kind):  # a step that the form from elsewhere did not have
            again = follow(client, client.post(ADDRESSES[kind], given_back(again, kind), headers=own))
        looked_through = given_back(again, kind) | {f"{kind}-step": "send"}
        again = client.post(ADDRESSES[kind], looked_through, headers=own)
    assert (again.status_code, again["Location"].startswith(f"/{kind}/sent/")) == (303, True)
    assert Enquiry.objects.get().email == FIELDS[kind]["email"]


def test_a_step_sent_from_elsewhere_comes_back_as_that_step_with_what_was_before_it(db):
    typed = {"at": "back", "done": "back contact who", "for_whom": "me", "name": "Ada", "email": "ada@example.com"}
    typed |= {"contact_by": "email", "description": "An ache."}
    response = from_elsewhere("consultation", {f"consultation-{name}": value for name, value in typed.items()})
    page_form = form_at(parse(response), "/consultation/")
    shown = {each.get("name").partition("-")[2] for each in visible(page_form)}
    assert shown == {"how_long", "where", "seen", "description"}
    assert {name.partition("-")[2]: values[0] for name, values in given_back(response, "consultation").items()} == typed


def test_what_comes_back_stands_in_fields_only_and_is_kept_by_nobody(db):
    response = from_elsewhere("question", form("question", name="Ada <b>", description=NASTY))
    tree = parse(response)
    assert given_back(response, "question")["question-description"] == [NASTY]
    assert not list(tree.iter("script"))
    assert not list(next(tree.iter("main")).iter("b"))
    assert "alert(1)" not in title(tree)
    assert response["Cache-Control"] == "no-store"
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert not response.cookies
    assert 'name="robots" content="noindex"' in response.content.decode()


def test_another_website_can_neither_fill_the_trap_nor_choose_to_include_the_answers(db):
    data = form("report") | {"report-website": "x", "report-include_answers": "yes"}
    response = from_elsewhere("report", data)
    back = given_back(response, "report")
    assert back == as_lists(form("report"))
    assert b"include_answers" not in response.content


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/question/", {"body": b"x", "CONTENT_TYPE": "multipart/form-data"}),
        ("/question/", {"body": b"\xff" * 50, "CONTENT_TYPE": "multipart/form-data; boundary=x"}),
        ("/question/", {"body": b"a=1&" * 5_000}),
        ("/question/", {"body": b""}),
        ("/question/", {"body": b"question-website=x&other=y"}),
        ("/check/1/", {"body": b"emergency=none&question-name=Ada"}),
        ("/admin/login/", {"body": b"username=sam&password=canary-word&question-name=Ada"}),
        ("/nothing/", {"body": b"question-name=Ada"}),
    ],
)
def test_where_nothing_can_be_given_back_the_page_is_plain_and_does_not_break(db, path, options):
    answer = ask(path=path, HTTP_SEC_FETCH_SITE="cross-site", **options)
    assert answer.status_code in {403, 404}
    tree = parse(answer)
    posting = [element for element in tree.iter("form") if element.get("method") == "post"]
    assert not posting
    assert "canary-word" not in text(tree)
    assert "/fact-sheets/" in [link.get("href") for link in next(tree.iter("main")).iter("a")]


@pytest.mark.browser
def test_a_person_presses_the_button_on_our_page_and_the_form_arrives(browser, site):
    with patient(browser, site, viewport={"width": 360, "height": 740}) as met:
        fields = "".join(
            f"<input name='consultation-{name}' value='{value}'>"
            for name, value in [("name", "Ada"), ("email", "ada@example.com"), ("contact_by", "email")]
        )
        words = "<textarea name='consultation-description'>An ache\nlow in my back</textarea>"
        body = f"<form method=post action='{site}/consultation/'>{fields}{words}<button>Send</button></form>"
        met.page.route("http://other.test/**", lambda route: route.fulfill(body=body, content_type="text/html"))
        met.page.goto("http://other.test/")
        met.page.get_by_role("button").click()
        expect(met.page.get_by_role("heading", level=1)).to_have_text("Check this, and send it from here")
        expect(met.page.get_by_label("Briefly describe your back pain")).to_have_value("An ache\nlow in my back")
        assert not Enquiry.objects.exists()
        met.expect_accessible()
        met.expect_no_sideways_scrolling()
        met.page.get_by_label("Me", exact=True).check()
        met.page.get_by_role("button", name="Continue").click()
        met.page.get_by_role("button", name="Send my request").click()
        expect(met.page.get_by_role("heading", level=1)).to_have_text("Request sent")
    assert Enquiry.objects.get().description == "An ache\nlow in my back"


# --- pages ---


@pytest.mark.parametrize("kind", FORMS)
def test_a_confirmation_is_found_by_no_search_engine(db, client, kind):
    robots = [meta for meta in parse(client.get(f"/{kind}/sent/")).iter("meta") if meta.get("name") == "robots"]
    assert [meta.get("content") for meta in robots] == ["noindex"]


def test_get_help_now_has_every_tier_every_line_to_call_and_what_differs_between_the_nations(db, client):
    tree = parse(client.get("/get-help-now/"))
    [main] = tree.iter("main")
    levels = [text(heading) for heading in main.iter("h2")]
    for tier in safety.tiers():
        assert tier["heading"] in levels
    assert levels.index(safety.HEADINGS["emergency"]) < levels.index(safety.HEADINGS["urgent"])
    addresses = [link.get("href") for link in main.iter("a")]
    assert addresses[0] == "tel:999", "The first thing to press is the emergency call."
    assert {"tel:18000", "tel:18001111", "tel:111", "sms:999?body=register"} <= set(addresses)
    for line in safety.CRISIS:
        assert line["what"] in text(main)
        assert f"tel:{line['number']}" in addresses
    for line in safety.HURT:
        assert f"{line['where']}: {line['what']}, {line['shown']}" in text(main)
    for place in [address for address in addresses if address.startswith("#")]:
        by_id(tree, place[1:])
    for words in (
        "England, Scotland and Wales: call 111.",
        "Northern Ireland: there is no 111. Call your GP or the GP out-of-hours service.",
    ):
        assert words in text(main)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_first_heading_of_a_question_with_an_error_is_its_h1(db, client, number):
    if number > 1:
        client.post("/check/1/", {"emergency": "none"})
    if number > 2:
        client.post("/check/2/", {"urgent": "none"})
    response = client.post(f"/check/{number}/", {}, follow=True)
    assert title(parse(response)).startswith("Error: ")
    tree = parse(response)
    levels = [
        int(element.tag[1]) for element in next(tree.iter("main")).iter() if re.fullmatch("h[1-6]", str(element.tag))
    ]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    [problem] = [element for element in tree.iter() if element.get("autofocus") is not None]
    assert text(by_id(tree, problem.get("aria-labelledby"))) == "There is a problem"


def test_the_statement_says_how_long_the_large_print_is_and_what_no_person_has_tested(db, client):
    said = text(next(parse(client.get("/accessibility/")).iter("main")))
    for words in (
        "in large print too (18 point)",
        "In large print a leaflet takes four or five pages",
        "That goes for printing, too",
        "assistive technology",
    ):
        assert words in said


# --- emails ---


def mails(part: str = "html") -> dict[str, str]:
    made = {key: samples.email(key, WORDINGS[key].default) for key in samples.PURPOSES}
    return {key: mail.html if part == "html" else mail.text for key, mail in made.items()}


# Text and background, as computed by a mail program that drops the styles of the body.
PALE = """() => {
    const light = colour => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(each => {
            const part = each / 255;
            return part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
        });
        return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
    };
    const ground = element => {
        for (let box = element; box; box = box.parentElement) {
            const colour = getComputedStyle(box).backgroundColor;
            if (!/, 0\\)$/.test(colour)) return colour;
        }
        return 'none';
    };
    return [...document.body.querySelectorAll('*')].filter(each =>
        [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())).filter(each => {
            const behind = ground(each);
            if (behind === 'none') return true;
            const [one, other] = [light(getComputedStyle(each).color), light(behind)].sort((a, b) => b - a);
            return (one + .05) / (other + .05) < 4.5;
        }).map(each => each.textContent.trim().slice(0, 40));
}"""


@pytest.mark.browser
def test_every_mail_fits_a_phone_and_is_legible_in_a_dark_program_that_drops_what_stands_on_the_body(browser, db):
    page = browser.new_page(color_scheme="dark")
    for name, mail in mails().items():
        page.set_content(mail)
        for width in (320, 600, 1000):
            page.set_viewport_size({"width": width, "height": 700})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} px too wide at {width} px."
            words = page.locator("h1, p").first.bounding_box()
            assert width < 700 or words["width"] < 640, f"{name} runs over the whole width at {width} px."
        # Links of the text alone take the program's own colour; those of the layout and of buttons name theirs.
        assert not page.evaluate(PALE), f"{name} has words that are hard to read in the dark scheme."
        ground = page.locator("td:has(h1)").last.evaluate("each => getComputedStyle(each).backgroundColor")
        assert ground == "rgb(27, 43, 41)", f"{name} stays light."
        bare = re.sub(r'<meta name="(?:supported-)?color-schemes?"[^>]*>|<style>.*?</style>', "", mail, flags=re.DOTALL)
        page.set_content(re.sub(r"<body[^>]*>", "<body>", bare))
        assert not page.evaluate(PALE), f"{name} has words that are hard to read."
    page.close()


def numbers(words: str) -> set[str]:
    return {" ".join(found.split()) for found in re.findall(r"\d[\d\s]*\d|\d", words)}


def test_the_plain_text_of_a_mail_has_the_links_and_the_numbers_of_its_html(db):
    for (name, mail), plain in zip(mails().items(), mails("txt").values(), strict=True):
        tree = html5lib.parse(mail, namespaceHTMLElements=False)
        links = {link.get("href") for link in tree.iter("a")}
        assert links or name == "test_message", name  # which has a code instead
        assert {address.rstrip(".") for address in re.findall(r"https?://\S+", plain)} == links, name
        assert numbers(re.sub(r"https?://\S+", "", plain)) == numbers(text(next(tree.iter("body")))), name


# --- the staff desk ---


@pytest.mark.browser
def test_the_way_in_for_staff_shows_whose_it_is_and_fits_a_phone(browser, site):
    with patient(browser, site, viewport={"width": 320, "height": 640}) as met:
        met.open("/admin/login/")
        expect(met.page.locator("#site-name")).to_contain_text("Larkfield Back Clinic")
        expect(met.page.locator("#site-name svg")).to_be_visible()
        expect(met.page.get_by_role("link", name="Go to the website")).to_have_attribute("href", "/")
        met.expect_no_sideways_scrolling()
