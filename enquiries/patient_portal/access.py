"""Who may manage a request, and what is passed from page to page during a visit.

GET changes nothing, and shows nothing personal to a browser that was not let in, because mail scanners fetch every link. The server
keeps nothing: the pass travels in a cookie of this link's own (enquiries/link_visits.py) and in each page, and every step checks
everything again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from http import HTTPStatus

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backcare.core.forms import EMAIL_LENGTH
from backcare.core.private_pages import personal
from enquiries.actions import by_patient
from enquiries.link_visits import Held, VisitCookie
from enquiries.links import REQUEST, LinkPage, Pass, Shut
from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.request_forms.journey import CHANGE, CHECK, READ_FIRST
from factsheets import safety

# What the pages pass on. A pass proves that somebody gave the right email address. A seal proves that they saw the page that asks
# "are you sure", and is valid for one verb on one version of one request.

PASS = Pass("enquiries.patient_portal.pass")
PAGE = LinkPage(REQUEST, why="We ask so that nobody else can see your request.", button="Confirm and open my request")
AFTER_CLOSING = timedelta(days=14)


def find(token: str) -> Enquiry | None:
    """The request that a link opens. None for any link that does not work, whatever the reason."""
    key = REQUEST.key_of(token)
    if key is None:
        return None
    lately = Q(live=True) | Q(closed_at__gt=timezone.now() - AFTER_CLOSING)
    return (
        Enquiry.objects.filter(lately, pk=key, erased_at=None)
        .exclude(kind=EnquiryKind.REPORT)
        .exclude(status__in=[Status.SPAM, Status.HELD])
        .first()
    )


def new_pass(enquiry: Enquiry) -> str:
    return PASS.new(*_who(enquiry))


def pass_is_good(given: str, enquiry: Enquiry) -> bool:
    return PASS.is_good(given, *_who(enquiry))


def _who(enquiry: Enquiry) -> tuple[str, str]:
    # Includes the address, so that a pass from a wrong one stops working once staff have corrected it.
    return enquiry.pk.hex, enquiry.email_key[:16]


def sign(verb: str, enquiry: Enquiry) -> str:
    return _seals(verb).new(enquiry.pk.hex, enquiry.version)


def sealed_version(verb: str, given: str, token: str) -> int | None:
    """The version that somebody confirmed. None if the seal is for another verb or request, or too old."""
    match _seals(verb).made_for(given):
        case [pk, version] if (key := REQUEST.key_of(token)) and pk == key.hex:
            return int(version)
    return None


def _seals(verb: str) -> Pass:
    return Pass(f"enquiries.patient_portal.{verb}")


SEALED = "sealed"
FOLDER = "enquiries/patient_portal"
# The pages of a verb, besides the one at its own address.
CHECKED, DONE, CHANGED = "check", "done", "changed"


@dataclass(frozen=True)
class Visit:
    """One step of somebody who was let in. `verb` is what they want to do, or empty on the request's own page."""

    request: HttpRequest
    token: str
    enquiry: Enquiry
    verb: str = ""
    at: str = ""  # the page of the verb that the address names
    data: QueryDict = field(default_factory=QueryDict)  # what was typed, from the form or the cookie
    step: str = ""  # what the pressed button sent, as in enquiries.request_forms.journey
    begin_at: bool = False
    held: Held = field(default_factory=Held)
    cookie: VisitCookie | None = None  # the redirect after a form, if the browser returns cookies

    @property
    def address(self) -> str:
        return _address(self.token, self.verb)

    @property
    def passed(self) -> str:
        return new_pass(self.enquiry)

    @property
    def may(self) -> set[str]:
        return by_patient.open_to_patient(self.enquiry)

    def typed(self) -> list[tuple[str, str]]:
        """The values of this verb's form."""
        step = f"{self.verb}-step"
        names = [name for name in self.data if self.verb and name.startswith(f"{self.verb}-") and name != step]
        return [(name, value) for name in names for value in self.data.getlist(name)]

    def sure_of(self) -> int | None:
        """The version that they confirmed. None if they have not been asked, or it was too long ago."""
        return sealed_version(self.verb, self.request.POST.get(SEALED, ""), self.token)

    def go(self, at: str = "", **more) -> HttpResponse | None:
        """Redirects to a page of this verb, with what was typed. None if a form is answered with the page itself."""
        if self.cookie is None:
            return None
        held = {"passed": self.passed, "given": "", "wrong": ""}
        if self.verb:
            held |= {"verb": self.verb, "typed": self.typed(), "step": "", "begin": self.begin_at, "done": False}
        return self.cookie.go(f"{self.address}{at}/" if at else self.address, replace(self.held, **held | more))

    def page(self, template: str, *, at: str = "", status: int = 200, **context) -> HttpResponse:
        """`at` is the address of the page below the verb's own, to which a form of it leads."""
        if there := self.go(at, step=CHECK if status == HTTPStatus.UNPROCESSABLE_ENTITY else ""):
            return there
        context = {
            "safety_tiers": safety.tiers(),
            "token": self.token,
            "question": self.enquiry.kind == "question",
            "verb": self.verb,
            "address": self.address,
            "home": _address(self.token),
            "passed": self.passed,
            **context,
        }
        status = status if self.request.method == "POST" else HTTPStatus.OK
        return render(self.request, f"{FOLDER}/{template}.html", context, status=status)

    def check(self, *, at: str = "", **context) -> HttpResponse:
        """Asks whether they are sure, with a seal of what they confirm."""
        sealed = sign(self.verb, self.enquiry)
        return self.page(f"{self.verb}_check", at=at, hidden=self._hidden(), sealed=sealed, **context)

    def changed(self) -> HttpResponse:
        """The request has changed, so the page shows it with what was typed, to be checked and sent again."""
        again = self.verb in self.may
        hidden = self._hidden() if again else []
        return self.page("changed", at=CHANGED, status=HTTPStatus.CONFLICT, hidden=hidden, again=again)

    def _hidden(self) -> list[tuple[str, str]]:
        return [("pass", self.passed), *self.typed()]


def visited(verb: str = ""):
    """The view for somebody who gave the address or has a pass from an earlier page. Others are asked for the address."""

    def guarded(view: Callable[[Visit], HttpResponse]):
        @personal
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def entered(request, token: str, at: str = "") -> HttpResponse:
            enquiry, cookie = find(token), VisitCookie(_address(token))
            if enquiry is None:
                return _over(request, token, verb)
            if again := cookie.probe(request):
                return again
            visit = Visit(request, token, enquiry, verb, at, held=cookie.read(request))
            if request.method != "POST":
                return _opened(view, visit)
            step, _, begin_at = request.POST.get(f"{verb}-step", "").partition("-")
            visit = replace(visit, data=request.POST, step=step, begin_at=bool(begin_at))
            if cookie.is_held_by(request):
                visit = replace(visit, cookie=cookie)
            passes = request.POST.get("pass", ""), visit.held.passed
            let_in = any(pass_is_good(given, enquiry) for given in passes)
            return view(visit) if let_in else _ask(visit) or view(visit)

        return entered

    return guarded


def _opened(view: Callable[[Visit], HttpResponse], visit: Visit) -> HttpResponse:
    """The page at an address. The pages of a verb can be reached only from the request's own page."""
    if visit.verb and visit.at not in {"", CHECKED, READ_FIRST, CHANGED}:
        raise Http404
    held, home = visit.held, HttpResponseRedirect(_address(visit.token))
    theirs = held.verb == visit.verb
    visit = replace(
        visit, data=held.data(visit.verb), begin_at=held.begin, step=CHECK if visit.at else held.step or CHANGE
    )
    if not pass_is_good(held.passed, visit.enquiry):
        may_be_asked = theirs or not visit.verb
        return (may_be_asked and _ask(visit)) or home
    if visit.at == CHANGED:
        return visit.changed() if theirs else home
    if visit.at and visit.verb and not visit.typed():  # it was sent, or abandoned for something else
        done = reverse("enquiries:manage_done", args=[visit.token, visit.verb])
        return HttpResponseRedirect(done if theirs and held.done else visit.address)
    return view(visit)


def _ask(visit: Visit) -> HttpResponse | None:
    """Asks for the address. None once it is answered. Keeps what was typed before a pass expired."""
    request, verb, held = visit.request, visit.verb, visit.held
    carried = [*visit.typed(), (f"{verb}-step", visit.step)] if verb else []
    refused = (held.given, held.wrong) if held.verb == verb or not verb else ("", "")
    try:
        form = PAGE.ask(request, visit.token, visit.enquiry, action=visit.address, carried=carried, refused=refused)
    except Shut:
        return _over(request, visit.token, verb)
    if form is None:
        return None
    wrong = form.errors.get("email", [""])[0]
    at = CHECKED if verb and visit.typed() and visit.step != CHANGE else ""
    if there := visit.go(at, passed="", given=request.POST.get("email", "")[:EMAIL_LENGTH], wrong=wrong):
        return there
    context = {"form": form, "safety_tiers": safety.tiers(), "again": bool(verb)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong and request.method == "POST" else HTTPStatus.OK
    return render(request, f"{FOLDER}/open.html", context, status=status)


def _over(request, token: str, verb: str) -> HttpResponse:
    """The same page for every link that does not work, so it does not reveal whether there ever was anything."""
    if verb == by_patient.Wish.ERASE and _just_erased(request, token):
        return HttpResponseRedirect(reverse("enquiries:manage_erased"), status=303)
    return render(request, f"{FOLDER}/over.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.NOT_FOUND)


def _just_erased(request, token: str) -> bool:
    """A second click on "Yes, delete it", after the first has deleted it."""
    sure = sealed_version(by_patient.Wish.ERASE, request.POST.get(SEALED, ""), token)
    gone = Enquiry.objects.filter(pk=REQUEST.key_of(token), erased_at__isnull=False)
    return sure is not None and gone.exists()


def _address(token: str, verb: str = "") -> str:
    return reverse(f"enquiries:manage_{verb}" if verb else "enquiries:manage", args=[token])
