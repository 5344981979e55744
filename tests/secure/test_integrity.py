"""Every script of the desk carries the hash of what it must be, and a browser runs it, and no other."""

import base64
import hashlib
import logging
import re

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.urls import reverse
from playwright.sync_api import expect

from backcare.staff.integrity import IntegrityMiddleware
from enquiries.models import Closure
from factsheets.models import GlossaryTerm
from tests.desk import sign_in, tree, with_password
from tests.pages import visitor
from tests.secure.test_roles import PAGES, People

pytestmark = pytest.mark.once
TOPIC = {"title": "A new topic", "slug": "new", "position": 9, "question": "What is new?"}


def content_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def scripts_of(answer) -> dict[str, str | None]:
    """The hash that the page gives for each script that it loads, by its address."""
    if not answer.get("Content-Type", "").startswith("text/html"):
        return {}
    assert int(answer["Content-Length"]) == len(answer.content)
    return {each.get("src"): each.get("integrity") for each in tree(answer).iter("script") if each.get("src")}


def other_answers(client, people):
    """Pages that have no name of their own: after an action, in a pop-up window, when the time is over."""
    term, closure = GlossaryTerm.objects.first(), Closure.objects.first()
    ticked = {"action": "delete_selected", "_selected_action": closure.pk}
    yield client.post(people.address("enquiries_closure_changelist"), ticked)
    yield client.get(people.address("factsheets_topic_add"), {"_popup": 1})
    yield client.post(people.address("factsheets_topic_add"), {"_popup": 1, **TOPIC})
    yield client.post(people.address("factsheets_glossaryterm_add"), {"term": ""})
    yield client.post(reverse("admin:factsheets_glossaryterm_delete", args=[term.pk]), {})
    client.logout()
    yield client.post(people.address("enquiries_closure_add"), {"reason": "Half a sentence"})
    yield client.post(people.address("login"), {"username": "nobody", "password": "wrong"})


def test_every_script_on_every_page_of_the_desk_carries_the_hash_of_what_is_sent(client, db, caplog):
    caplog.set_level(logging.CRITICAL, "django.request")  # pages that nobody may open are asked for as well
    people = People()
    client.force_login(people.users["O"])
    answers = [client.get(people.address(name)) for name in sorted(PAGES)] + list(other_answers(client, people))
    found: dict[str, set] = {}
    for answer in answers:
        for address, digest in scripts_of(answer).items():
            found.setdefault(address, set()).add(digest)
    assert len(found) >= 20, "Django's desk is made of more scripts than that."
    for name in ("popup_response", "cancel", "DateTimeShortcuts", "SelectFilter2", "inlines", "jsi18n"):
        assert any(name in address for address in found), f"No page with {name} was met."
    client.force_login(people.users["O"])
    for address, digests in found.items():
        sent = hashlib.sha384(content_of(client.get(address))).digest()
        assert digests == {f"sha384-{base64.b64encode(sent).decode()}"}, address


def test_what_a_person_wrote_is_left_as_it_is(client, db):
    people = People()
    client.force_login(people.users["O"])
    Closure.objects.update(reason='<script src="/admin/jsi18n/">')
    page = client.get(people.address("enquiries_closure_change")).content.decode()
    assert "&lt;script src=&quot;/admin/jsi18n/&quot;&gt;" in page


def test_a_development_server_gives_no_hashes(settings):
    settings.DEBUG = True
    with pytest.raises(MiddlewareNotUsed):
        IntegrityMiddleware(lambda request: None)


@pytest.mark.browser
@pytest.mark.once
def test_the_scripts_of_the_desk_run_and_changed_ones_do_not(browser, site):
    people = People()
    with_password(people.users["O"])
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        sign_in(desk, "owner")

        desk.open(people.address("auth_user_change"))
        page.get_by_role("link", name="Choose a Date").first.click()
        expect(page.locator(".calendarbox caption").first).to_contain_text(re.compile("20[0-9]{2}"))
        page.get_by_role("link", name="Today").first.click()
        expect(page.locator("#id_last_login_0")).not_to_have_value("")

        desk.open(people.address("enquiries_clinichours_change"))
        rows = page.locator("tr.form-row:not(.empty-form)")
        before = rows.count()
        page.get_by_role("button", name="Add another opening time").click()
        expect(rows).to_have_count(before + 1)

        desk.open(people.address("factsheets_glossaryterm_add"))
        page.get_by_label("Term").press_sequentially("Sore back")
        expect(page.get_by_label("Slug")).to_have_value("sore-back")

        desk.open(people.address("factsheets_safetyadvice_change"))
        page.locator("select[id$=_from] option").first.wait_for(state="attached")
        chosen = page.locator("select[id$=_to] option")
        before = chosen.count()
        page.locator("select[id$=_from]").select_option(index=0)
        page.locator(".selector-add").click()
        expect(chosen).to_have_count(before + 1)

        desk.open("/admin/enquiries/enquiry/")
        page.locator("#action-toggle").check()
        expect(page.locator("input.action-select").first).to_be_checked()

        desk.open(people.address("factsheets_factsheet_add"))
        with page.expect_popup() as opened:
            page.locator("#add_id_topic").click()
        window = opened.value
        for field, value in TOPIC.items():
            window.locator(f"#id_{field}").fill(str(value))
        window.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#id_topic option:checked")).to_have_text("A new topic")
        desk.expect_clean(cookies=True)

        page.route("**/static/admin/js/core.*.js", lambda route: route.fulfill(body="document.title = 'Changed'"))
        desk.open(people.address("auth_user_change"))
        expect(page.get_by_label("Username")).to_be_visible()
        assert any("integrity" in text for text in desk.complaints), desk.complaints
        assert page.title() != "Changed"
        expect(page.get_by_role("link", name="Today")).to_have_count(0)
