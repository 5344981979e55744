"""Every kind of response that the site gives: how to get it, and its headers."""

from django.conf import settings as project
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from enquiries import links
from enquiries.actions import intake
from enquiries.models import Assessment
from tests.conftest import consultation
from tests.support.assessment import finish
from tests.support.desk import PASSWORD, with_password
from tests.support.forms import form
from tests.support.html import parse

TLS = {"host": "testserver", "x-forwarded-proto": "https", "sec-fetch-site": "same-origin"}

POLICY = (
    "base-uri 'none'; connect-src 'self'; default-src 'none'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self'; manifest-src 'self'; object-src 'none'; script-src 'self'; style-src 'self'"
)
DOORS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
FILE = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
QUIET = {"Referrer-Policy": "no-referrer"}
NEVER = "max-age=0, no-cache, no-store, must-revalidate, private"
SHARED = "public, max-age=0, s-maxage=1"


class Asked:
    """Requests one kind of response. Make it once the settings are those of production."""

    def __init__(self, patch):
        self.patch = patch
        self.visitor = Client(raise_request_exception=False, headers=TLS)

    def get(self, path, **headers):
        return self.visitor.get(path, headers=headers)

    def post(self, path, data=None, **headers):
        return self.visitor.post(path, data or {}, headers=headers)

    def staff(self, path, data=None, *, owner=True):
        user = User.objects.create_user("sam", "sam@example.com", "x", is_staff=True, is_superuser=owner)
        self.visitor.force_login(user)
        return self.post(path, data) if data else self.get(path)

    def static(self, rel: str) -> str:
        document = parse(self.get("/"))
        return next(each.get("href") for each in document.iter("link") if each.get("rel") == rel)

    def manage(self) -> str:
        return f"/request/{links.REQUEST.token(consultation())}/"

    def summary(self) -> str:
        finish(self.visitor)
        assert self.post("/report/", form("report", include_answers="yes")).status_code == 303
        return f"/report/summary/{links.SUMMARY.token(Assessment.objects.get())}/"

    def without_cookies(self, link: str):
        """A private link opened in a browser that returns no cookies (enquiries/link_visits.py)."""
        return self.post(f"{link}?kept", {"email": "ada@example.com"})

    def opened_summary(self):
        return self.without_cookies(self.summary())

    def summary_pdf(self):
        opened = self.opened_summary()
        given = parse(opened).find(".//input[@name='pass']").get("value")
        return self.post(f"{opened.request['PATH_INFO']}pdf/", {"pass": given})

    def sent(self):
        assert self.post("/report/", form("report")).status_code == 303
        return self.get("/report/sent/")

    def finished(self):
        finish(self.visitor)
        return self.visitor

    def again(self, path):
        """As from a browser that already has the response."""
        first = self.get(path)
        read(first)
        return self.get(path, **{"if-none-match": first["ETag"]})

    def sign_in(self):
        with_password(User.objects.create_superuser("sam", "sam@example.com", "x"))
        return self.post("/admin/login/", {"username": "sam", "password": PASSWORD})

    def accept_by(self, error):
        def broken(*args, **kwargs):
            raise error

        self.patch.setattr(intake, "accept", broken)
        return self.post("/question/", form("question"))

    def too_many(self):
        self.patch.setattr(project, "MAX_FORMS_PER_SENDER_PER_HOUR", 1)
        self.post("/report/", form("report"))
        return self.post("/report/", form("report", email="other@example.com"))

    def as_bytes(self, body, kind):
        return self.visitor.generic("POST", "/question/", body, content_type=kind)

    def from_elsewhere(self):
        elsewhere = Client(enforce_csrf_checks=True, headers=TLS | {"sec-fetch-site": "cross-site"})
        return elsewhere.post("/question/", form("question"))


SHEET = "/fact-sheets/about-back-pain/"
SAVED = {"Content-Disposition"}
OF_EVERY_PAGE = {"Content-Type", "Content-Length", "Cache-Control", "Expires"}
EXPORT = (
    "/admin/enquiries/enquiry/export/",
    {"which": "open", "reason": "Yearly report to the partners", "export": "yes"},
)
FOR_EVER = "max-age=315360000, public, immutable"
ONE, KEPT, FILES = set(), {"ETag", "Vary"}, {"ETag", "Vary", "Last-Modified"}
LINKED, PERSONAL, DESK = KEPT | {"Link"}, {"X-Robots-Tag"}, {"Vary"}
# For each kind of response: its status, how to get it, Cache-Control, what differs from DOORS, and its other headers.
CLASSES = {
    "home": (200, lambda ask: ask.get("/"), SHARED, {}, KEPT),
    "sheet": (200, lambda ask: ask.get(SHEET), SHARED, {}, KEPT),
    "PDF": (200, lambda ask: ask.get(f"{SHEET}pdf/"), SHARED, {}, LINKED | SAVED),
    "JSON": (200, lambda ask: ask.get(f"{SHEET}json/"), SHARED, {}, LINKED),
    "text": (200, lambda ask: ask.get(f"{SHEET}text/"), SHARED, {}, LINKED),
    "card": (200, lambda ask: ask.get("/card.png"), SHARED, {}, {"ETag"}),
    "feed": (200, lambda ask: ask.get("/feed.xml"), SHARED, {}, KEPT),
    "sitemap": (200, lambda ask: ask.get("/sitemap.xml"), SHARED, {}, KEPT),
    "robots": (200, lambda ask: ask.get("/robots.txt"), SHARED, {}, KEPT),
    "page not changed": (304, lambda ask: ask.again(SHEET), SHARED, {}, KEPT),
    "slash left out": (301, lambda ask: ask.get("/fact-sheets"), "", {}, {"Location"}),
    "results of a search": (200, lambda ask: ask.get("/search/?q=sciatica"), "no-store", QUIET, PERSONAL),
    "style sheet": (200, lambda ask: ask.get(ask.static("stylesheet")), FOR_EVER, FILE, FILES),
    "picture": (200, lambda ask: ask.get(ask.static("icon")), FOR_EVER, FILE, FILES),
    "file not changed": (304, lambda ask: ask.again(ask.static("stylesheet")), FOR_EVER, FILE, KEPT),
    "form": (200, lambda ask: ask.get("/consultation/"), NEVER, {}, {"Vary"}),
    "form with errors": (422, lambda ask: ask.post("/question/", {"question-name": "Ada"}), NEVER, {}, ONE),
    "answers to check": (200, lambda ask: ask.post("/question/", form("question", step=None)), NEVER, {}, {"Refresh"}),
    "accepted": (303, lambda ask: ask.post("/report/", form("report")), NEVER, {}, {"Location"}),
    "confirmation": (200, lambda ask: ask.sent(), NEVER, QUIET, PERSONAL),
    "confirmation of a request": (200, lambda ask: ask.get("/consultation/sent/"), NEVER, QUIET, PERSONAL),
    "too many forms": (429, lambda ask: ask.too_many(), NEVER, {}, {"Retry-After"}),
    "page of the check": (200, lambda ask: ask.get("/check/1/"), NEVER, QUIET, PERSONAL),
    "result of the check": (200, lambda ask: ask.finished().get("/check/result/"), NEVER, QUIET, PERSONAL),
    "PDF of the check": (200, lambda ask: ask.finished().get("/check/result/pdf/"), NEVER, QUIET, PERSONAL | SAVED),
    "link of a summary": (200, lambda ask: ask.get(ask.summary()), NEVER, QUIET, PERSONAL),
    "summary": (200, lambda ask: ask.opened_summary(), NEVER, QUIET, PERSONAL),
    "PDF of a summary": (200, lambda ask: ask.summary_pdf(), NEVER, QUIET, PERSONAL | SAVED),
    "link of a request": (200, lambda ask: ask.get(ask.manage()), NEVER, QUIET, PERSONAL),
    "request": (200, lambda ask: ask.without_cookies(ask.manage()), NEVER, QUIET, PERSONAL),
    "link that opens nothing": (404, lambda ask: ask.get("/request/x/"), NEVER, QUIET, PERSONAL),
    "link with more behind it": (404, lambda ask: ask.get("/request/x/a.css"), "no-store", QUIET, ONE),
    "link without its end": (301, lambda ask: ask.get("/request/x"), "no-store", QUIET, {"Location"}),
    "sign-in": (200, lambda ask: ask.get("/admin/login/"), NEVER, QUIET, DESK),
    "signed in": (302, lambda ask: ask.sign_in(), NEVER, QUIET, DESK | {"Location"}),
    "not signed in": (302, lambda ask: ask.get("/admin/"), "no-store", QUIET, DESK | {"Location"}),
    "desk": (200, lambda ask: ask.staff("/admin/"), NEVER, QUIET, DESK),
    "inbox": (200, lambda ask: ask.staff("/admin/enquiries/enquiry/"), NEVER, QUIET, DESK),
    "enquiry": (200, lambda ask: ask.staff(consultation().get_admin_url()), NEVER, QUIET, DESK),
    "spreadsheet": (200, lambda ask: ask.staff(*EXPORT), NEVER, QUIET, DESK | PERSONAL | SAVED),
    "no such page of the desk": (404, lambda ask: ask.staff("/admin/x/"), "no-store", QUIET, DESK),
    "without the role": (403, lambda ask: ask.staff("/admin/enquiries/enquiry/", owner=False), "no-store", QUIET, DESK),
    "not read": (400, lambda ask: ask.as_bytes(b"a", "text/plain; charset=x"), "no-store", {}, ONE),
    "another host": (400, lambda ask: ask.get("/", host="evil.example"), "no-store", {}, ONE),
    "another website": (403, lambda ask: ask.from_elsewhere(), "no-store", {}, ONE),
    "no such page": (404, lambda ask: ask.get("/nothing/"), "no-store", {}, ONE),
    "no such file": (404, lambda ask: ask.get("/static/nothing.css"), "no-store", {}, ONE),
    "wrong method": (405, lambda ask: ask.visitor.put("/question/"), "no-store", {}, {"Allow"}),
    "method for tracing": (405, lambda ask: ask.visitor.trace("/"), "no-store", {}, {"Allow"}),
    "too much": (413, lambda ask: ask.post("/question/", {"a": "b" * 300_000}), "no-store", {}, ONE),
    "crash": (500, lambda ask: ask.accept_by(RuntimeError("injected")), "no-store", {}, ONE),
    "database locked": (503, lambda ask: ask.accept_by(OperationalError("x")), "no-store", {}, {"Retry-After"}),
    "health": (503, lambda ask: ask.get("/healthz"), NEVER, {}, ONE),
}


def read(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content
