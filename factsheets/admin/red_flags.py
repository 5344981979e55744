"""The red flags on the desk: what patients read, the one draft of the whole set, its approval, and the history."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backcare.core.forms import as_number
from backcare.core.readonly_admin import ReadOnlyMixin
from factsheets import approvals, autosave, draft_workflow, safety, safety_drafts, safety_revisions, team
from factsheets.admin.approval import ApproveForm
from factsheets.admin.fields import ClaimRefsField, LinesField
from factsheets.admin.picking import SourcesField
from factsheets.admin.unsaved import Conflict, Typed, conflict_of, sign_of_life
from factsheets.draft_workflow import DraftRefused
from factsheets.models import DraftState, FactSheet, SafetyAdvice, SafetyEdition, Subject, Tier, WordList
from factsheets.search.redflags.lines import LineError, read_line
from factsheets.search.redflags.wording import SMALL

NAME = "admin:factsheets_safetyadvice"
OF_TIERS = {
    Tier.EMERGENCY: "Emergency: 999 or A&E",
    Tier.URGENT: "Urgent: 111 or GP today",
    Tier.ROUTINE: "See a GP",
}


def may_read(user) -> bool:
    return user.has_perm("factsheets.view_safetyadvice")


def may_write(user) -> bool:
    return user.has_perm("factsheets.change_safetydraft")


def may_approve(user) -> bool:
    return user.has_perm("factsheets.add_approval")


def _expect(request, may: Callable) -> None:
    if not may(request.user):
        raise PermissionDenied


def _page(request, template: str, context: dict, status: int = 200):
    base = admin.site.each_context(request) | {"opts": SafetyAdvice._meta, "may_write": may_write(request.user)}
    return render(request, f"admin/factsheets/red_flags/{template}", base | context, status=status)


def _back(code: str = ""):
    return HttpResponseRedirect(reverse(f"{NAME}_changelist") + (f"#{code}" if code else ""))


# --- one flag, in the draft ---

SIGNS_OF_PATTERNS = re.compile(r"[|+&*{}]|\.\.|\(past counts\)|\bunless\b", re.IGNORECASE)
AROUND_WORDS = re.compile(r"[.,;:!?\"“”()]+")


def has_signs(line: str) -> bool:
    """Whether it is more than a phrase of plain words."""
    return bool(SIGNS_OF_PATTERNS.search(line))


class PatternsField(LinesField):
    """Word patterns, one on each line. An error quotes the line as it was typed."""

    def to_python(self, value):
        faults, lines = [], []
        names = set(WordList.objects.values_list("name", flat=True))
        for number, typed in enumerate((value or "").splitlines(), start=1):
            for line in super().to_python(typed):
                try:
                    lines.append(self.read(line, names))
                except LineError as error:
                    faults.append(f"Line {number}, “{line[:80]}”: {error}")
        if faults:
            raise forms.ValidationError(faults)
        return lines

    def read(self, line: str, names: set[str]) -> str:
        read_line(line, names, SMALL)
        return line


class PhrasesField(PatternsField):
    """For plain words only: takes away what is around the words."""

    def read(self, line: str, names: set[str]) -> str:
        if has_signs(line):
            raise LineError(
                "Use words only here, one phrase on each line. If it needs a sign, write it under “For exceptions” below."
            )
        return super().read(" ".join(AROUND_WORDS.sub(" ", line).split()), names)


class FlagForm(forms.ModelForm):
    """One red flag. Saving it changes the draft, but nothing that patients read."""

    sources = SourcesField(required=False)
    claim_refs = ClaimRefsField()
    phrases = PhrasesField(
        label="What people say",
        help_text="What people type when they have this sign: one phrase on each line, in plain words, such as: cannot feel when I "
        "wipe. Small words in between, misspellings and other forms of “cannot” are found too. Without any, search and "
        "the forms cannot recognise it.",
    )
    patterns = PatternsField(
        label="Patterns with signs",
        help_text="One on each line, where plain phrases are not enough.",
    )
    opened = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    conflict: Conflict | None = None

    class Meta:
        model = SafetyAdvice
        fields = [
            "tier",
            "short_text",
            "text",
            "action",
            "on_compact_card",
            "in_assessment",
            "why",
            "sources",
            "claim_refs",
            "phrases",
            "patterns",
        ]
        labels = {
            "short_text": "Short text",
            "text": "Full text",
            "action": "What to do in addition to the tier’s advice",
            "on_compact_card": "Show it on the short emergency card",
            "in_assessment": "Ask it in “Check your symptoms”",
            "why": "What it can mean",
        }
        widgets = {
            "short_text": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "text": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
            "action": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
            "why": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        }
        error_messages = {
            "tier": {"required": "Choose how urgent it is"},
            "short_text": {"required": "Enter the short text, which is used on cards and in search"},
            "text": {"required": "Enter the full text"},
        }
        help_texts = {
            "action": "For example: Call your maternity unit. Leave empty if the tier’s advice is enough.",
            "on_compact_card": "The card at the top of every fact sheet. Emergency signs only.",
            "in_assessment": "Emergency and urgent signs only. It is asked once the draft is published.",
            "why": "The serious problem it can point to. Only staff see this.",
        }

    def __init__(self, *args, flag: dict | None, **kwargs):
        instance = safety_drafts.record_of(flag) if flag else SafetyAdvice()
        initial = {"opened": safety_drafts.fingerprint(flag)}
        if flag:
            initial["sources"] = [key for [key] in flag["sources"]]
            initial["phrases"] = [line for line in flag["patterns"] if not has_signs(line)]
            initial["patterns"] = [line for line in flag["patterns"] if has_signs(line)]
        super().__init__(*args, instance=instance, initial=initial, **kwargs)
        if flag:
            del self.fields["tier"]  # another tier would be another sign: retire this one and add that
        self.before = flag

    def clean(self):
        cleaned = super().clean()
        for name, value in cleaned.items():
            if name in {"short_text", "text", "action", "why"}:
                cleaned[name] = " ".join(value.split())
        tier = self.instance.tier if self.before else cleaned.get("tier")
        if cleaned.get("on_compact_card") and tier not in {Tier.EMERGENCY, "", None}:
            self.add_error("on_compact_card", "Only emergency signs can go on this card. Untick the box.")
        if cleaned.get("in_assessment") and tier == Tier.ROUTINE:
            self.add_error("in_assessment", "Only emergency and urgent signs can be asked. Untick the box.")
        return cleaned

    def values(self) -> dict:
        """As `safety_revisions.snapshot` holds them."""
        values = {name: self.cleaned_data[name] for name in self.fields if name not in {"opened", "phrases"}}
        said = [*self.cleaned_data["phrases"], *self.cleaned_data["patterns"]]
        before = self.before["patterns"] if self.before else []
        values["patterns"] = [line for line in before if line in said] + [line for line in said if line not in before]
        return values | {"sources": sorted([source.key] for source in values["sources"])}


@require_http_methods(["GET", "HEAD", "POST"])
def edit_flag(request, code: str = ""):
    """The form of one flag of the draft, or of the live set where no draft is open; without a code, of a new one."""
    _expect(request, may_write)
    draft = safety_drafts.current()
    content = draft.content if draft else safety_revisions.snapshot()
    flag = safety_drafts.find(content, code)
    posted = request.method == "POST"
    if code and flag is None and not posted:
        raise Http404
    if code and flag is None:
        flag = _last_known(code)  # retired while somebody was writing: the form is shown again, with a sentence
    here = {"sheet": None, "part": f"red-flag-{code or 'new'}", "by": request.user}
    typed = Typed(request, here)
    if (answer := sign_of_life(request, here) or typed.answer()) is not None:
        return answer
    given = request.POST if posted else typed.posted if typed.is_shown else None
    form = FlagForm(given, flag=safety_drafts.whole(flag) if flag else None)
    if posted and form.is_valid():
        try:
            saved = _save_flag(request, code, form)
        except safety_drafts.FlagChanged as changed:
            form.conflict = conflict_of(form, FlagForm(flag=safety_drafts.whole(changed.flag)), changed.who, changed.at)
            form.add_error(None, str(form.conflict))
            form.data = form.data.copy()
            form.data["opened"] = safety_drafts.fingerprint(changed.flag)  # the next save is deliberate
        except DraftRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            typed.saved()
            autosave.leave(**here)
            return _back(saved)
    if posted:
        typed.kept()
    live = safety_drafts.find(safety_revisions.snapshot(), code)
    context = {
        "title": f"Edit “{safety_revisions.heading(flag)}”" if flag else "Add a red flag",
        "form": form,
        "code": code,
        "others": autosave.others(**here) if code else [],
        **typed.context,
        "lines_with_signs": len(form.initial.get("patterns") or []),
        "tier": OF_TIERS[flag["tier"]] if flag else "",
        "draft": draft,
        "in_review": draft and draft.state == DraftState.IN_REVIEW,
        "changes": safety_revisions.changes([live], [flag]) if live and flag else [],
    }
    return _page(request, "flag.html", context, status=422 if posted and form.errors else 200)


def _last_known(code: str) -> dict:
    kept = SafetyEdition.objects.values_list("content", flat=True)
    for content in (safety_revisions.snapshot(), *kept.iterator()):
        if found := safety_drafts.find(content, code):
            return found
    raise Http404


def _save_flag(request, code: str, form: FlagForm) -> str:
    if not code:
        code = safety_drafts.add_flag(values=form.values(), by=request.user)
        messages.success(
            request, f"Added to the draft, as {code}. Patients will see it once a clinician has approved the draft."
        )
        return code
    opened = form.cleaned_data["opened"]
    if safety_drafts.save_flag(code=code, values=form.values(), opened=opened, by=request.user):
        messages.success(request, "Changed in the draft. Patients see the old wording until it is approved.")
    else:
        messages.info(request, "No changes to save.")
    return code


def _do(request, verb: Callable, done: str, code: str = ""):
    try:
        changed = verb()
    except DraftRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if done and changed is not None:
            messages.success(request, done)
    return _back(code)


@require_POST
def shift(request, code: str):
    _expect(request, may_write)
    up = request.POST.get("way") == "up"
    return _do(request, lambda: safety_drafts.shift_flag(code=code, up=up, by=request.user), "", code)


@require_POST
def retire(request, code: str):
    _expect(request, may_write)
    draft = safety_drafts.current()
    flag = (draft and safety_drafts.find(draft.content, code)) or _last_known(code)
    done = f"“{safety_revisions.heading(flag)}” retired in the draft. Patients will see it until the draft is approved."
    return _do(request, lambda: safety_drafts.retire_flag(code=code, by=request.user), done)


# --- the draft as a whole ---


@require_POST
def step(request, name: str):
    """Sends the draft for approval, discards it, brings it up to date (editors), or sends it back (clinicians)."""
    by, note = request.user, request.POST.get("note", "")[:500]
    version = as_number(request.POST.get("version", ""))
    steps = {
        "send": (
            may_write,
            lambda: safety_drafts.send(version=version, note=note, by=by),
            "Sent. A clinician who did not write any of it can now approve it.",
        ),
        "discard": (
            may_write,
            lambda: safety_drafts.discard(version=version, by=by),
            "Draft discarded. What patients see has not changed.",
        ),
        "update": (may_write, lambda: safety_drafts.bring_up_to_date(by=by), "Draft updated."),
        "send-back": (
            may_approve,
            lambda: safety_drafts.send_back(version=version, note=note, by=by),
            "Sent back to the authors.",
        ),
    }
    if name not in steps:
        raise Http404
    may, verb, done = steps[name]
    _expect(request, may)
    try:
        verb()
    except DraftRefused as refusal:
        messages.error(request, str(refusal))
        return overview(request, typed=note)
    messages.success(request, done)
    return _back()


def overview(request, *, typed: str = ""):
    """The page of the red flags. `typed` is a note that could not be sent, to be shown again."""
    _expect(request, may_read)
    draft = safety_drafts.current()
    content = draft.content if draft else safety_revisions.snapshot()
    context = {
        "title": "Red flags",
        "typed": typed,
        "may_approve": may_approve(request.user),
        "draft": draft,
        "standing": approvals.standing(Subject.RED_FLAGS),
        "tiers": _by_tier(content),
        "previews": _previews(),
        "editions": SafetyEdition.objects.count(),
    }
    if draft:
        context |= {
            "in_review": draft.state == DraftState.IN_REVIEW,
            **_effect(draft),
            "problems": safety_drafts.problems(draft.content),
            "behind": safety_drafts.is_behind(draft),
            "events": draft_workflow.steps(draft),
            "sent_back": draft_workflow.sent_back(draft),
            "why_not_approve": safety_drafts.why_not_approve(draft, request.user),
        }
    return _page(request, "overview.html", context)


def _effect(draft) -> dict:
    """What would change for patients, and which sheets a clinician is asked to read again."""
    return {
        "changes": safety_drafts.difference(draft),
        "shown_in": safety_revisions.shown_in(safety_revisions.snapshot(), draft.content),
        "repeating": safety_drafts.repeating(draft),
    }


def _by_tier(content: list[dict]) -> list[dict]:
    silent = [flag["code"] for flag in safety_drafts.gaps(content)]
    return [
        {
            "label": words,
            "flags": [flag | {"is_silent": flag["code"] in silent} for flag in content if flag["tier"] == tier],
        }
        for tier, words in OF_TIERS.items()
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def sign(request):
    """The whole draft as a clinician reads it, and the form that approves and publishes it."""
    _expect(request, may_approve)
    draft = safety_drafts.current()
    if request.method == "POST":
        form = ApproveForm(request.POST)
        if form.is_valid():
            try:
                edition = safety_drafts.approve(digest=form.cleaned_data["digest"], by=request.user)
            except DraftRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"Published: red flags, edition {edition.number}. Patients can see it now.")
                return _back()
    else:
        form = ApproveForm()
    if draft is None:
        for words in form.non_field_errors() if form.is_bound else ["There is no open draft."]:
            messages.error(request, words)
        return _back()
    if form.is_bound:
        # What was typed stays. The next press approves what this page shows.
        form.data = form.data.copy()
    (form.data if form.is_bound else form.initial)["digest"] = safety_drafts.digest_of(draft)
    context = {
        "title": "Approve the red flags",
        "draft": draft,
        "in_review": draft.state == DraftState.IN_REVIEW,
        **_effect(draft),
        "authors": draft_workflow.authors(draft),
        "why_not_approve": safety_drafts.why_not_approve(draft, request.user),
        "previews": _previews(),
        "form": form,
        "signs_as": team.line_of(request.user),
        **safety.for_clinicians(draft.content),
    }
    return _page(request, "sign.html", context, status=422 if form.errors else 200)


# --- preview ---


@dataclass(frozen=True)
class Preview:
    """A page that shows the red flags. `view` renders it for a request, with the context that is given besides."""

    label: str
    view: Callable


previews: dict[str, Preview] = {}  # other apps add their own
SHEET = "about-back-pain"


def _previews() -> list[dict]:
    found = [{"name": name, "label": each.label} for name, each in previews.items()]
    return [{"name": "sheet", "label": "On a fact sheet"}, *found]


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request, name: str):
    """A page that patients read, with the red flags of the draft in it. `?sheet=` names another fact sheet."""
    from factsheets import sheet_views  # it needs the forms of another app, which is loaded after this one

    _expect(request, may_read)
    if request.method == "POST":
        return HttpResponseRedirect(request.get_full_path())  # nothing can be answered in a preview
    draft = safety_drafts.current()
    content = draft.content if draft else safety_revisions.snapshot()
    note = "Staff preview of this page with the draft red flags. Patients cannot see it yet."
    more = {"preview_note": note if draft else "Staff preview. There is no open draft, so this is what patients see."}
    try:
        with safety.shown_as(safety_drafts.records_of(content)):
            if name in previews:
                return previews[name].view(request, more)
            if name != "sheet":
                raise Http404
            published = FactSheet.objects.published().select_related("topic", "reviewed_by")
            chosen = published.filter(slug=request.GET.get("sheet", SHEET)).first() or published.first()
            if chosen is None:
                raise Http404
            return sheet_views.preview(request, chosen, more)
    except safety.SafetyAdviceMissing as missing:
        messages.error(request, f"This draft cannot be previewed. {missing}")
        return _back()


# --- history ---


@require_safe
def editions(request):
    _expect(request, may_read)
    return _page(
        request,
        "history.html",
        {"title": "History of the red flags", "editions": SafetyEdition.objects.defer("content")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edition(request, number: int):
    """What one edition changed; with ?against=now, what changed since. POST begins a draft with its words."""
    _expect(request, may_write if request.method == "POST" else may_read)
    found = get_object_or_404(SafetyEdition, number=number)
    if request.method == "POST":
        done = f"Edition {number} copied to a draft. Patients will see it once a clinician has approved it."
        return _do(request, lambda: safety_drafts.put_back(edition=found, by=request.user), done)
    earlier = SafetyEdition.objects.filter(number__lt=number).first()
    against_now = request.GET.get("against") == "now"
    before = found.content if against_now else earlier.content if earlier else []
    after = safety_revisions.snapshot() if against_now else found.content
    context = {
        "title": f"Red flags, edition {number}",
        "edition": found,
        "against_now": against_now,
        "first": not against_now and earlier is None,
        "changes": safety_revisions.changes(before, after),
        "is_newest": not SafetyEdition.objects.filter(number__gt=number).exists(),
        "tiers": _by_tier([safety_drafts.whole(flag) for flag in found.content]),
    }
    return _page(request, "edition.html", context)


@admin.register(SafetyAdvice)
class SafetyAdviceAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """The live red flags, which cannot be edited: each change goes through the draft and a second person."""

    def get_urls(self):
        def at(route: str, view, name: str):
            return path(route, self.admin_site.admin_view(view), name=f"factsheets_safetyadvice_{name}")

        return [
            at("draft/new/", edit_flag, "new"),
            at("draft/flag/<slug:code>/", edit_flag, "flag"),
            at("draft/flag/<slug:code>/shift/", shift, "shift"),
            at("draft/flag/<slug:code>/retire/", retire, "retire"),
            at("draft/step/<slug:name>/", step, "step"),
            at("draft/approve/", sign, "sign"),
            at("draft/preview/<slug:name>/", preview, "preview"),
            at("editions/", editions, "editions"),
            at("editions/<int:number>/", edition, "edition"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        return overview(request)
