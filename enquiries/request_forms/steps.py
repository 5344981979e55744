"""From a form to an enquiry: the form, a card when the words sound like a red flag, the check of the answers, and then it is sent.

Every step is a POST to the form's own address with everything that was typed in it. The server keeps nothing until the last one,
no address and no cookie holds a word, and each step checks everything anew, so it does not matter who wrote the hidden fields.
"""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page

from backcare.core import addresses, limits
from enquiries import abuse, clock
from enquiries.actions import intake
from enquiries.actions.intake import Consented
from enquiries.assessment import cookie
from enquiries.assessment.handover import safety_codes
from enquiries.assessment.kinds import Answers
from enquiries.inbox import calls
from enquiries.models import Enquiry
from enquiries.report import consent
from enquiries.request_forms import answer_summary, choices, own_words, sent, submit_timing
from enquiries.request_forms.advice import advice, kept
from enquiries.request_forms.base import EnquiryForm
from enquiries.request_forms.own_words import OwnWords
from factsheets import safety
from factsheets.models import FactSheet

# What the pressed button says, in the field "…-step". None of them: the form's own button.
CHANGE, CHECK, SEND, MEANT = "change", "check", "send", "meant"
ASKED = "include_answers"


@dataclass(frozen=True)
class Journey:
    """One kind of enquiry on its way."""

    form_class: type[EnquiryForm]
    template: str

    @property
    def kind(self) -> str:
        return self.form_class.kind

    @property
    def address(self) -> str:
        return reverse(f"enquiries:{self.kind}")

    def form(self, data=None, *, answers: Answers | None = None, initial: dict | None = None) -> EnquiryForm:
        options = {"prefix": self.kind, "action": self.address, "initial": initial}
        if ASKED in self.form_class.base_fields:
            options["ask_about_answers"] = bool(answers) or (data is not None and f"{self.kind}-{ASKED}" in data)
        return self.form_class(data, **options)


def ask(request, journey: Journey) -> HttpResponse:
    """A form's own page, which the forms at the foot of the sheets are sent to as well."""
    return _step(request, journey) if request.method == "POST" else _opened(request, journey)


# Only the empty form: it repeats itself much, and holds nothing that its compressed length could give away.
@gzip_page
def _opened(request, journey: Journey) -> HttpResponse:
    slug = request.GET.get("sheet", "")
    sheet = FactSheet.objects.published().filter(slug=slug[:80].replace("\x00", "")).first()
    form = journey.form(answers=_answers(request, journey), initial={"sheet": sheet.slug if sheet else ""})
    return _form(request, journey, form)


def _step(request, journey: Journey) -> HttpResponse:
    answers = _answers(request, journey)
    step, _, begin_at = request.POST.get(f"{journey.kind}-step", "").partition("-")
    typed = request.POST
    if step == MEANT:
        typed, step = _with_the_address_that_was_meant(typed, journey), CHECK
    form = journey.form(typed, answers=answers)
    form.seen_signs = " ".join(_seen(request, journey))
    if step == CHANGE:
        return _form(request, journey, _same_words(journey, form, answers, begin_at))
    # The short form cannot ask everything: what it could not is asked on the page that checks.
    complete = form.is_valid()
    if not complete and not (_may_ask_there(form, step)):
        return _form(request, journey, form, status=422)
    words = own_words.read(form)
    consented = consent.given(answers, consent.CONSULTATION) if answers and form.with_answers else None
    if consented:
        words = words.and_answers(safety_codes(consented.result))
    if not set(words.codes) <= set(_seen(request, journey)):
        return _interruption(request, journey, form, words)
    gone = form.with_answers and not answers
    if not complete or gone or step != SEND:
        return _check(request, journey, form, answers_gone=gone, refused=not complete and step == SEND)
    seal = request.POST.get(f"{journey.kind}-seal", "")
    looked_through = submit_timing.age(seal, form)
    if looked_through is None:
        return _check(request, journey, form, answers_gone=False, refused=False)
    sender, in_no_time = limits.client(request), looked_through < submit_timing.NO_TIME
    try:
        enquiry = _accept(journey, form, words, consented, sender=sender, in_no_time=in_no_time, seal=seal)
    except intake.SealUsed:
        return _check(request, journey, form, answers_gone=False, refused=False)
    except abuse.TooMany as refusal:
        return _refused(request, journey, form, answers, refusal)
    return HttpResponseRedirect(sent.address(enquiry), status=303)


def _with_the_address_that_was_meant(typed: QueryDict, journey: Journey) -> QueryDict:
    typed, field = typed.copy(), f"{journey.kind}-email"
    typed[field] = addresses.suggestion(typed.get(field, "").strip()) or typed.get(field, "")
    return typed


def _answers(request, journey: Journey) -> Answers | None:
    return cookie.may_go_along(request) if ASKED in journey.form_class.base_fields else None


def _seen(request, journey: Journey) -> list[str]:
    """Codes of the cards that this person has been shown on the way."""
    return own_words.seen(request.POST.get(f"{journey.kind}-seen_signs", ""))


def _may_ask_there(form: EnquiryForm, step: str) -> bool:
    lacks_little = getattr(form, "lacks_only_safe_contact", False)
    return lacks_little and (step in {CHECK, SEND} or not form.was_asked_everything)


def _same_words(journey: Journey, form: EnquiryForm, answers: Answers | None, begin_at: str) -> EnquiryForm:
    """The form as it was filled in, to be changed: nothing is wrong with it."""
    again = journey.form(answers=answers, initial=dict(form.typed()))
    again.seen_signs = form.seen_signs
    again.begin_at(begin_at)
    return again


def _form(request, journey: Journey, form: EnquiryForm, *, status: int = 200, **context) -> HttpResponse:
    when = clock.promise(timezone.now())
    return _page(request, journey.template, journey, form, status=status, when=when, **context)


def _refused(
    request, journey: Journey, form: EnquiryForm, answers: Answers | None, refusal: abuse.TooMany
) -> HttpResponse:
    """Nothing was kept, and nothing typed is lost: the form holds it, below the number to phone and the emergency card."""
    again = _same_words(journey, form, answers, "")
    response = _form(request, journey, again, status=HTTPStatus.TOO_MANY_REQUESTS, refusal=refusal)
    response["Retry-After"] = str(refusal.wait)
    return response


def _interruption(request, journey: Journey, form: EnquiryForm, words: OwnWords) -> HttpResponse:
    tiers = safety.tiers()
    return _page(
        request,
        "enquiries/request_forms/interruption.html",
        journey,
        form,
        advice=advice(words.codes, tiers),
        boxes=words.boxes,
        answers=words.answers,
        hidden=form.carried(),
        seen_signs=own_words.together(form.seen_signs.split(), words.codes),
        safety_tiers=tiers,
    )


def _check(request, journey: Journey, form: EnquiryForm, *, answers_gone: bool, refused: bool) -> HttpResponse:
    """The answers in words. What is still missing is asked here; it is an error only for somebody who was asked before."""
    missing = tuple(form.errors)
    left_out = (*missing, ASKED) if answers_gone else missing
    hidden = form.carried(left_out)
    groups, email, for_someone_else = answer_summary.groups(form), form.cleaned_data["email"], form.for_someone_else
    seal = submit_timing.sign(form)
    replies, now = clock.load(), timezone.now()
    slots = choices.call_slots(form.cleaned_data.get("times", []))
    if missing and not refused:
        form = journey.form(initial=dict(form.typed()))
    return _page(
        request,
        "enquiries/request_forms/check.html",
        journey,
        form,
        status=422 if refused else 200,
        groups=groups,
        email=addresses.in_words(email),
        meant=addresses.in_words(addresses.suggestion(email)),
        missing=[form[name] for name in missing],
        hidden=hidden,
        seal=seal,
        seen_signs=" ".join(_seen(request, journey)),
        answers_gone=answers_gone,
        for_someone_else=for_someone_else,
        never_open=calls.never_open(slots, now, replies.hours),
        when=replies.promise(now),
    )


def _page(request, template: str, journey: Journey, form: EnquiryForm, *, status: int = 200, **context) -> HttpResponse:
    context = {
        "safety_tiers": safety.tiers(),
        **context,
        "form": form,
        "kind": journey.kind,
        "address": journey.address,
    }
    return render(request, template, context, status=status)


def _accept(
    journey: Journey,
    form: EnquiryForm,
    words: OwnWords,
    consented: Consented | None,
    *,
    sender: str,
    in_no_time: bool,
    seal: str,
) -> Enquiry:
    return intake.accept(
        kind=journey.kind,
        details=form.details(),
        contact_by=form.cleaned_data.get("contact_by"),
        sheet=form.cleaned_data.get("sheet"),
        trap=form.trap_is_filled,
        consented=consented,
        also={**form.also(), "safety_signs": kept(words.codes, safety.tiers())},
        sender=sender,
        in_no_time=in_no_time,
        seal=seal,
    )
