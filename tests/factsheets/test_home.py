"""The home page: six answers within a screen and a half of a phone, a short header, and who works at the clinic."""

import re
from urllib.parse import urldefrag

import pytest
from django.test import Client

from backcare.core import clinic
from factsheets import situations
from factsheets.models import FactSheet, State, TeamMember
from tests.support.clinic_settings import set_clinic
from tests.support.html import by_id, text
from tests.support.reading import ids, links, page, with_class
from tests.support.visitor import Visitor

pytestmark = pytest.mark.once

PHONE = {"width": 360, "height": 640}  # the smallest that is still common
SIX = [
    "Is it serious?",
    "It goes down my leg",
    "I cannot sleep",
    "What can I take?",
    "I am waiting for treatment",
    "I am pregnant",
]


def test_what_people_ask_leads_to_its_place(db):
    """By the fixtures: an editor may move a section, and then the link goes to the top of the sheet."""
    sheets = list(FactSheet.objects.published())
    client = Client()
    for each in [*situations.CARDS, *situations.QUESTIONS]:
        [found] = situations.listed([each], sheets)
        path, place = urldefrag(found["url"])
        assert place == each.place, f"{each.words}: {each.sheet} has no {each.place}"
        tree = page(client, path)
        assert not place or place in ids(tree)
        assert not place or by_id(tree, place).tag != "li", "It leads to a heading or a section, with the whole answer."
        folded = {each.get("id") for details in tree.iter("details") for each in details.iter()}
        assert place not in folded, f"{each.words} leads into a fold."


def test_pregnant_readers_find_both_signs_and_what_to_do_under_one_heading(client, db):
    tree = page(client, "/get-help-now/")
    [chapter] = [each for each in tree.iter("section") if by_id(tree, "pregnant") in list(each)]
    for words in ("Ask your midwife", "Call your maternity unit now.", "an early pregnancy unit today."):
        assert words in text(chapter)


def test_a_sheet_that_is_not_published_is_no_answer(client, db):
    home = page(client, "/")
    assert "It goes down my leg" in text(home)
    FactSheet.objects.get(slug="about-back-pain").sections.filter(slug="pain-down-one-leg").delete()
    sheet = FactSheet.objects.get(slug="about-back-pain")
    sheet.document["sections"] = [s for s in sheet.document["sections"] if s["slug"] != "pain-down-one-leg"]
    sheet.save()
    assert sheet.get_absolute_url() in links(page(client, "/"))
    FactSheet.objects.filter(pk=sheet.pk).update(state=State.DRAFT)
    home = page(client, "/")
    cards = [text(card) for card in with_class(home, "cards")[0].iter("a")]
    assert cards == [*SIX[2:], "It has lasted months", "What can I do today?"], "Others take their places."
    assert not [link for link in links(home) if link.startswith(sheet.get_absolute_url())]


@pytest.mark.parametrize("path", ["/", "/about/"])
def test_who_where_when_and_how_much(client, db, path):
    said = text(page(client, path))
    known = clinic.details()
    people = [each.title for each in TeamMember.objects.filter(shown=True)]
    assert people and known["prices"] and known["acupuncture_prices"]
    for line in (*people, *known["prices"], *known["acupuncture_prices"], known["address"]):
        assert line in said
    drawn = [each.get("src") for each in page(client, path).iter("img") if "/people/" in each.get("src")]
    assert [re.sub(r"\..*", "", each.rpartition("/")[2]) for each in drawn] == [
        "woman-curly-hair",
        "man-beard-and-glasses",
        "woman-bob",
    ]
    TeamMember.objects.update(shown=False)
    set_clinic(prices="", acupuncture_prices="", address="", has_no_rooms=True)
    said = text(page(client, path))
    assert "Who you will meet" not in said
    assert "We tell you the price before you decide." in said
    assert "By phone or video call only: we have no rooms to visit" in said and "Or by phone" not in said


def test_home_on_a_phone(browser, site):
    visitor = Visitor(browser, site, viewport=PHONE)
    visitor.open("/")
    box = visitor.page.locator
    assert box("header .top").bounding_box()["height"] <= 64
    cards = box(".cards li")
    assert box(".cards a").all_inner_texts() == SIX
    last = cards.last.bounding_box()
    assert last["y"] + last["height"] <= 1.5 * PHONE["height"]
    box(".menu summary").press("Enter")
    box(".menu input").fill("sleep")
    box(".menu input").press("Enter")
    visitor.page.wait_for_url("**/search/?q=sleep")
    assert not visitor.complaints


def test_on_a_wide_screen_the_menu_lies_open(browser, site):
    visitor = Visitor(browser, site, viewport={"width": 1280, "height": 800})
    visitor.open("/")
    assert not visitor.page.locator(".menu summary").is_visible()
    assert visitor.page.get_by_role("link", name="Ask a question").is_visible()
    assert visitor.page.get_by_role("searchbox", name="Search this site").is_visible()
