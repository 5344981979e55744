"""A patient's request, and what they can do with it, each change asked once more on a page of its own; and below it the pages of
the links that ask for one press and for no address.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from crispy_forms.layout import Field, Submit
from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core.forms import Carried, posted
from backcare.core.private_pages import personal
from enquiries import clock, links
from enquiries.actions import by_patient, erasure, triage
from enquiries.actions.appointments import refuse_reminder
from enquiries.inbox import calls
from enquiries.mail import wordings
from enquiries.models import Enquiry, EnquiryKind, slots_in_words
from enquiries.patient_portal import presenters
from enquiries.patient_portal.access import CHECKED, DONE, Visit, visited
from enquiries.request_forms import consultation, own_words
from enquiries.request_forms.consultation import ConsultationForm
from enquiries.request_forms.forms import SeenSigns, long_text
from enquiries.request_forms.journey import CHANGE, READ_FIRST, SEND
from enquiries.request_forms.own_words import OwnWords, advice, to_store
from factsheets import safety

DETAIL_LENGTH = 500  # characters that a patient may add to their request in one go


class VisitForm(forms.Form):
    """A form for somebody who was let in, which carries their pass."""

    use_required_attribute = False
    seen_signs = ""

    def __init__(self, *args, action: str, passed: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = posted(
            self,
            action,
            *self.parts(),
            Carried([("pass", passed)]),
            SeenSigns(self),
            Submit("continue", "Continue", css_id=f"{self.prefix}-continue"),
        )


class TimesForm(VisitForm):
    days = ConsultationForm.base_fields["days"]
    day_parts = ConsultationForm.base_fields["day_parts"]
    best_time = ConsultationForm.base_fields["best_time"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["best_time"].help_text += " This replaces what you wrote about times before."

    def parts(self):
        return [Field("days"), Field("day_parts"), Field("best_time")]

    def details(self) -> dict:
        return {
            "call_slots": consultation.call_slots(self.cleaned_data["days"], self.cleaned_data["day_parts"]),
            "best_time": self.cleaned_data["best_time"],
        }


class AddForm(VisitForm):
    text = long_text(
        "What would you like to add?",
        longest=DETAIL_LENGTH,
        shorten="it",
        required="Write what you would like to add",
    )

    def parts(self):
        return [Field("text")]


@visited()
def opened(visit: Visit) -> HttpResponse:
    """The request, with confirmation of the last change if the address names one."""
    if not visit.at:
        return _request(visit)
    held = visit.held
    if held.done and held.verb == visit.at:
        return _request(visit, held.verb, tuple(held.signs))
    return HttpResponseRedirect(visit.address)


@visited(by_patient.Wish.TIMES)
def times(visit: Visit) -> HttpResponse:
    seen = _seen(visit)
    if visit.step == CHANGE:
        return _times_form(visit, _form(visit, TimesForm, initial=_times_so_far(visit), seen=seen))
    form = _form(visit, TimesForm, visit.data, seen=seen)
    if not form.is_valid():
        return _times_form(visit, form, status=422)
    words = own_words.read(form)
    if words and (visit.at == READ_FIRST or not words.were_shown(seen)):
        return _interruption(visit, words, seen)
    if visit.step == SEND and (version := visit.sure_of()) is not None:
        return _do(visit, by_patient.change_times, words, version=version, **form.details())
    if visit.verb not in visit.may:
        return visit.changed()
    new = slots_in_words(form.details()["call_slots"]) or ["Any time"]
    if form.cleaned_data["best_time"]:
        new.append(form.cleaned_data["best_time"])
    never_open = calls.never_open(form.details()["call_slots"], timezone.now(), clock.load().hours)
    return visit.check(at=CHECKED, new=new, before=presenters.times(visit.enquiry), never_open=never_open)


@visited(by_patient.Wish.ADD)
def add(visit: Visit) -> HttpResponse:
    """Their words are read for signs just as a question's are (enquiries.request_forms.journey)."""
    seen = _seen(visit)
    if visit.step == CHANGE:
        form = _form(visit, AddForm, initial={"text": visit.data.get("add-text", "")}, seen=seen)
        form.fields["text"].widget.attrs |= {"autofocus": True} if visit.begin_at else {}
        return _add_form(visit, form)
    form = _form(visit, AddForm, visit.data, seen=seen)
    if not form.is_valid():
        return _add_form(visit, form, status=422)
    words = own_words.read(form)
    if words and (visit.at == READ_FIRST or not words.were_shown(seen)):
        return _interruption(visit, words, seen)
    text = form.cleaned_data["text"]
    if visit.step == SEND and (version := visit.sure_of()) is not None:
        return _do(visit, by_patient.add_detail, words, version=version, text=text)
    if visit.verb not in visit.may:
        return visit.changed()
    return visit.check(at=CHECKED, text=text, flagged=bool(words))


@visited(by_patient.Wish.WITHDRAW)
def withdraw(visit: Visit) -> HttpResponse:
    if visit.step == SEND and (version := visit.sure_of()) is not None:
        return _do(visit, by_patient.withdraw, version=version)
    return visit.check(appointment=_appointment(visit)) if visit.verb in visit.may else visit.changed()


@visited(by_patient.Wish.ERASE)
def erase(visit: Visit) -> HttpResponse:
    if visit.step == SEND and (version := visit.sure_of()) is not None:
        return _do(visit, by_patient.withdraw_and_erase, version=version)
    return visit.check(appointment=_appointment(visit), open=not visit.enquiry.is_closed)


@personal
@require_safe
def erased(request):
    context = {"words": wordings.filled("request_erased", {}), "safety_tiers": safety.tiers()}
    return render(request, "enquiries/patient_portal/erased.html", context)


CONFIRMED = {by_patient.Wish.TIMES: "times_changed", by_patient.Wish.ADD: "detail_added"}  # by whose words


def _request(visit: Visit, done: str = "", signs: tuple[str, ...] = ()) -> HttpResponse:
    tiers = safety.tiers()
    given = {"rows": presenters.rows(visit.enquiry), "may": visit.may, "done": done, "safety_tiers": tiers}
    if done:
        which = "question" if visit.enquiry.kind == EnquiryKind.QUESTION else "request"
        given["words"] = wordings.filled(CONFIRMED.get(done, "request_withdrawn"), {"which": which})
    return visit.page("request", advice=advice(signs, tiers), **given)


def _do(visit: Visit, action, words: OwnWords | None = None, **given) -> HttpResponse:
    """`words` are what they typed, for an action that stores them. Their signs are stored too, and the next page has the advice."""
    codes = words.codes if words else ()
    if words is not None:
        given["safety_signs"] = to_store(codes, safety.tiers())
    try:
        enquiry: Enquiry = action(enquiry=visit.enquiry, **given)
    except (triage.StaleEnquiry, triage.MoveRefused):
        enquiry = Enquiry.objects.get(pk=visit.enquiry.pk)
        return replace(visit, enquiry=enquiry).changed()
    if enquiry.erased_at:
        gone = HttpResponseRedirect(reverse("enquiries:manage_erased"), status=303)
        return visit.cookie.end(gone, visit.request) if visit.cookie else gone
    # As it is now, with confirmation of what they pressed. Sending it again changes nothing more.
    visit = replace(visit, enquiry=enquiry)
    return visit.go(DONE, typed=[], done=True, signs=codes) or _request(
        Visit(visit.request, visit.token, enquiry), visit.verb, codes
    )


def _seen(visit: Visit) -> list[str]:
    return own_words.seen(visit.data.get(f"{visit.verb}-seen_signs", ""))


def _form(visit: Visit, form_class: type[VisitForm], data=None, *, seen: list[str] = (), **options) -> VisitForm:
    form = form_class(data, prefix=visit.verb, action=visit.address, passed=visit.passed, **options)
    form.seen_signs = " ".join(seen)
    return form


def _times_form(visit: Visit, form: TimesForm, *, status: int = 200) -> HttpResponse:
    return visit.page("times", form=form, status=status)


def _add_form(visit: Visit, form: AddForm, *, status: int = 200) -> HttpResponse:
    return visit.page("add", form=form, status=status)


def _times_so_far(visit: Visit) -> dict:
    """What they ticked on this visit, or else what we know. Their own words about times are not shown: they may say more."""
    given = visit.data
    if visit.typed():
        ticked = {name: given.getlist(f"times-{name}") for name in ("days", "day_parts")}
        return ticked | {"best_time": given.get("times-best_time", "")}
    return consultation.chosen_times(visit.enquiry.call_slots)


def _interruption(visit: Visit, words: OwnWords, seen: list[str]) -> HttpResponse:
    tiers, own = safety.tiers(), f"{visit.verb}-seen_signs"
    return visit.page(
        "interruption",
        at=READ_FIRST,
        kind=visit.verb,
        advice=advice(words.codes, tiers),
        boxes=words.boxes,
        hidden=[("pass", visit.passed), *((name, value) for name, value in visit.typed() if name != own)],
        seen_signs=" ".join(own_words.latest(seen, words.marks)),
        safety_tiers=tiers,
    )


def _appointment(visit: Visit) -> str:
    return presenters.appointment(visit.enquiry, timezone.now())


# The links that need only one press (`enquiries/links.py`).

PRESSED = "done"  # the page's button, and the address of the next page


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """One POST serves the page's button and the “unsubscribe” of a mail program (RFC 8058: no cookie, no redirect, nothing more to
    press). Whoever pressed the button is led to an address that back and reload find, which tells nothing of earlier presses."""
    context: dict[str, Any] = {"address": request.path, "months": erasure.STOPPED_MONTHS}
    try:
        key = links.mailbox_of(token)
    except signing.SignatureExpired:
        return render(request, "enquiries/stop_mails.html", {"over": True}, status=HTTPStatus.GONE)
    except signing.BadSignature:
        raise links.NotOurs from None
    if request.method == "POST":
        erasure.stop_mails(key=key)
        if PRESSED in request.POST:
            return HttpResponseRedirect(f"{request.path}?{PRESSED}", status=303)
    if request.method == "POST" or PRESSED in request.GET:
        context |= {"done": True, "words": wordings.filled("emails_stopped", {})}
    return render(request, "enquiries/stop_mails.html", context)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def delete_report(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then erases the request: name, address, answers and summary. Says so if it is already erased.

    It shows nothing personal, so it does not ask for the email address: one press of the page's button deletes.
    """
    try:
        enquiry = links.report_to_delete(token)
    except signing.BadSignature:
        raise links.NotOurs from None
    if enquiry is None:
        return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)
    if request.method != "POST":
        return render(request, "enquiries/report_delete.html", {"address": request.path})
    erasure.erase(enquiry=enquiry, actor="patient", summary="With “Delete my data now” in the email")
    return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def no_reminder(request: HttpRequest, token: str) -> HttpResponse:
    """The page says nothing about the appointment, not even whether there is one."""
    key = links.REMINDER.key_of(token)
    if key is None:
        raise links.NotOurs
    if request.method == "POST":
        if enquiry := Enquiry.objects.filter(pk=key, erased_at=None).first():
            refuse_reminder(enquiry=enquiry)
        if PRESSED in request.POST:
            return HttpResponseRedirect(f"{request.path}?{PRESSED}", status=303)
    done = request.method == "POST" or PRESSED in request.GET
    words = wordings.filled("reminder_stopped", {}) if done else None
    return render(request, "enquiries/no_reminder.html", {"address": request.path, "done": done, "words": words})
