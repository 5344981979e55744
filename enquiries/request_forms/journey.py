"""From a form to an enquiry: the steps, a card if the words sound like a red flag, the check of the answers, and sending.

Every step is a POST to the form's own address that is answered with a redirect to the page it leads to, so that back, forward and
reload find pages and never a browser's error. What was typed travels with the person (enquiries/request_forms/form_state.py): the
server keeps nothing until the last step, no address holds a word, and each step checks everything again, so it does not matter
who wrote the hidden fields.

Whether a browser gives cookies back shows only with its second request. Where words could be lost, one that says that it goes to a
page is asked to send its first form once more (307), with the cookie. Others, and those that give none back, are answered with the
page itself. One with nothing to type in it asks to be fetched by its own address (`KEPT`); a browser without cookies is told
that there is nothing to show in its place (204), and so keeps the page that it has. From page to page everything is in the hidden
fields, as well.
"""

import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus

from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backcare.core import addresses, clinic, limits
from enquiries import abuse, clock
from enquiries.actions import intake, outbox
from enquiries.assessment import cookie, handover
from enquiries.assessment.handover import safety_codes
from enquiries.assessment.kinds import Answers
from enquiries.inbox import calls
from enquiries.links import request_address
from enquiries.mail import wordings
from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.request_forms import answer_summary, form_state, own_words
from enquiries.request_forms.form_state import FormState
from enquiries.request_forms.forms import EnquiryForm, Step
from enquiries.request_forms.own_words import advice, to_store
from factsheets import page_cache, safety
from factsheets.models import ContentVersion, FactSheet

# What the pressed button sends in the field "…-step". If none of these, it was the form's own button.
CHANGE, CHECK, SEND, MEANT = "change", "check", "send", "meant"
ASKED = "include_answers"
# The pages that are not steps.
READ_FIRST, ANSWERS = "please-read", "check"
CLEAR = "clear"  # deletes the cookie
KEPT = "kept"


@dataclass(frozen=True)
class Journey:
    """The way through the pages of one kind of enquiry."""

    form_class: type[EnquiryForm]
    template: str  # of the first step
    is_checked = True  # whether there is a page to check the answers before sending
    consent_version = handover.CONSULTATION_CONSENT

    def answers(self, request) -> Answers | None:
        """The answers of a finished self-assessment in this browser, if they may be sent too."""
        return cookie.may_go_along(request) if ASKED in self.form_class.base_fields else None

    def when(self) -> str:
        """What an empty first page says that changes with time."""
        return repr(clock.reply_notice(timezone.now()))

    def notes(self, walk: "_Walk") -> dict:
        """What the first page says besides its form."""
        return {"when": clock.reply_notice(timezone.now())}

    def lacks(self, walk: "_Walk") -> bool:
        """Whether the first page must be shown again, although nothing is wrong with it."""
        return False

    def submission(self, form: EnquiryForm, **more) -> intake.Submission:
        return intake.Submission(
            kind=self.kind,
            details=form.details(),
            contact_by=tuple(form.cleaned_data.get("contact_by", ())),
            sheet=form.cleaned_data.get("sheet"),
            trap=form.trap_is_filled,
            **more,
        )

    def accepted(self, request, response: HttpResponse, enquiry: Enquiry, form: EnquiryForm) -> HttpResponse:
        """The redirect to the confirmation, with what this browser should remember about it."""
        return response

    @property
    def kind(self) -> str:
        return self.form_class.kind

    @property
    def address(self) -> str:
        return reverse(f"enquiries:{self.kind}")

    @property
    def first(self) -> Step:
        return self.form_class.steps[0]

    def address_of(self, page: str) -> str:
        return self.address if page == self.first.name else reverse(f"enquiries:{self.kind}_page", args=[page])

    def form(self, data=None, *, answers: Answers | None = None, **options) -> EnquiryForm:
        options |= {"prefix": self.kind, "action": self.address}
        if ASKED in self.form_class.base_fields:
            options["ask_about_answers"] = bool(answers) or (data is not None and f"{self.kind}-{ASKED}" in data)
        return self.form_class(data, **options)


def ask(request, journey: Journey, page: str = "") -> HttpResponse:
    """A form's pages. The first step at the foot of each sheet is also sent here."""
    if request.method != "POST":
        return _opened(request, journey, page)
    if page == CLEAR:
        return form_state.take_back(HttpResponseRedirect(journey.address, status=303), request, journey.kind)
    with ContentVersion.held():
        return _posted(request, journey)


def _opened(request, journey: Journey, page: str) -> HttpResponse:
    state = form_state.read(request, journey.kind)
    if page and not (page in {READ_FIRST, ANSWERS} or page in {step.name for step in journey.form_class.steps[1:]}):
        raise Http404
    if state and state.sent and page:
        return _sent_already(request, journey, state)
    if state and not state.sent:
        return _Walk(request, journey, state).page(page or journey.first.name)
    if not page:
        return _empty(request, journey)
    if KEPT in request.GET:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return _empty(request, journey, lost=True)


def _empty(request, journey: Journey, *, lost: bool = False) -> HttpResponse:
    """The first step. `lost` if a later page was requested but this browser holds nothing, perhaps because it refuses cookies.

    Without a cookie, the page is the same for everyone until the promise changes, so it is cached.
    """
    slug = request.GET.get("sheet", "")[:80].replace("\x00", "")
    sheet = FactSheet.objects.published().without_text().filter(slug=slug).first() if slug else None
    state = FormState(typed={"sheet": [sheet.slug]} if sheet else {}, no_cookies=lost)

    def make() -> HttpResponse:
        return _Walk(request, journey, state).page(journey.first.name, lost=lost)

    if lost or request.COOKIES:
        return make()
    return page_cache.cached_response(request, ("empty form", journey.kind, sheet and sheet.slug, journey.when()), make)


def _posted(request, journey: Journey) -> HttpResponse:
    pressed, _, begin_at = request.POST.get(f"{journey.kind}-step", "").partition("-")
    state = form_state.posted(request, journey.form_class, alone=pressed == SEND)
    if pressed == MEANT:
        state.typed["email"] = [addresses.suggestion(each.strip()) or each for each in state.typed.get("email", [])]
    walk = _Walk(request, journey, state)
    if pressed == CHANGE:
        state.begin_at = begin_at
        step = walk.form.step_of(begin_at) or journey.first
        return walk.go(step.name if step in walk.form.pages else walk.next_page)
    one_step = pressed or f"{journey.kind}-{form_state.AT}" in request.POST
    if wrong := walk.first_mistake(every_step=pressed == SEND or not one_step):
        state.wrong = wrong.name
        state.done.discard(wrong.name)
        return walk.go(wrong.name, status=422)
    if journey.lacks(walk):
        return walk.go(journey.first.name)
    if walk.is_unread:
        return walk.go(READ_FIRST)
    at_once = not journey.is_checked and walk.next_page == ANSWERS
    return walk.send() if pressed == SEND or at_once else walk.go(walk.next_page)


class _Walk:
    """What has been typed so far, validated, and the pages it leads to."""

    def __init__(self, request, journey: Journey, state: FormState):
        self.request, self.journey, self.state, self.kind = request, journey, state, journey.kind
        self.answers = journey.answers(request)
        self.form = journey.form(state.data(self.kind), answers=self.answers)
        self.form.is_valid()
        self.form.seen_signs = " ".join(state.seen)
        self.words = own_words.read(self.form)
        self.consented = None
        if self.answers and self.form.with_answers:
            self.consented = handover.consented(self.answers, journey.consent_version)
            self.words = self.words.and_answers(safety_codes(self.consented.result))

    @property
    def is_unread(self) -> bool:
        """Whether there is a sign whose card this person has not been shown for these words."""
        return not self.words.were_shown(self.state.seen)

    @property
    def answers_gone(self) -> bool:
        """Whether they agreed to send answers that this browser no longer holds."""
        return self.form.with_answers and not self.answers

    def first_mistake(self, *, every_step: bool) -> Step | None:
        steps = self.form.pages
        return next(
            (step for step in steps if (every_step or step.name in self.state.done) and self.form.is_wrong(step)), None
        )

    @property
    def next_page(self) -> str:
        left = (step.name for step in self.form.pages if step.name not in self.state.done or self.form.is_wrong(step))
        return next(left, ANSWERS)

    # --- answers ---

    def go(self, page: str, *, status: int = 200) -> HttpResponse:
        """Redirects to a page if the browser will bring back what was typed, or else returns that page itself."""
        held = form_state.sealed(self.state, self.kind)
        nothing_to_lose = not self.state.no_cookies and not self.state.words(self.journey.form_class)
        if held and (form_state.is_held(self.request, self.kind) or nothing_to_lose):
            response = HttpResponseRedirect(self.journey.address_of(page), status=303)
        elif held and self._may_send_again:
            response = HttpResponse(status=307, headers={"Location": f"{self.request.path}?{KEPT}"})
        else:
            response = self.page(page, status=status)
            if held and page in {READ_FIRST, ANSWERS} and not self.state.no_cookies:  # nothing is typed there
                response["Refresh"] = f"0; url={self.journey.address_of(page)}?{KEPT}"
        return self._with_cookie(response, held)

    @property
    def _may_send_again(self) -> bool:
        is_a_browser = self.request.headers.get("Sec-Fetch-Mode") == "navigate"
        return is_a_browser and KEPT not in self.request.GET and not self.state.no_cookies

    def _with_cookie(self, response: HttpResponse, held: str) -> HttpResponse:
        if held:
            return form_state.give(response, held, self.kind)
        return form_state.take_back(response, self.request, self.kind)  # an older one would undo the change

    def send(self) -> HttpResponse:
        self.state.done |= {step.name for step in self.form.pages}
        seal, looked_through = "", None
        if self.journey.is_checked:
            seal = self.request.POST.get(f"{self.kind}-seal", "")
            looked_through = form_state.seal_age(seal, self.form)
            if self.answers_gone or looked_through is None:
                return self.go(ANSWERS)
        submission = self.journey.submission(
            self.form,
            also={
                **self.form.also(),
                "safety_signs": to_store(codes, safety.tiers()) if (codes := self.words.codes) else "",
            },
            consented=self.consented,
            in_no_time=looked_through is not None and looked_through < form_state.NO_TIME,
            seal=seal,
        )
        try:
            enquiry = intake.accept(submission, sender=limits.client(self.request))
        except intake.SealUsed:
            return self.go(ANSWERS)
        except abuse.TooMany as refusal:
            return self._refused(refusal)
        address = sent_address(enquiry)
        response = HttpResponseRedirect(address, status=303)
        if form_state.is_held(self.request, self.kind):
            form_state.give(response, form_state.sealed(FormState(sent=address), self.kind), self.kind)
        return self.journey.accepted(self.request, response, enquiry, self.form)

    def _refused(self, refusal: abuse.TooMany) -> HttpResponse:
        """Nothing was saved, but nothing typed is lost: the page has it, below the phone number and the emergency card."""
        if self.journey.is_checked:
            response = self._look_through(status=HTTPStatus.TOO_MANY_REQUESTS, refusal=refusal)
        else:
            response = self._step(self.journey.first, status=HTTPStatus.TOO_MANY_REQUESTS, refusal=refusal)
        response["Retry-After"] = str(refusal.wait)
        return self._with_cookie(response, form_state.sealed(self.state, self.kind))

    # --- pages ---

    def page(self, page: str, *, status: int = 200, **more) -> HttpResponse:
        """The page, or a redirect to another if what was typed does not lead to this one."""
        if page == READ_FIRST and self.words:
            return self._interruption()
        step = self.form.step_named(page)
        if step and (step in self.form.pages or step is self.journey.first):
            return self._step(step, status=status, **more)
        if page == ANSWERS == self.next_page and self.journey.is_checked:
            return self._look_through()
        to = self.next_page if self.journey.is_checked or self.next_page != ANSWERS else self.journey.first.name
        return HttpResponseRedirect(self.journey.address_of(to), status=303)

    def _step(self, step: Step, *, status: int, **more) -> HttpResponse:
        form, heading, back = self.form, self.form.heading(step), self._before(step)
        if self.state.wrong != step.name:  # nothing is wrong with it, or it has not been sent yet
            form = self.journey.form(answers=self.answers, initial=self.state.initial(self.journey.form_class))
            form.seen_signs = self.form.seen_signs
        form.show(step, self.state.hidden(self.kind, step))
        form.begin_at(self.state.begin_at)
        if step is self.journey.first:
            return self._render(self.journey.template, form, status=status, **self.journey.notes(self), **more)
        template = "enquiries/request_forms/step.html"
        return self._render(template, form, status=status, heading=heading, back=back)

    def _before(self, step: Step | None = None) -> str:
        """The page before a step or the check page. Without cookies it would be empty."""
        pages = self.form.pages
        before = pages[: pages.index(step)] if step in pages else pages if step is None else []
        return self.journey.address_of(before[-1].name) if before and not self.state.no_cookies else ""

    def _interruption(self) -> HttpResponse:
        tiers = safety.tiers()
        return self._render(
            "enquiries/request_forms/interruption.html",
            self.form,
            advice=advice(self.words.codes, tiers),
            boxes=self.words.boxes,
            answers=self.words.answers,
            hidden=self.state.hidden(self.kind),
            seen_signs=" ".join(own_words.latest(self.state.seen, self.words.marks)),
            steps_left=self.next_page != ANSWERS,
            safety_tiers=tiers,
        )

    def _look_through(self, *, status: int = 200, **more) -> HttpResponse:
        gone = self.answers_gone
        email, replies, now = self.form.cleaned_data["email"], clock.load(), timezone.now()
        groups = answer_summary.groups(self.form)
        if gone:
            self.state.without(ASKED)
        slots = getattr(self.form, "call_slots", 0)
        return self._render(
            "enquiries/request_forms/check.html",
            self.form,
            status=status,
            advice=advice(self.words.codes, safety.tiers()),
            groups=groups,
            email=addresses.in_words(email),
            meant=addresses.in_words(addresses.suggestion(email)),
            hidden=self.state.hidden(self.kind),
            seal=form_state.seal(self.form),
            seen_signs=self.form.seen_signs,
            answers_gone=gone,
            for_someone_else=self.form.for_someone_else,
            never_open=calls.never_open(slots, now, replies.hours),
            when=replies.reply_notice(now),
            back=self._before(),
            **more,
        )

    def _render(self, template: str, form: EnquiryForm, *, status: int = 200, **context) -> HttpResponse:
        context = {
            "safety_tiers": safety.tiers(),
            **context,
            "form": form,
            "kind": self.kind,
            "address": self.journey.address,
            "clear": self.journey.address_of(CLEAR),
            "in_browser": bool(self.state.done) and not self.state.no_cookies,
        }
        return render(self.request, template, context, status=status)


def _sent_already(request, journey: Journey, state: FormState) -> HttpResponse:
    context = {"kind": journey.kind, "confirmation": state.sent, "again": journey.address}
    return render(request, "enquiries/request_forms/sent_already.html", context | {"safety_tiers": safety.tiers()})


# The page after a form was accepted, and its address. A report's page is drawn by `enquiries.report.sent`.
#
# The address holds an encrypted mark of the enquiry, so that a reload or the back button shows the same page again without a
# cookie: the reply time in this enquiry's email, however late the page is opened, the advice for the tier of its signs, and
# whether no email comes or no reply is promised. Without a mark, or with an old one, the page is the same for everyone and names no
# day.
#
# It shows nothing personal: someone who finds the address sees no name, words or signs. For half an hour it has the private link
# to the request, for the person who has just sent it. That link asks for the email address like any other.

LINK_SECONDS = 30 * 60  # for the private link
PAGE_SECONDS = 24 * 60 * 60  # after that the address shows the same as one without a mark

SENT_SIGNER = signing.TimestampSigner(salt="enquiries.request_forms.sent", sep=".")


def sent_address(enquiry: Enquiry) -> str:
    """Where the browser goes once the enquiry is saved."""
    name = f"enquiries:{enquiry.kind}_sent"
    aside = enquiry.status in {Status.SPAM, Status.HELD}
    usual = not enquiry.signs and not aside and (enquiry.just_answered or outbox.is_mailed(enquiry))
    if enquiry.kind == EnquiryKind.REPORT and usual:  # no time is promised, and the browser holds a receipt
        return reverse(name)
    return reverse(f"{name}_as", args=[SENT_SIGNER.sign(enquiry.pk.hex)])


def sent_page(request, kind: EnquiryKind, token: str = "") -> HttpResponse:
    tiers = safety.tiers()
    context = {"kind": kind, "safety_tiers": tiers, "emailed": True, "owed": True, "has_address": True}
    enquiry, age = sent_enquiry(kind, token)
    if enquiry:
        context |= {"known": True} | _reply_of(enquiry)
        context["owed"] = enquiry.status not in {Status.SPAM, Status.HELD}
        context["held"] = enquiry.status == Status.HELD
        context["emailed"] = outbox.is_mailed(enquiry)
        context["has_address"] = outbox.has_address(enquiry)
        context["advice"] = advice(enquiry.signs, tiers)
        if context["owed"] and context["has_address"] and not context["emailed"] and age < LINK_SECONDS:
            context["manage"] = request_address(enquiry)
    context["reply_time"] = _reply_time(context)
    said = _confirmation(kind, emailed=context["emailed"], has_address=context["has_address"])
    values = {"reply time": context["reply_time"], "confirmation": said}
    context["words"] = wordings.filled(f"{kind}_sent", values)
    return render(request, "enquiries/request_forms/sent.html", context)


def _reply_time(context: dict) -> str:
    if reply := context.get("reply"):
        return f"We will reply {reply}."
    if not context.get("known"):
        return clinic.details()["promise"]
    said, phone = clock.without_a_time(), clinic.details()["phone"]
    return f"{said} You can phone us: {phone}." if phone else said


def _confirmation(kind: EnquiryKind, *, emailed: bool, has_address: bool) -> str:
    what = "question" if kind == EnquiryKind.QUESTION else "request"
    if not has_address:
        return f"We have your {what}. You gave no email address, so we will phone you and not email you."
    if emailed:
        return (
            f"We will email you to confirm that we have your {what}, and to say when we will reply. "
            "If you cannot see the email, look in your spam folder."
        )
    return (
        f"We have your {what}, but will not email you to confirm it. We limit these emails, so that nobody can use our forms "
        "to fill someone’s inbox."
    )


def _reply_of(enquiry: Enquiry) -> dict:
    """When we will reply, in the words of their email; or the clinic's notice while it promises nothing."""
    if enquiry.reply_by:
        return {"reply": clock.in_words(enquiry.reply_by, enquiry.created_at, dated=True)}
    replies = clock.load()
    return {"notice": replies.notice if replies.paused else ""}


def sent_enquiry(kind: EnquiryKind, token: str) -> tuple[Enquiry | None, float]:
    """The enquiry that an address names, and its age in seconds. None if it is too old, erased or not ours."""
    try:
        key = uuid.UUID(SENT_SIGNER.unsign(token, max_age=PAGE_SECONDS))
    except (signing.BadSignature, ValueError):
        return None, 0
    made_at = signing.b62_decode(token.split(".")[1])
    return Enquiry.objects.filter(pk=key, kind=kind, erased_at=None).first(), time.time() - made_at
