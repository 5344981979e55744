"""The owner's pages of what patients read in emails and on confirmation pages: the list, and one text with its preview."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from backcare.core.forms import as_number, plain_text
from enquiries.actions import erasure
from enquiries.clock import dated_words
from enquiries.mail import kept_claims, samples, wordings
from enquiries.mail.replies import HIDDEN
from enquiries.mail.wordings import LABELS, MAX_LENGTH, WORDINGS, Wording
from enquiries.models import WordingEdition
from factsheets import safety, second_reading
from factsheets.admin.unsaved import Conflict, Typed, conflict_of, sign_of_life
from factsheets.revisions import word_difference

ONE = "admin:enquiries_wording"


class WordingForm(forms.Form):
    """Mistakes are explained beside the text, and nothing typed is lost."""

    use_required_attribute = False
    conflict: Conflict | None = None

    def __init__(self, *args, wording: Wording, edition: WordingEdition | None, by: User | None = None, **kwargs):
        """`by` is whoever saves it. None if somebody is only looking."""
        self.wording, self.by = wording, by
        initial = {
            **wordings.parts_of(wording, edition),
            "kept_because": edition.kept_because if edition else "",
            "seen": edition.number if edition else 0,
        }
        super().__init__(*args, initial=initial, **kwargs)
        for part in wording.default:
            rows = 14 if part == "text" else 3
            is_long = part in {"text", "lead"}
            widget = forms.Textarea(attrs={"rows": rows}) if is_long else forms.TextInput()
            self.fields[part] = forms.CharField(
                label=LABELS[part],
                max_length=MAX_LENGTH[part],
                widget=widget,
                error_messages={"required": "Write something, or put the default back."},
            )
        self.fields["kept_because"] = forms.CharField(
            label="Why you keep the wording that the claims guard found (optional)",
            required=False,
            max_length=200,
            help_text="Only if the guard found something and you are sure that it may be said.",
        )
        self.fields["seen"] = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    @property
    def parts(self) -> dict[str, str]:
        return {part: plain_text(self.cleaned_data[part]) for part in self.wording.default}

    def clean(self):
        given = super().clean()
        if self.errors:
            return given
        for part, why in wordings.mistakes(self.wording, self.parts):
            self.add_error(part, why)
        if self.errors or self.parts == self.wording.default:
            return given
        if because := given["kept_because"].strip():
            if self.by and (why := second_reading.refusal(wordings.claims(self.parts), because, self.by)):
                self.add_error("kept_because", why)
            return given
        for each in wordings.claims(self.parts):
            self.add_error(each.section, f"The claims guard found “{each.sentence}” {each.rule}")
        if self.errors:
            self.add_error("kept_because", "Change the wording, or say here why it may stay.")
        return given


@admin.register(WordingEdition)
class WordingAdmin(admin.ModelAdmin):
    """Two pages that replace Django's own: only `wordings.save` writes an edition."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="enquiries_wordingedition_changelist"),
            path("<slug:key>/", view(self.one), name="enquiries_wording"),
            path("kept/<slug:key>/agree/", view(require_POST(self.agree)), name="enquiries_agree"),
        ]

    def agree(self, request, key):
        """A clinician agrees that a sentence which the claims guard stopped may be kept."""
        if not second_reading.is_clinician(request.user):
            raise PermissionDenied
        try:
            with transaction.atomic():  # so that a refusal leaves no row that says the sentence was kept
                row = kept_claims.row_of(key)
                if row is None:
                    raise Http404("No such sentence")
                second_reading.agree(row, request.user)
        except second_reading.CannotAgree as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"You agreed that “{row.sentence}” may be used. {row.actor} can save it now.")
        return HttpResponseRedirect(reverse("admin:index"))

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        self._expect_owner(request)
        editions: dict[str, WordingEdition] = {}
        for edition in WordingEdition.objects.order_by("number"):
            editions[edition.key] = edition
        rows = [_row(each, editions.get(each.key)) for each in WORDINGS.values()]
        context = {
            "title": "Wording of emails and pages",
            "emails": [row for row in rows if not (row["wording"].is_page or row["wording"].to_staff)],
            "to_staff": [row for row in rows if row["wording"].to_staff],
            "pages": [row for row in rows if row["wording"].is_page],
        }
        return self._page(request, "list", context)

    def one(self, request, key):
        self._expect_owner(request)
        wording = WORDINGS.get(key)
        if wording is None:
            raise Http404("No such text")
        edition = wordings.newest(key)
        # With “/aside” no longer than the field: the longest key has 28 characters.
        typed = Typed(request, {"sheet": None, "part": f"words-{key}", "by": request.user})
        if (answer := sign_of_life(request, typed.here) or typed.answer()) is not None:
            return answer
        response = self._pressed(request, wording, edition, typed)
        if response.status_code == 302:
            typed.saved()
        elif set(wording.default) & set(request.POST):
            typed.kept()
        return response

    def _pressed(self, request, wording: Wording, edition: WordingEdition | None, typed: Typed):
        key = wording.key
        do = request.POST.get("do", "") if request.method == "POST" else ""
        if do == "default":
            return self._save(request, wording, wording.default) or self._one(request, wording, edition, typed)
        if do.startswith("back "):
            return self._put_back(request, wording, do) or self._one(request, wording, edition, typed)
        given = request.POST if do else typed.posted if typed.is_shown else None
        saves = request.user if do == "save" else None
        form = WordingForm(given, wording=wording, edition=edition, by=saves)
        if do and form.is_valid():
            if do == "page" and wording.is_page:
                return _shown(request, wording, form.parts)
            if do == "save":
                if done := self._save(request, wording, form.parts, form.cleaned_data["kept_because"], form):
                    return done
                edition = wordings.newest(key)
        return self._one(request, wording, edition, typed, form)

    def _put_back(self, request, wording: Wording, do: str):
        number = do.removeprefix("back ")
        known = WordingEdition.objects.filter(key=wording.key)
        earlier = known.filter(number=as_number(number)).first()
        if earlier is None:
            raise Http404("No such text")
        parts = _whole(wording, earlier)
        if wrong := wordings.mistakes(wording, parts):
            said = " ".join(dict.fromkeys(why for _, why in wrong))
            messages.error(
                request, f"This wording does not fit this version of the software: {said} Nothing was saved."
            )
            return None
        if parts != wording.default and not earlier.kept_because and (found := wordings.claims(parts)):
            said = " ".join(f"“{each.sentence}” {each.rule}" for each in found)
            messages.error(
                request, f"The claims guard found {said} Nothing was saved. Change the text in the form instead."
            )
            return None
        found = wordings.claims(parts) if earlier.kept_because and parts != wording.default else []
        if why := second_reading.refusal(found, earlier.kept_because, request.user):
            messages.error(request, why)
            return None
        return self._save(request, wording, parts, earlier.kept_because)

    def _save(self, request, wording: Wording, parts: dict[str, str], because: str = "", form=None):
        """None if a colleague saved first. `form` then says so, and saves at the next press."""
        seen = as_number(request.POST.get("seen", "")) or 0
        try:
            wordings.save(wording, parts, by=request.user, seen=seen, kept_because=because)
        except wordings.Changed as changed:
            theirs = changed.edition
            if form is None:
                messages.error(
                    request,
                    f"{theirs.actor} changed this text at {dated_words(theirs.at)}, while you had it open. Nothing was saved. "
                    "Their version is in the history below.",
                )
                return None
            opened = WordingForm(wording=wording, edition=theirs)
            form.conflict = conflict_of(form, opened, theirs.actor, theirs.at)
            form.add_error(None, str(form.conflict))
            form.data = form.data.copy()
            form.data["seen"] = theirs.number
            return None
        put_back = parts == wording.default
        messages.success(request, "The default is back." if put_back else "Saved. It is used from now on.")
        return HttpResponseRedirect(reverse(ONE, args=[wording.key]))

    def _one(
        self,
        request,
        wording: Wording,
        edition: WordingEdition | None,
        typed: Typed,
        form: WordingForm | None = None,
    ):
        form = form or WordingForm(wording=wording, edition=edition)
        parts = wordings.parts_of(wording, edition) if not form.is_bound else form.parts if form.is_valid() else None
        context = {
            "title": wording.name,
            "wording": wording,
            "form": form,
            **typed.context,
            "edited": bool(edition and edition.parts),
            "gave_way": bool(edition and edition.parts and wordings.parts_of(wording, edition) is wording.default),
            "found": [] if parts is None else wordings.claims(parts),
            "preview": samples.email(wording.key, parts) if parts and not wording.is_page else None,
            "fixed": "" if wording.is_page else samples.fixed(wording.key),
            "history": [_compared(wording, each, edition) for each in WordingEdition.objects.filter(key=wording.key)],
            "to_default": _difference(wording.default, _whole(wording, edition)),
        }
        return self._page(request, "one", context, status=422 if form.errors and request.method == "POST" else 200)

    def _expect_owner(self, request) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _page(self, request, name: str, context: dict, status: int = 200):
        base = self.admin_site.each_context(request)
        return TemplateResponse(request, f"admin/enquiries/wordings/{name}.html", base | context, status=status)


def _whole(wording: Wording, edition: WordingEdition | None) -> dict[str, str]:
    """Every part of it, as it was saved. The default where nothing or the default was."""
    kept = edition.parts if edition else {}
    return {name: kept.get(name, said) for name, said in wording.default.items()}


def _difference(then: dict[str, str], now: dict[str, str]) -> list[dict]:
    return [
        {"label": LABELS[name], "words": list(word_difference(now[name], said))}
        for name, said in then.items()
        if now[name] != said
    ]


def _compared(wording: Wording, each: WordingEdition, newest: WordingEdition | None) -> dict:
    """What would change if it were put back."""
    return {
        "edition": each,
        "parts": [(LABELS[name], said) for name, said in each.parts.items()],
        "changes": _difference(_whole(wording, each), _whole(wording, newest)),
    }


def _row(wording: Wording, edition: WordingEdition | None) -> dict:
    is_edited = edition is not None and bool(edition.parts)
    return {
        "wording": wording,
        "url": reverse(ONE, args=[wording.key]),
        "state": f"Changed by {edition.actor}, {dated_words(edition.at)}" if is_edited else "Default",
    }


PORTAL = "enquiries/patient_portal/request.html"
# What else a page needs to be shown as after the press of its button.
PAGES = {
    "report_sent": ("enquiries/report_sent.html", {"kind": "report"}),
    "emails_stopped": ("enquiries/stop_mails.html", {"done": True, "months": erasure.STOPPED_MONTHS}),
    "reminder_stopped": ("enquiries/no_reminder.html", {"done": True}),
    "times_changed": (PORTAL, {"done": True, "token": HIDDEN, "may": ["times", "add", "withdraw"]}),
    "detail_added": (PORTAL, {"done": True, "token": HIDDEN, "may": ["times", "add", "withdraw"]}),
    "request_withdrawn": (PORTAL, {"done": True, "token": HIDDEN}),
    "request_erased": ("enquiries/patient_portal/erased.html", {}),
    "report_erased": ("enquiries/summary_deleted.html", {}),
}


def _shown(request, wording: Wording, parts: dict[str, str]):
    """The page itself, in its own tab."""
    sent = ("enquiries/request_forms/sent.html", {"kind": wording.key.removesuffix("_sent")})
    template, more = PAGES.get(wording.key, sent)
    context = {
        "emailed": True,
        "owed": True,
        "known": True,
        "words": samples.page(wording.key, parts),
        "safety_tiers": safety.tiers(),
        "preview_note": "Staff preview, with invented details. Patients cannot see it yet.",
    }
    return render(request, template, context | more)
