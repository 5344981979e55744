"""The first page of the desk in a real browser: readable by everybody, in both schemes, on a phone and on a desk."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enquiries.models import Enquiry
from tests.conftest import consultation, give_signs
from tests.support.desk import person, sign_in, with_password
from tests.support.outbox import question
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]

# How much of the table is beside its drawing, or below it.
PLACES = """() => [...document.querySelectorAll(".beside")].map(each => {
    const [drawing, table] = [each.querySelector("svg"), each.querySelector("table")].map(part => part.getBoundingClientRect());
    const inside = table.right <= each.closest(".chart").getBoundingClientRect().right;
    return {beside: table.left >= drawing.right, below: table.top >= drawing.bottom, tall: drawing.height, inside};
})"""


def some_enquiries():
    now = timezone.now()
    for days, late in ((2, False), (3, True), (9, False), (24, True)):
        enquiry = question(email=f"{days}@example.com") if late else consultation(email=f"{days}@example.com")
        came = now - timedelta(days=days)
        reached = came + timedelta(days=2 if late else 0, hours=1)
        Enquiry.objects.filter(pk=enquiry.pk).update(
            created_at=came, reply_by=came + timedelta(days=1), first_contact_at=reached, contact_attempts=days % 3 + 1
        )
    flagged = consultation(email="flagged@example.com")
    give_signs(Enquiry.objects.filter(pk=flagged.pk), reply_by=now - timedelta(hours=1))


def test_the_dashboard_is_accessible_and_fits(browser, site):
    some_enquiries()
    with_password(person("Carl", "clinician"))
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        sign_in(desk, "carl")
        for width in (1280, 360):
            desk.page.set_viewport_size({"width": width, "height": 900})
            desk.open("/admin/")
            desk.expect_accessible_in_both_schemes()
            desk.expect_no_sideways_scrolling()
            places = desk.page.evaluate(PLACES)
            assert len(places) == 4
            for place in places:
                assert place["beside" if width == 1280 else "below"], (width, place)
                assert place["tall"] > 60 and place["inside"], (width, place)
        desk.page.set_viewport_size({"width": 320, "height": 900})
        desk.expect_no_sideways_scrolling()
        assert all(place["inside"] for place in desk.page.evaluate(PLACES))
    with_password(User.objects.create_superuser("olga"))
    with visitor(browser, site, viewport={"width": 360, "height": 900}) as desk:
        sign_in(desk, "olga")
        desk.open("/admin/")
        assert desk.page.locator(".set-up li a").count(), "Nothing is missing, so what says so was not looked at."
        desk.expect_accessible()
