"""Shared by the tests of the desk: staff with their roles, and forms as a browser would send them back."""

import base64
import re
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import hotp

from backcare.staff import roles, totp
from factsheets import actions, shared_drafts
from factsheets.models import Edition, FactSheet, Section, SharedDraft, Source, Step, TeamMember, Topic, UnsavedEdit
from tests.support.html import text, tree

PASSWORD = "a long demo password"


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def with_second_factor(user: User) -> list[str]:
    """Sets up an authenticator app for them. Returns their recovery codes."""
    app = totp.begin(user=user)
    codes = totp.confirm(app=app, code=_shown(app, int(time.time()) // totp.STEP - 1))
    assert codes
    return codes


def code_of(user: User) -> str:
    """What their app shows: the newest unused code."""
    app = totp.of(user)
    return _shown(app, max(app.last_step + 1, int(time.time()) // totp.STEP))


def _shown(app, step: int) -> str:
    return f"{hotp(base64.b32decode(app.secret), step):06}"


def sign_in(someone, name: str):
    """Signs in with the password, and with a code from their app if they have one."""
    page = someone.page
    someone.open("/admin/")
    page.get_by_label(re.compile("Email address|Username")).fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    user = User.objects.get(username=name)
    if totp.of(user):
        page.get_by_role("heading", name="Enter your code").wait_for()
        page.get_by_role("textbox", name="Code").fill(code_of(user))
        page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Today", exact=True).wait_for()


def person(name: str, role: str) -> User:
    """A member of staff with one of the clinic's roles, as `prepare` installs them."""
    roles.install()
    user = User.objects.create_user(name.lower(), f"{name.lower()}@example.com", is_staff=True, first_name=name)
    user.groups.add(Group.objects.get(name=role))
    if role == "clinician":
        registered(user)
    return user


def registered(user: User, name: str = "") -> TeamMember:
    """Enters somebody as a physiotherapist, not shown on the website, so that they may review fact sheets."""
    return TeamMember.objects.create(
        name=name or user.get_full_name() or user.username,
        role="physiotherapist",
        register="HCPC",
        number="PH123456",
        account=user,
        shown=False,
    )


def values_of(response) -> dict:
    """Every value of the page's main form, as a browser would send it untouched."""
    [form] = [each for each in tree(response).iter("form") if each.get("id", "").endswith("_form")]
    values: dict[str, object] = {}
    for field in (each for each in form.iter() if each.tag in {"input", "textarea", "select"}):
        name, kind = field.get("name"), field.get("type", "text")
        if not name or kind in {"submit", "file"} or (kind in {"checkbox", "radio"} and field.get("checked") is None):
            continue
        if field.tag == "textarea":
            values[name] = "".join(field.itertext()).removeprefix("\n")
        elif field.tag == "select":
            chosen = [each.get("value", "") for each in field.iter("option") if each.get("selected") is not None]
            options = [each.get("value", "") for each in field.iter("option")]
            values[name] = chosen if field.get("multiple") is not None else (chosen or options[:1] or [""])[0]
        else:
            values[name] = field.get("value", "on" if kind == "checkbox" else "")
    return values


def save(client, address: str, **changes):
    """Opens a form, changes some of its fields and sends it, following to the page after it.

    If the form first shows what the save would change, it is sent again. A public record has no form of its own: its draft is
    begun, or the one that is open is edited.
    """
    return seen(client, address, save_once(client, address, **changes))


def seen(client, address: str, response, *, follow: bool = True):
    """The response to a form, sent again if it first showed what it would change."""
    if response.status_code == 200 and "Not saved yet." in response.content.decode():
        response = client.post(address, values_of(response), follow=follow)
    return response


def save_once(client, address: str, **changes):
    UnsavedEdit.objects.all().delete()  # what an earlier try left
    opened = client.get(address, follow=True)
    assert opened.status_code == 200, opened
    for form in tree(opened).iter("form"):
        if form.get("action", "").endswith("/draft/"):
            given = {each.get("name"): each.get("value") for each in form.iter("input")}
            opened = client.post(form.get("action"), given, follow=True)
    if opened.redirect_chain:
        address = opened.redirect_chain[-1][0]
    return client.post(address, values_of(opened) | changes, follow=True)


def draft_of(record) -> SharedDraft:
    """The open draft of a shared record."""
    return SharedDraft.objects.get(label=record._meta.label_lower, record=record.pk, is_open=True)


def take(client, shared: SharedDraft, step: str, **values):
    """A step of a shared record's draft, as its page sends it."""
    name = f"admin:{shared.label.replace('.', '_')}_draft_step"
    shared.refresh_from_db()
    return client.post(reverse(name, args=[shared.pk, step]), {"version": shared.version, **values}, follow=True)


def published_draft(record, reviewer: User, note: str = "") -> None:
    """Publishes the open draft of a shared or new record: its author sends it, and the other person publishes it."""
    shared = record if isinstance(record, SharedDraft) else draft_of(record)
    shared_drafts.send(draft=shared, version=shared.version, note=note, by=shared.events.last().by)
    shared.refresh_from_db()
    shared_drafts.publish(draft=shared, version=shared.version, by=reviewer)


def signed(sheet, by, reviewer, **plan) -> Edition:
    """Publishes the sheet's open draft: one person sends it for review, and the other signs it off."""
    draft = sheet.open_draft
    actions.transition(sheet=draft, step=Step.SUBMITTED, by=by)
    due = timezone.localdate() + timedelta(days=300)
    made = actions.transition(sheet=draft, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due, **plan)
    sheet.refresh_from_db()
    return made


def errors_of(response) -> str:
    found = [each for each in tree(response).iter("ul") if "errorlist" in each.get("class", "")]
    return " ".join(text(each) for each in found)


def conflict_in(response) -> dict[str, tuple[str, str]]:
    """The fields of a refused save in which a colleague's words differ from ours, with both."""
    found = [each for each in tree(response).iter("section") if "conflict" in each.get("class", "").split()]
    names = [text(each) for section in found for each in section.iter("h3")]
    words = ["".join(each.itertext()) for section in found for each in section.iter("dd")]
    return dict(zip(names, zip(words[::2], words[1::2], strict=True), strict=True))


def change_address(record) -> str:
    return reverse(f"admin:factsheets_{record._meta.model_name}_change", args=[record.pk])


def desk_of(sheet) -> str:
    return reverse("admin:factsheets_factsheet_desk", args=[sheet.pk])


def move(client, sheet, step: str, **values):
    newest = sheet.editions.first()
    values = {"step": step, "edition": newest.number if newest else "", **values}
    return client.post(reverse("admin:factsheets_factsheet_move", args=[sheet.pk]), values, follow=True)


def draft(by, **changes) -> FactSheet:
    """A sound draft that `by` wrote: ready to be sent for review."""
    fields = {
        "slug": "a-new-sheet",
        "topic": Topic.objects.first(),
        "title": "A new sheet",
        "summary": "A sheet that a test wrote.",
        "audience": "For tests.",
        "key_points": "- One thing.\n- Another thing.\n- A third thing.\n",
    }
    sheet = FactSheet.objects.create(**fields | changes)
    key = Source.objects.get(key="NG59").key
    Section.objects.create(
        sheet=sheet, slug="first", position=10, heading="The first part", body=f"Keep moving. [@{key}]\n"
    )
    actions.refresh(sheet=sheet)
    actions.keep_edition(sheet=sheet, by=by)
    return sheet


def published(by, reviewer, **changes) -> FactSheet:
    """A sheet that `by` wrote and `reviewer` signed off."""
    sheet = draft(by, **changes)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=by)
    due = timezone.localdate() + timedelta(days=300)
    actions.transition(sheet=sheet, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due)
    return sheet


@pytest.fixture
def reception(db) -> Client:
    """A browser in which Rita of reception is signed in."""
    client = Client()
    client.force_login(person("Rita", "reception"))
    return client


def at_the_desk(monkeypatch, client, moment) -> None:
    """Sets the time, and signs Rita in at it: a session lasts a working day."""
    monkeypatch.setattr(timezone, "now", lambda: moment)
    client.force_login(User.objects.get(first_name="Rita"))


@pytest.fixture
def author(db) -> User:
    return person("Edith", "editor")


@pytest.fixture
def reviewer(db) -> User:
    return person("Clive", "clinician")


@pytest.fixture
def desk(client, author) -> Client:
    """The browser `client`, in which the author is signed in."""
    client.force_login(author)
    return client


@pytest.fixture
def public_sheet(author, reviewer) -> FactSheet:
    return published(author, reviewer)
