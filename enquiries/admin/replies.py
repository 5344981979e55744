"""The step in which staff write to a patient, and the templates that they start from."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.text import capfirst

from backcare.core.forms import as_number
from backcare.core.readonly_admin import ReadOnlyInline
from enquiries.actions import contact
from enquiries.admin.preview import PREVIEW, PreviewAdmin, PreviewForm
from enquiries.admin.step_base import StepForm
from enquiries.clock import dated_words
from enquiries.inbox import safety_lane
from enquiries.mail import emails, replies, samples
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Enquiry, ReplyTemplate, ReplyTemplateEdition
from enquiries.models.wording import MAX_REPLY, MAX_SUBJECT
from factsheets import second_reading, team
from factsheets.admin.unsaved import OpenedAdmin, OpenedForm, fingerprint
from factsheets.revisions import word_difference

# The tier's safety advice, for a person with a warning sign whom nobody can reach. It is the system's, so it is not a template.
SAFETY = "safety"


class ReplyForm(StepForm):
    heading, button = "Reply by email", "Preview"
    subject = forms.CharField(
        label="Subject",
        required=False,
        max_length=MAX_SUBJECT,
    )
    text = forms.CharField(
        label="Your message",
        help_text="We add the emergency advice, our name and phone number.",
        max_length=MAX_REPLY,
        widget=forms.Textarea(attrs={"rows": 4, "aria-describedby": "reply-help"}),
        error_messages={"required": "Write your message"},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["subject"].widget.attrs["placeholder"] = emails.subject_of_reply("")

    def fill_in(self, enquiry: Enquiry) -> bool:
        """Fills in the braces of a valid form. False if something could not be filled in; the form then says what."""
        for name in ("subject", "text"):
            filled = replies.fill(self.cleaned_data[name], enquiry)
            self.cleaned_data[name] = filled.text
            if filled.missing:
                self.add_error(name, [f"{why} Write it yourself or take it out." for why in filled.missing])
        return not self.errors

    def act(self, enquiry, by):
        given = self.cleaned_data
        contact.reply(enquiry=enquiry, by=by, text=given["text"], subject=given["subject"], version=given["version"])
        return "Reply sent."


def starts(enquiry: Enquiry) -> list[dict]:
    """What a reply may start from, filled in: `key`, `name`, `subject`, `text`, `after_missed_calls`."""
    found = [{**each, "key": str(each["pk"])} for each in replies.offered(enquiry)]
    if enquiry.is_flagged:
        text = safety_lane.reply_text(enquiry)
        found.insert(0, {"key": SAFETY, "name": "Safety advice", "text": text})
    return found


def preview(enquiry: Enquiry, form: ReplyForm) -> replies.Preview | None:
    """The email as it will arrive, for the page that asks whether to send it. None if there is nobody to write to."""
    given = form.cleaned_data
    try:
        return replies.preview(enquiry, subject=given["subject"], text=given["text"])
    except (emails.CannotRender, emails.NoLongerNeeded):
        return None


# --- the templates ---


class ReplyTemplateForm(PreviewForm, OpenedForm):
    """Mistakes in braces, and what the claims guard finds, are shown beside the text, which is never lost."""

    by: User  # who saves it, set by the admin for each request

    class Meta:
        model = ReplyTemplate
        fields = ["name", "subject", "text", "after_missed_calls", "in_use", "kept_because"]
        widgets = {
            "subject": forms.TextInput(attrs={"class": "vTextField"}),
            "text": forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField"}),
        }

    def clean(self):
        given = super().clean()
        for name in ("subject", "text"):
            if wrong := replies.mistakes(given.get(name, "")):
                self.add_error(name, [f"{each}." for each in wrong])
        if self.errors:
            return given
        if because := given.get("kept_because", "").strip():
            # Looking alone asks nobody to agree.
            found = [] if PREVIEW in self.data else replies.claims(given["subject"], given["text"])
            if why := second_reading.refusal(found, because, self.by):
                self.add_error("kept_because", why)
        else:
            for each in replies.claims(given["subject"], given["text"]):
                field = "subject" if each.section == "subject" else "text"
                self.add_error(field, f"The claims guard found “{each.sentence}” {each.rule}")
            if self.errors:
                self.add_error("kept_because", "Change the wording, or say here why it may stay.")
        return given


def _lines(words: str) -> str:
    """As browsers send them, lines end in two characters; in what is installed, in one."""
    return "\n".join(words.splitlines())


INSTALLED = "Installed with the site"  # in place of who saved it
PUT_BACK = ("subject", "text", "kept_because")


class EditionInline(ReadOnlyInline):
    model = ReplyTemplateEdition
    verbose_name_plural = "history"
    fields = readonly_fields = ["when", "who", "subject", "text", "kept_because", "back"]

    @admin.display(description="who")
    def who(self, edition):
        return edition.actor

    @admin.display(description="earlier wording")
    def back(self, edition):
        if all(_lines(getattr(edition, name)) == _lines(getattr(edition.template, name)) for name in PUT_BACK):
            return "In use"
        address = reverse("admin:enquiries_replytemplate_back", args=[edition.template_id, edition.pk])
        return format_html('<a href="{}">Compare and put back</a>', address)

    @admin.display(description="when")
    def when(self, edition):
        return dated_words(edition.at)


@admin.register(ReplyTemplate)
class ReplyTemplateAdmin(PreviewAdmin, OpenedAdmin, admin.ModelAdmin):
    form = ReplyTemplateForm
    inlines = [EditionInline]
    list_display = ["name", "subject", "begins", "in_use"]
    list_filter = ["in_use"]
    search_fields = ["name", "subject", "text"]
    readonly_fields = ["filled_in", "added", "preview"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "subject",
                    "text",
                    "added",
                    "filled_in",
                    "after_missed_calls",
                    "in_use",
                    "kept_because",
                ]
            },
        ),
        ("Preview, with invented details", {"fields": ["preview"]}),
    ]

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj or PREVIEW in request.POST else fieldsets[:1]

    def default_words(self, pk):
        """The original text of one that came with the site."""
        first = ReplyTemplateEdition.objects.filter(template=as_number(pk), actor=INSTALLED).last()
        return {"subject": first.subject, "text": first.text} if first else {}

    @admin.display(description="the whole email")
    def preview(self, template):
        is_typed = getattr(template, "previewed", False)
        # The form may hold words that have been refused.
        words = template if is_typed else ReplyTemplate.objects.filter(pk=template.pk).first()
        if words is None:
            return "–"
        shown = samples.reply(words.subject, words.text)
        return format_html(
            '<p id="preview">{}</p><p>{}</p>'
            '<iframe class="letter" sandbox="allow-same-origin" title="The email as most programs show it" '
            'srcdoc="{}"></iframe>'
            '<details><summary>As plain text</summary><pre class="letter">{}</pre></details>',
            *("Not saved yet:" if is_typed else "As last saved:", shown.subject, shown.framed, shown.text),
        )

    @admin.display(description="begins with")
    def begins(self, template):
        return " ".join(template.text.split())[:80]

    @admin.display(description="filled in for each patient")
    def filled_in(self, template):
        lines = format_html_join("", "<dt><code>{}</code></dt><dd>{}</dd>", replies.IN_WORDS.items())
        return mark_safe(f'<dl class="placeholders">{lines}</dl>')  # noqa: S308 - each line was escaped

    @admin.display(description="added by the system")
    def added(self, template):
        around = format_html(
            "<details><summary>The words around yours</summary><pre>{}</pre></details>", samples.fixed("reply")
        )
        fixed = format_html_join("", "<li>{}</li>", ((each,) for each in WORDINGS["reply"].fixed))
        return format_html(
            '<div class="fixed-words"><p>Below your text, always, and not changed here:</p><ul>{}</ul>{}</div>',
            fixed,
            around,
        )

    def get_urls(self):
        address = path(
            "<int:pk>/back/<int:edition>/", self.admin_site.admin_view(self.back), name="enquiries_replytemplate_back"
        )
        return [address, *super().get_urls()]

    def back(self, request, pk: int, edition: int):
        """An earlier wording beside the present one, word by word. POST puts it back."""
        with transaction.atomic():
            rows = ReplyTemplate.objects.select_for_update() if request.method == "POST" else ReplyTemplate.objects
            template = get_object_or_404(rows, pk=pk)
            if not self.has_change_permission(request, template):
                raise PermissionDenied
            earlier = get_object_or_404(template.editions, pk=edition)
            wrong = replies.mistakes(earlier.subject) + replies.mistakes(earlier.text)
            found = replies.claims(earlier.subject, earlier.text)
            if not earlier.kept_because:
                wrong += [f"The claims guard found “{each.sentence}” {each.rule}" for each in found]
            if request.method == "POST" and request.POST.get("opened") != fingerprint(template):
                wrong = ["Someone saved this template while you had this page open. Compare again."]
            if request.method == "POST" and not wrong and earlier.kept_because:
                wrong = list(filter(None, [second_reading.refusal(found, earlier.kept_because, request.user)]))
            if request.method == "POST" and not wrong:
                for name in PUT_BACK:
                    setattr(template, name, getattr(earlier, name))
                template.save()
                self._keep(template, request.user)
                self.log_change(request, template, f"Put back the wording of {dated_words(earlier.at)}.")
                messages.success(request, "The earlier wording is back.")
                return HttpResponseRedirect(reverse("admin:enquiries_replytemplate_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{template.name}, {dated_words(earlier.at)}",
            "template": template,
            "who": f"Saved by {earlier.actor}" if earlier.by_id else capfirst(earlier.actor),
            "wrong": wrong,
            "opened": fingerprint(template),
            "changes": [
                {
                    "field": capfirst(ReplyTemplate._meta.get_field(name).verbose_name),
                    "words": list(word_difference(_lines(getattr(template, name)), _lines(getattr(earlier, name)))),
                }
                for name in PUT_BACK
                if _lines(getattr(template, name)) != _lines(getattr(earlier, name))
            ],
        }
        return TemplateResponse(request, "admin/enquiries/reply_back.html", context, status=409 if wrong else 200)

    def _keep(self, template, by) -> None:
        kept = {name: getattr(template, name) for name in ("name", "subject", "text", "in_use", "kept_because")}
        template.editions.create(**kept, by=by, actor=team.account_name(by))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        own = {"own_history": True, "title": "Reply template", "subtitle": None}
        return super().change_view(request, object_id, form_url, own | (extra_context or {}))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def get_inline_instances(self, request, obj=None):
        return super().get_inline_instances(request, obj) if obj else []

    def has_delete_permission(self, request, obj=None):
        """What the clinic wrote to patients stays on record, so a template is taken out of use instead."""
        return False

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not change or form.changed_data:
            self._keep(obj, request.user)
        if obj.kept_because and (found := replies.claims(obj.subject, obj.text)):
            said = "; ".join(f"“{each.sentence}”" for each in found)
            messages.warning(request, f"Saved with wording that the claims guard found: {said}")
