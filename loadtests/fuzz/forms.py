"""Every form of the site, found where people meet it: each page is walked to, and each form on it is kept with its real values."""

import re
import time
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch
from xml.etree.ElementTree import SubElement

import html5lib
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from enquiries import links
from enquiries.actions import appointments, contact
from enquiries.assessment import cookie
from enquiries.assessment.flags import flags
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Appointment, Assessment, Enquiry, OutgoingMessage, WordingEdition
from enquiries.patient_portal import access
from factsheets.models import FactSheet, Section
from tests.conftest import consultation, give_signs
from tests.support.assessment import answers, page_data
from tests.support.desk import PASSWORD, with_password, with_second_factor
from tests.support.forms import form
from tests.support.html import sent
from tests.support.outbox import question

# They end the session or the account that the rest of the run works with; each has tests of its own.
LEFT_OUT = ("/admin/logout/",)
ADMIN_PAGES = 2  # of each sort of record


# Records of one sort have the same forms.
SAME = re.compile(r"[0-9a-f-]{36}|\b[0-9a-f]{32}\.[\w-]+|\b\d+\b")


@dataclass(frozen=True)
class Target:
    """A form as a page gave it to somebody."""

    path: str
    method: str
    pairs: tuple[tuple[str, str], ...]  # what it would send untouched, with the last button
    names: tuple[str, ...]  # of every control
    cookies: str

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


class Collector:
    def __init__(self):
        self.found: dict[tuple, Target] = {}

    def keep(self, client: Client, response) -> None:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return
        here = response.request["PATH_INFO"]
        cookies = _cookies(client)
        document = html5lib.parse(response.content.decode(), namespaceHTMLElements=False)
        for each in document.iter("form"):
            method = (each.get("method") or "get").upper()
            for choice in each.iter("select"):
                if next(choice.iter("option"), None) is None:
                    SubElement(choice, "option", value="")
            data = sent(each)
            buttons = [b for b in each.iter() if b.tag == "button" or b.get("type") == "submit"]
            for button in [b for b in buttons if b.get("name") or b.get("formaction")] or [None]:
                to = button.get("formaction") if button is not None else None
                action = (to or each.get("action") or here).partition("#")[0]
                path = action if action.startswith("/") else here
                named = button is not None and button.get("name")
                own = data | ({named: [button.get("value", "")]} if named else {})
                pairs = tuple((name, value) for name, values in own.items() for value in values)
                names = tuple(sorted({c.get("name") for c in each.iter() if c.get("name")} | set(own)))
                key = (
                    SAME.sub("#", path),
                    method,
                    names,
                    button is not None and button.get("value", "").partition("-")[0],
                )
                if not path.startswith(LEFT_OUT):
                    self.found.setdefault(key, Target(path, method, pairs, names, cookies))


def collect() -> tuple[list[Target], str]:
    """Every form, with rows behind it that make its page complete; and the cookies of an owner who is signed in.

    Needs the content, and a database that may be written to.
    """
    kept = Collector()
    _public(kept)
    _own_requests(kept)
    _signing_in(kept)
    cookies = _desk(kept)
    return list(kept.found.values()), cookies


def _cookies(client: Client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


# A private link's pages as they answer a browser that gives no cookie back (enquiries/link_visits.py). Others do not look at it.
NO_COOKIES = {"kept": ""}


def _ask(kept: Collector, client: Client, path: str, data: dict | None = None):
    response = client.get(path) if data is None else client.post(path, data, query_params=NO_COOKIES)
    kept.keep(client, response)
    return response


def _public(kept: Collector) -> None:
    client = Client()
    for path in (
        "/",
        "/search/?q=pain",
        "/fact-sheets/about-back-pain/",
        "/report/",
        "/consultation/",
        "/question/",
        "/check/",
    ):
        _ask(kept, client, path)
    for kind in ("consultation", "question"):
        signs = form(kind, description="Since this morning I can't pee.", step=None)
        _ask(kept, client, f"/{kind}/", signs)
        _ask(kept, client, f"/{kind}/", form(kind, step=None))
        _ask(kept, client, f"/{kind}/", {})
    elsewhere = Client(enforce_csrf_checks=True, headers={"sec-fetch-site": "cross-site"})
    kept.keep(client, elsewhere.post("/consultation/", form("consultation")))
    checking = Client()
    for number in range(1, 13):
        _ask(kept, checking, f"/check/{number}/")
        checking.post(f"/check/{number}/", page_data(number))
    _ask(kept, checking, "/check/answers/")
    checking.post("/check/answers/")
    for path in ("/check/result/", "/report/", "/consultation/", "/check/"):
        _ask(kept, checking, path)
    asking = Client()
    asking.post("/report/", form("report"))
    _ask(kept, asking, "/report/sent/")
    _ask(kept, asking, "/report/sent/change/")
    _ask(kept, client, links.stop_address("ada@example.com").removeprefix(settings.BASE_URL))


def _own_requests(kept: Collector) -> None:
    client = Client()
    for enquiry in (consultation(email="own@example.com"), question(email="own@example.com")):
        path = f"/request/{links.REQUEST.token(enquiry)}/"
        _ask(kept, client, path)
        _ask(kept, client, path, {"email": "own@example.com"})
        given = {"pass": access.new_pass(enquiry)}
        for verb, typed in {
            "times": {"times-days": ["1"], "times-day_parts": ["0"]},
            "add": {"add-text": "I am away on Monday."},
            "withdraw": {},
            "erase": {},
        }.items():
            _ask(kept, client, f"{path}{verb}/", given | {f"{verb}-step": "change"})
            _ask(kept, client, f"{path}{verb}/", given | typed)
        _ask(kept, client, f"{path}add/", given | {"add-text": "Since this morning I can't pee."})
    finished = Client()
    finished.cookies[cookie.COOKIE.name] = cookie.sealed(
        cookie.Progress(answers(), done=True), known=flags(), now=time.time()
    )
    finished.post("/report/", form("report", include_answers="yes", email="own@example.com"))
    path = f"/report/summary/{links.SUMMARY.token(Assessment.objects.latest('pk'))}/"
    _ask(kept, client, path)
    opened = _ask(kept, client, path, {"email": "own@example.com"})
    document = html5lib.parse(opened.content.decode(), namespaceHTMLElements=False)
    _ask(kept, client, f"{path}delete/", {"pass": document.find(".//input[@name='pass']").get("value")})


def _signing_in(kept: Collector) -> None:
    client = Client()
    _ask(kept, client, "/admin/login/?next=/admin/")
    kept.keep(
        client, client.post("/admin/enquiries/enquiry/", {"action": "take", "note": "Something that was typed here"})
    )
    ready = with_password(User.objects.create_superuser("ready", "ready@example.com"))
    with_password(User.objects.create_superuser("new", "new@example.com"))
    with_second_factor(ready)
    with patch.object(settings, "STAFF_SECOND_FACTOR", True):
        for name, path in (("ready", "/admin/login/code/"), ("new", "/admin/login/set-up/")):
            half = Client()
            half.post("/admin/login/", {"username": name, "password": PASSWORD})
            _ask(kept, half, path)
            if name == "ready":
                _ask(kept, half, f"{path}?recovery")


def _appointments(kept: Collector, client: Client) -> None:
    owner, now = User.objects.get(username="sam"), timezone.now()
    ahead, over = consultation(email="ahead@example.com"), consultation(email="over@example.com")
    for enquiry in (ahead, over):
        appointments.book(enquiry=enquiry, by=owner, at=now + timedelta(days=3), channel="phone")
    Appointment.objects.filter(enquiry=over).update(
        starts_at=now - timedelta(hours=1), booked_at=now - timedelta(days=1)
    )
    spoken = consultation(email="spoken@example.com")
    contact.log_call(enquiry=spoken, by=owner, result="spoke")
    for enquiry in (ahead, over, spoken):
        _ask(kept, client, enquiry.get_admin_url())
    for path in ("?show=outcome", "calendar/"):
        _ask(kept, client, f"/admin/enquiries/enquiry/appointments/{path}")


def _desk(kept: Collector) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("sam", "sam@example.com", "x", first_name="Sam"))
    flagged = consultation(email="flag@example.com", description="Numb.")
    give_signs(Enquiry.objects.filter(pk=flagged.pk), flood=flagged, folded=True)
    OutgoingMessage.objects.filter(enquiry=flagged).update(state="failed")
    for path in (
        "/admin/",
        "/admin/health/",
        "/admin/your-sign-in/",
        "/admin/sign-out-everywhere/",
        "/admin/password_change/",
    ):
        _ask(kept, client, path)
    for path in ("export/", "person/"):
        _ask(kept, client, f"/admin/enquiries/enquiry/{path}")
    _ask(kept, client, "/admin/enquiries/enquiry/person/", {"typed": "flag@example.com"})
    _ask(kept, client, f"/admin/enquiries/enquiry/{flagged.pk}/same-as/")
    _ask(kept, client, f"/admin/enquiries/enquiry/fold/{flagged.pk}/")
    _appointments(kept, client)
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        _ask(kept, client, reverse(f"{name}_changelist"))
        if model is WordingEdition:
            continue  # it has a page for each text, and none for each edition
        _ask(kept, client, reverse(f"{name}_add"))
        records = Enquiry.objects.filter(safety_signs=None) if model is Enquiry else model._default_manager.all()
        for record in [*records.order_by("pk")[:ADMIN_PAGES], *([flagged] if model is Enquiry else [])]:
            _ask(kept, client, reverse(f"{name}_change", args=[record.pk]))
            if model not in {Section, FactSheet}:
                _ask(kept, client, reverse(f"{name}_delete", args=[record.pk]))
    for key in WORDINGS:
        _ask(kept, client, reverse("admin:enquiries_wording", args=[key]))
    sheet = FactSheet.objects.get(slug="about-back-pain")
    _ask(kept, client, reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]))
    return _cookies(client)
