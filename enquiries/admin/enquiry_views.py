"""What the buttons of an enquiry's page do. Each keeps what was typed into the other fields, and leads back to the page."""

import json
import re
from functools import partial, wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from enquiries.actions import contact, erasure, outbox, triage
from enquiries.admin import (
    appointments,
    autosave,
    duplicates,
    enquiry_page,
    export,
    inbox,
    new_request,
    replies,
    step_forms,
)
from enquiries.admin.corrections import CorrectForm
from enquiries.admin.step_base import StepForm, press, to_change
from enquiries.clock import clock_time
from enquiries.inbox import queues
from enquiries.models import Enquiry, EnquiryKind, Purpose, Status

LIST = "admin:enquiries_enquiry_changelist"


def typed_is_kept(view):
    """What else is on the page when one of its buttons is pressed. `pk` is an enquiry's."""

    @wraps(view)
    def kept(model_admin, request, pk, *args, **kwargs):
        if autosave.SHOWN in request.POST:
            autosave.keep(request, to_change(model_admin, request, pk))
        return view(model_admin, request, pk, *args, **kwargs)

    return kept


# --- the steps ---


def save(model_admin, request, enquiry: Enquiry):
    """The handover: who it is assigned to, its status, a note."""
    autosave.keep(request, enquiry)
    form = step_forms.HandoverForm(request.POST, enquiry=enquiry)
    refusal = ""
    if form.is_valid():
        try:
            messages.success(request, form.act(enquiry, request.user))
        except (triage.MoveRefused, triage.StaleEnquiry) as error:
            refusal = str(error)
        else:
            autosave.forget(enquiry, request.user, step_forms.HANDOVER)
            return HttpResponseRedirect(inbox.back_to(request, enquiry))
    elif form.cleaned_data.get("opened_version", enquiry.version) != enquiry.version:
        refusal = triage.what_changed(enquiry)  # which is why a choice may be gone
    if refusal:  # the same words over what the enquiry is now
        enquiry, typed = _as_it_is(enquiry), request.POST.copy()
        typed["opened_version"] = str(enquiry.version)
        form = step_forms.HandoverForm(typed, enquiry=enquiry)
    bound = {step_forms.HANDOVER: form}
    return enquiry_page.render(model_admin, request, enquiry, bound=bound, refusal=refusal, status=422)


def take_step(model_admin, request, pk, name: str):
    """One posted step. Nothing typed is lost: after an error, or somebody else's change, the page is shown again, filled in."""
    enquiry = to_change(model_admin, request, pk)
    if name not in step_forms.FORMS or (enquiry.kind == EnquiryKind.REPORT and name != "close"):
        raise Http404
    autosave.keep(request, enquiry, name)
    if name == "reply" and "insert" in request.POST:
        return _insert(request, enquiry)
    if name == "reply" and "change" in request.POST:
        return HttpResponseRedirect(f"{inbox.back_to(request, enquiry)}#step-reply")
    step = step_forms.form_for(enquiry, name)
    form = step(request.POST, prefix=name, initial=step.start(enquiry))
    refusal = ""
    if form.is_valid() and (name != "reply" or form.fill_in(enquiry)):
        # A reply to someone with a warning sign is previewed before it is sent.
        unread = enquiry.is_flagged and "previewed" not in request.POST
        if name == "reply" and ("send" not in request.POST or unread):
            return _preview(model_admin, request, enquiry, form)
        try:
            messages.success(request, form.act(enquiry, request.user))
        except (triage.MoveRefused, triage.StaleEnquiry, outbox.Erased) as error:
            refusal = str(error)
            enquiry = _as_it_is(enquiry)
            form = _with_version(form, name, enquiry)
        else:
            autosave.forget(enquiry, request.user, name)
            return HttpResponseRedirect(inbox.back_to(request, enquiry))
    return enquiry_page.render(model_admin, request, enquiry, bound={name: form}, refusal=refusal, status=422)


def _as_it_is(enquiry: Enquiry) -> Enquiry:
    return get_object_or_404(Enquiry, pk=enquiry.pk)


def _with_version(form: StepForm, name: str, enquiry: Enquiry) -> StepForm:
    """Shows the same words with the enquiry as it is now, so that sending them again is a deliberate choice."""
    data = form.data.copy()
    data[f"{name}-version"] = str(enquiry.version)
    return type(form)(data, prefix=name, initial=form.initial)


def _insert(request, enquiry: Enquiry):
    """Adds a template below what is already in the reply, and its subject if there is none."""
    typed = autosave.stored(enquiry, request.user)
    for each in replies.starts(enquiry):
        if each["key"] == request.POST["insert"]:
            autosave.add(enquiry, request.user, "reply-text", each["text"])
            if each.get("subject") and not typed.get("reply-subject", "").strip():
                autosave.add(enquiry, request.user, "reply-subject", each["subject"])
    return HttpResponseRedirect(f"{inbox.back_to(request, enquiry)}#step-reply")


def _preview(model_admin, request, enquiry: Enquiry, form: StepForm):
    preview = replies.preview(enquiry, form)
    if preview is None:
        refusal = "There is no email address to write to."
        return enquiry_page.render(model_admin, request, enquiry, bound={"reply": form}, refusal=refusal, status=422)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{form.heading}: {enquiry.reference}",
        "opts": model_admin.opts,
        "enquiry": enquiry,
        "form": form,
        "preview": preview,
        "trail": inbox.given_trail(request),
        "seen": request.POST.get("seen", ""),
    }
    return TemplateResponse(request, "admin/enquiries/enquiry/preview.html", context)


# --- what is typed, and where to go ---


def keep_draft(model_admin, request, pk):
    """Called by script every few seconds, and by the page's own button."""
    enquiry = to_change(model_admin, request, pk)
    if "discard" in request.POST:
        correcting = request.POST["discard"] == autosave.CORRECT
        autosave.forget(enquiry, request.user, autosave.CORRECT if correcting else "")
        messages.success(request, "Discarded.")
        return HttpResponseRedirect(_correction(request, enquiry) if correcting else inbox.back_to(request, enquiry))
    autosave.keep(request, enquiry)
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"saved": f"Draft saved at {clock_time(timezone.localtime().time())}"})
    messages.success(request, "Draft saved.")
    return HttpResponseRedirect(inbox.back_to(request, enquiry))


def go(model_admin, request, pk):
    """Leaves the page for the next in the list, the one before, the list itself, a correction, or a comparison with another."""
    enquiry, to = _to_view(model_admin, request, pk), request.POST.get("to", "")
    if model_admin.has_change_permission(request, enquiry):
        autosave.keep(request, enquiry)
    if to == "correct":
        return HttpResponseRedirect(_correction(request, enquiry))
    if re.fullmatch(r"same-as( [0-9A-Z]{4}-[0-9A-Z]{4})?", to):
        address = reverse("admin:enquiries_enquiry_same_as", args=[enquiry.pk])
        _, _, reference = to.partition(" ")
        return HttpResponseRedirect(f"{address}?reference={reference}" if reference else address)
    if to == "enquiry":
        return HttpResponseRedirect(inbox.back_to(request, enquiry))
    place = inbox.place(request, enquiry)
    if place is None:
        return HttpResponseRedirect(reverse(LIST))
    trail = place["trail"]
    if found := place.get(to) if to in {"next", "previous"} else None:
        return HttpResponseRedirect(trail.address_of(Enquiry(pk=found[0]), found[1]))
    if to == "next":
        where = f"found for “{trail.typed}”" if trail.typed else f"in “{trail.label}”"
        messages.info(request, f"That was the last one {where}.")
    return HttpResponseRedirect(f"{reverse(LIST)}?{trail.of_list}")


def _correction(request, enquiry: Enquiry) -> str:
    """The address of the page that corrects its details, with the list that somebody is working through."""
    trail, address = inbox.given_trail(request), reverse("admin:enquiries_enquiry_correct", args=[enquiry.pk])
    return f"{address}?{urlencode(trail.fields)}" if trail else address


def correct(model_admin, request, pk):
    """The page on which an email address or phone number is corrected. It keeps what is typed, as the enquiry's page does."""
    enquiry = to_change(model_admin, request, pk)
    typed, refusal = autosave.stored(enquiry, request.user), ""
    form = CorrectForm.begin(enquiry, typed)
    if request.method == "POST":
        typed = autosave.keep(request, enquiry, autosave.CORRECT)
        form = CorrectForm(request.POST, enquiry=enquiry)
        if form.is_valid():
            try:
                messages.success(request, form.act(enquiry, request.user))
            except (triage.MoveRefused, triage.StaleEnquiry, outbox.Erased) as error:
                refusal = str(error)
                enquiry = _as_it_is(enquiry)
                # Shows the same words with the enquiry as it is now, so that sending them again is a deliberate choice.
                data = form.data.copy()
                data[form.add_prefix("version")] = str(enquiry.version)
                form = CorrectForm(data, enquiry=enquiry)
            else:
                autosave.forget(enquiry, request.user, autosave.CORRECT)
                return HttpResponseRedirect(inbox.back_to(request, enquiry))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Correct the address or number: {enquiry.reference}",
        "opts": model_admin.opts,
        "enquiry": enquiry,
        "form": form,
        "asked": getattr(form, "asked", ""),
        "refusal": refusal,
        "trail": inbox.given_trail(request),
        "back": inbox.back_to(request, enquiry),
        "shown": json.dumps(autosave.values([form]), ensure_ascii=False),
        "has_draft": any(name in autosave.OF_CORRECTION for name in typed),
    }
    status = 422 if refusal or form.errors else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/correct.html", context, status=status)


def pulse(model_admin, request, pk=None):
    """For the script: what is new since the page was shown. It only reads, and does not count as activity."""
    enquiry = _to_view(model_admin, request, pk) if pk else None
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    now, hours = timezone.now(), inbox.reply_clock(request).hours
    if enquiry:
        may_act = model_admin.has_change_permission(request)
        return JsonResponse(
            {
                "viewers": enquiry_page.viewers(request.user, enquiry, now),
                "changes": enquiry_page.changes(enquiry, request, request.GET.get("seen", "")) if may_act else [],
                "flagged": enquiry.live and enquiry.is_flagged,
            }
        )
    try:
        since = parse_datetime(request.GET.get("since", "")) or now
    except ValueError:
        since = now
    if timezone.is_naive(since):
        since = now
    fresh = Enquiry.objects.filter(queues.OPEN, created_at__gt=since).without_folded()
    return JsonResponse({"counts": queues.counts(now=now, user=request.user, hours=hours), "fresh": fresh.count()})


def _to_view(model_admin, request, pk) -> Enquiry:
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not model_admin.has_view_permission(request, enquiry):
        raise PermissionDenied
    return enquiry


# --- single buttons ---


def they_agree(model_admin, request, pk):
    """The person whom the enquiry is about agrees now."""
    enquiry = to_change(model_admin, request, pk)
    return press(request, enquiry, contact.they_agree_now, "Saved: they now know and agree.")


def send_new_link(model_admin, request, pk):
    enquiry = to_change(model_admin, request, pk)
    try:
        if contact.send_new_link(enquiry=enquiry, by=request.user):
            messages.success(request, "A new link is being emailed to the patient.")
        else:
            messages.info(request, "A new link is already being emailed.")
    except triage.MoveRefused as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(inbox.back_to(request, enquiry))


def show_words(model_admin, request, pk):
    """Shows what a patient wrote for an hour."""
    enquiry = _to_view(model_admin, request, pk)
    contact.show_words(enquiry=enquiry, by=request.user)
    return HttpResponseRedirect(inbox.back_to(request, enquiry))


def allow_mail(model_admin, request, pk):
    """Only for an owner, when the person asks, because others could be talked into it."""
    if not request.user.has_perm("enquiries.delete_stoppedaddress"):
        raise PermissionDenied
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if erasure.allow_mails(enquiry=enquiry, by=request.user):
        messages.success(request, "Emails to this address are allowed again.")
    else:
        messages.info(request, "Emails to this address were not stopped.")
    return HttpResponseRedirect(inbox.back_to(request, enquiry))


def not_spam(model_admin, request, pk):
    """Releases one that was set aside. A second press says that it is already in the inbox."""
    enquiry = to_change(model_admin, request, pk)
    if enquiry.status not in queues.ASIDE:
        messages.info(request, f"{enquiry.reference} has been released already.")
        return HttpResponseRedirect(f"{reverse(LIST)}?queue=spam")
    queue = enquiry.status
    try:
        released = triage.triage(enquiry=enquiry, by=request.user, to=Status.NEW)
    except triage.MoveRefused as refusal:
        messages.error(request, f"{enquiry.reference}: {refusal}")
    else:
        said = "released: it is in “All open”"
        if released.messages.unsent().filter(purpose=Purpose.ACKNOWLEDGEMENT).exists():
            said += ", and the patient is emailed a reply time, counted from now"
        messages.success(request, f"{enquiry.reference} {said}.")
    return HttpResponseRedirect(f"{reverse(LIST)}?queue={queue}")


# --- their addresses, beside those that Django's admin has ---


def urls(model_admin) -> list:
    only_does = {
        "<uuid:pk>/step/<slug:name>/": ("step", take_step),
        "<uuid:pk>/draft/": ("draft", keep_draft),
        "<uuid:pk>/go/": ("go", go),
        "<uuid:pk>/appointment-outcome/": ("appointment_outcome", appointments.record_outcome),
        "new/same/": ("same_person", new_request.same_person),
        "<uuid:pk>/another/": ("another", typed_is_kept(duplicates.another)),
        "<uuid:pk>/they-agree/": ("they_agree", typed_is_kept(they_agree)),
        "<uuid:pk>/new-link/": ("new_link", typed_is_kept(send_new_link)),
        "<uuid:pk>/words/": ("words", typed_is_kept(show_words)),
        "<uuid:pk>/not-spam/": ("not_spam", not_spam),
        "<uuid:pk>/allow-mail/": ("allow_mail", typed_is_kept(allow_mail)),
    }
    shows = {
        "appointments/": ("appointments", appointments.appointments),
        "appointments/calendar/": ("calendar", appointments.calendar),
        "export/": ("export", export.page),
        "fold/<uuid:flood>/": ("fold", duplicates.settle),
        "new/": ("new", new_request.new_request),
        "pulse/": ("pulse", pulse),
        "<uuid:pk>/pulse/": ("enquiry_pulse", pulse),
        "<uuid:pk>/correct/": ("correct", correct),
        "<uuid:pk>/same-as/": ("same_as", duplicates.same_as),
    }
    wrap, found = model_admin.admin_site.admin_view, []
    for address, (name, view) in only_does.items():
        found.append(path(address, wrap(require_POST(partial(view, model_admin))), name=f"enquiries_enquiry_{name}"))
    for address, (name, view) in shows.items():
        found.append(path(address, wrap(partial(view, model_admin)), name=f"enquiries_enquiry_{name}"))
    return found
