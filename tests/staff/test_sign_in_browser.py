"""A receptionist sets up her second factor and signs in with it, in a real browser, without scripts and without a mouse."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from backcare.staff import totp
from tests.support.desk import PASSWORD, code_of, person, sign_in, with_password, with_second_factor
from tests.support.outbox import deliver, text_of
from tests.support.sign_in import code_for
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]


def test_a_receptionist_sets_up_a_second_factor_without_scripts(browser, site):
    rita = with_password(person("Rita", "reception"))
    with visitor(browser, site, viewport={"width": 360, "height": 740}, java_script_enabled=False) as desk:
        page = desk.page
        sign_in(desk, "rita")
        page.get_by_role("link", name="Sign-in settings").click()
        page.get_by_role("button", name="Set up a second factor").click()
        expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
        assert page.locator(".qr-box svg").bounding_box()["width"] >= 150, "Too small for a camera."
        secret = page.locator(".key").inner_text().replace(" ", "")
        page.get_by_role("textbox", name="Code").fill("000000")
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_text("That code is not right.")).to_be_visible()
        page.get_by_role("textbox", name="Code").fill(code_for(secret))
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        codes = page.locator(".recovery-codes code").all_inner_texts()
        assert len(codes) == 10
        page.get_by_role("link", name="I have saved them. Continue").click()
        expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        page.get_by_role("link", name="Sign in again").click()
        page.get_by_label("Username").fill("rita")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Use a recovery code").click()
        page.get_by_role("textbox", name="Recovery code").fill(codes[0])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("You have 9 recovery codes left.")).to_be_visible()
        desk.expect_clean(cookies=True)
    assert totp.of(rita)


@pytest.mark.once
def test_every_page_of_the_sign_in_is_accessible_and_works_by_keyboard(browser, site):
    rita = with_password(person("Rita", "reception"))
    codes = with_second_factor(rita)
    with visitor(browser, site, viewport={"width": 360, "height": 740}) as desk:
        page = desk.page

        def seen(*, dark: bool = False):
            desk.expect_accessible_in_both_schemes() if dark else desk.expect_accessible()
            desk.expect_no_sideways_scrolling()

        desk.open("/admin/login/?why=idle")
        seen(dark=True)
        page.get_by_label("Username").focus()
        page.keyboard.type("rita")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
        page.keyboard.type("000000")
        page.keyboard.press("Enter")
        expect(page.get_by_text("That code is not right.")).to_be_visible()
        seen(dark=True)
        page.keyboard.type(code_of(rita))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()

        desk.open("/admin/your-sign-in/")
        seen()
        page.get_by_role("textbox", name="A code from your app").fill(codes[0])
        page.get_by_role("button", name="Set up another phone").click()
        expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
        seen(dark=True)
        page.get_by_role("textbox", name="Code").fill(code_for(page.locator(".key").inner_text().replace(" ", "")))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        seen()

        # A form that is sent after the sign-out comes back with what was written, and is sent again from a new tab's session.
        desk.open("/admin/password_change/")
        desk.context.clear_cookies()
        page.get_by_label("Your present password").fill("x")
        page.get_by_label("New password").fill("x")
        page.get_by_label("The same password again").fill("x")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("heading", name="You are not signed in, so nothing was saved")).to_be_visible()
        seen()
        for _ in range(5):
            page.request.post(
                "/admin/login/", form={"username": "nobody", "password": "wrong"}, headers={"Origin": site}
            )
        desk.open("/admin/login/")
        page.get_by_label("Username").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
        seen()
        assert all("status of 403" in each or "status of 429" in each for each in desk.complaints), desk.complaints
        assert not desk.foreign


@pytest.mark.once
def test_an_owner_invites_someone_who_comes_to_their_first_page_without_scripts(
    browser, site, smtp, mail_through, staff
):
    small = {"viewport": {"width": 360, "height": 740}, "java_script_enabled": False}
    with visitor(browser, site, **small) as desk:
        page = desk.page
        sign_in(desk, "sam")
        page.get_by_role("link", name="Staff accounts").click()
        page.get_by_role("link", name="Invite someone").click()
        page.get_by_label("First name").fill("Nora")
        page.get_by_label("Work email address").fill("nora@example.com")
        page.get_by_label("Reception").check()
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.get_by_text("Invited Nora.")).to_be_visible()
        desk.expect_no_sideways_scrolling()
    deliver()
    [(_, mail)] = smtp.received
    [link] = re.findall(r"https?://[^/\s]+(/admin/login/invitation/\S+)", text_of(mail))
    with visitor(browser, site, **small) as desk:
        page = desk.page
        desk.open(link)
        assert link.rpartition(".")[2].strip("/") not in page.url
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same password again").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        secret = page.locator(".key").inner_text().replace(" ", "")
        page.get_by_role("textbox", name="Code").fill(code_for(secret))
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("link", name="I have saved them. Continue").click()
        expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
        desk.expect_clean(cookies=True)
    with visitor(browser, site, viewport={"width": 360, "height": 740}) as desk:
        nora = User.objects.get(username="nora@example.com")
        sign_in(desk, "sam")
        for address in ("", "invite/", f"{nora.pk}/", f"{nora.pk}/second-factor/", f"{nora.pk}/deactivate/"):
            desk.open(f"/admin/accounts/{address}")
            desk.expect_accessible()
            desk.expect_no_sideways_scrolling()
        for address in ("forgotten/", "forgotten/?sent", "invitation/x.y/", "new-password/x.y/"):
            desk.open(f"/admin/login/{address}")
            desk.expect_accessible()
