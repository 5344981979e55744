"""The accessibility statement and the complaints page: what they promise, and that it is so."""

import re

import pytest

from backcare.core import clinic
from tests.support.clinic_settings import set_clinic
from tests.support.html import text
from tests.support.reading import elements, links, page, squeezed

pytestmark = pytest.mark.once


@pytest.mark.django_db
def test_the_statement_says_its_standard_its_day_its_faults_and_how_to_get_another_form(client):
    tree = page(client, "/accessibility/")
    said = text(tree)
    for words in (
        "WCAG) 2.2, level AA",
        "Written on 21 November 2026",
        "What is not perfect",
        "PDF/UA-1",
        "one working day",
    ):
        assert words in said
    assert "https://www.equalityadvisoryservice.com/" in links(tree)
    assert "No expert from outside has checked it yet" in squeezed(said)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accessibility/", "/complaints/"])
def test_both_pages_name_every_way_to_reach_the_clinic_that_there_is(client, settings, path):
    [main] = page(client, path).iter("main")
    assert {"tel:02079460958", "tel:1800102079460958", f"mailto:{clinic.details()['email']}", "/question/"} <= set(
        links(main)
    )
    assert clinic.details()["address"] in text(main)
    set_clinic(phone="", email="", address="")
    [bare] = page(client, path).iter("main")
    assert not [link for link in links(bare) if link in {"tel:", "mailto:", "tel:18001"}]
    assert "/question/" in links(bare)
    assert all(text(node) for node in elements(bare) if node.tag == "li")


@pytest.mark.django_db
def test_a_complaint_leads_to_help_first_and_names_no_register_that_the_clinic_may_not_be_in(client):
    tree = page(client, "/complaints/")
    [main] = tree.iter("main")
    said = text(main)
    assert links(main)[0] == "/get-help-now/"
    assert "https://ico.org.uk/make-a-complaint/" in links(main)
    for name in (
        "Care Quality Commission",
        "CQC",
        "HCPC",
        "General Medical Council",
        "GMC",
        "British Acupuncture Council",
    ):
        assert name not in said
    assert re.search(r"\d+ (working )?days", said) is None, "A time that no setting holds."
