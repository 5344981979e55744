"""The door: who may see to a request, and what a visit carries from page to page.

GET changes nothing and shows nothing personal, because mail scanners fetch every link. There is no cookie and the server keeps
nothing: the pass travels in the page, and every step checks everything again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from http import HTTPStatus

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries.actions import by_patient
from enquiries.links import REQUEST, LinkPage, Pass, Shut
from enquiries.models import Enquiry, EnquiryKind, Status
from factsheets import safety

# What the pages hand to each other. A pass says that somebody gave the right address. A seal says that they saw the page that asks
# "are you sure": it is good for one verb on one version of one request.

PASS = Pass("enquiries.patient_portal.pass")
PAGE = LinkPage(REQUEST, why="We ask so that nobody else can see your request.", button="Confirm and open my request")
AFTER_CLOSING = timedelta(days=14)


def find(token: str) -> Enquiry | None:
    """The request that a link opens. None for every link that opens nothing, whatever the reason."""
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
    # With the address: once staff have put it right, what the wrong one opened is shut.
    return enquiry.pk.hex, enquiry.email_key[:16]


def sign(verb: str, enquiry: Enquiry) -> str:
    return _seals(verb).new(enquiry.pk.hex, enquiry.version)


def sealed_version(verb: str, given: str, token: str) -> int | None:
    """The version that somebody was sure about. None for a seal of another verb or another request, and for an old one."""
    match _seals(verb).made_for(given):
        case [pk, version] if (key := REQUEST.key_of(token)) and pk == key.hex:
            return int(version)
    return None


def _seals(verb: str) -> Pass:
    return Pass(f"enquiries.patient_portal.{verb}")


SEALED = "sealed"
FOLDER = "enquiries/patient_portal"


@dataclass(frozen=True)
class Visit:
    """One step of somebody who was let in. `verb` is what they are about, or empty on the request's own page."""

    request: HttpRequest
    token: str
    enquiry: Enquiry
    verb: str = ""

    @property
    def step(self) -> str:
        """What the pressed button says, as in enquiries.request_forms.journey."""
        return self.request.POST.get(f"{self.verb}-step", "").partition("-")[0]

    @property
    def begin_at(self) -> bool:
        return "-" in self.request.POST.get(f"{self.verb}-step", "")

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
        return _typed(self.request, self.verb)

    def sure_of(self) -> int | None:
        """The version that they were sure about, on the page that asked. None when they were not asked, or it is too long ago."""
        return sealed_version(self.verb, self.request.POST.get(SEALED, ""), self.token)

    def page(self, template: str, *, status: int = 200, **context) -> HttpResponse:
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
        return render(self.request, f"{FOLDER}/{template}.html", context, status=status)

    def check(self, **context) -> HttpResponse:
        """Asks whether they are sure, and seals what they are asked."""
        sealed = sign(self.verb, self.enquiry)
        return self.page(f"{self.verb}_check", hidden=self._hidden(), sealed=sealed, **context)

    def changed(self) -> HttpResponse:
        """It cannot be done to what the request is now. What was typed can be checked against that, and sent."""
        again = self.verb in self.may
        context = {"hidden": self._hidden() if again else [], "again": again}
        return self.page("changed", status=HTTPStatus.CONFLICT, **context)

    def _hidden(self) -> list[tuple[str, str]]:
        step = f"{self.verb}-step"
        return [("pass", self.passed), *((name, value) for name, value in self.typed() if name != step)]


def visited(verb: str = ""):
    """The view for somebody who gave the address, or who brings the pass of a page before. Others are asked for the address."""

    def guarded(view: Callable[[Visit], HttpResponse]):
        @personal
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def entered(request, token: str) -> HttpResponse:
            enquiry = find(token)
            if enquiry is None:
                return _over(request, token, verb)
            if verb and request.method != "POST":
                return HttpResponseRedirect(_address(token))
            if pass_is_good(request.POST.get("pass", ""), enquiry):
                return view(Visit(request, token, enquiry, verb))
            return _ask(request, token, enquiry, verb) or view(Visit(request, token, enquiry, verb))

        return entered

    return guarded


def _ask(request, token: str, enquiry: Enquiry, verb: str) -> HttpResponse | None:
    """The question for the address. None once it is answered. What was typed before the pass ran out is carried along."""
    carried = _typed(request, verb) if verb else []
    try:
        form = PAGE.ask(request, token, enquiry, action=_address(token, verb), carried=carried)
    except Shut:
        return _over(request, token, verb)
    if form is None:
        return None
    context = {"form": form, "safety_tiers": safety.tiers(), "again": bool(verb)}
    return render(request, f"{FOLDER}/open.html", context, status=422 if form.errors else 200)


def _over(request, token: str, verb: str) -> HttpResponse:
    """One page for every link that opens nothing: it does not tell what there was, or whether there was anything."""
    if verb == by_patient.Wish.ERASE and _just_erased(request, token):
        return HttpResponseRedirect(reverse("enquiries:manage_erased"), status=303)
    return render(request, f"{FOLDER}/over.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.NOT_FOUND)


def _just_erased(request, token: str) -> bool:
    """A second click of "Yes, delete it", whose first click has done so."""
    sure = sealed_version(by_patient.Wish.ERASE, request.POST.get(SEALED, ""), token)
    gone = Enquiry.objects.filter(pk=REQUEST.key_of(token), erased_at__isnull=False)
    return sure is not None and gone.exists()


def _typed(request, verb: str) -> list[tuple[str, str]]:
    """What came in the fields of this verb's form."""
    return [(name, value) for name, values in request.POST.lists() if name.startswith(f"{verb}-") for value in values]


def _address(token: str, verb: str = "") -> str:
    return reverse(f"enquiries:manage_{verb}" if verb else "enquiries:manage", args=[token])
