from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from backcare.core.forms import as_number
from enquiries import abuse, staff_members
from enquiries.actions import contact, triage
from enquiries.actions.triage import release_held
from enquiries.admin import enquiry_views, export, subject_access
from enquiries.admin.columns import Columns
from enquiries.admin.enquiry_page import render
from enquiries.admin.inbox import (
    FloodFilter,
    PartFilter,
    QueueFilter,
    WorkList,
    chosen_flood,
    found,
    part_in_words,
    reply_clock,
    shown,
    tabs,
)
from enquiries.admin.step_forms import AssignForm, OutcomeForm
from enquiries.inbox import queues
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Outcome, Status
from factsheets import team


def _shown(request, enquiry: Enquiry) -> int | None:
    """The version that the page “Close 3 enquiries?” showed. None if only the list was shown."""
    return as_number(request.POST.get(f"version-{enquiry.pk}", ""))


@admin.register(Enquiry)
class EnquiryAdmin(Columns, admin.ModelAdmin):
    """The inbox: everything patients asked for, most urgent first."""

    list_display = ["reference", "flag", "patient", "asked_for", "best_times", "due", "received", "who"]
    list_display_links = ["reference", "patient"]
    list_filter = [QueueFilter, PartFilter, FloodFilter]
    show_full_result_count = False  # nobody needs to count a million closed enquiries
    list_select_related = ["sheet", "owner", "appointment"]
    list_per_page = 50
    search_fields = ["reference"]
    search_help_text = "Part of a name, address or number, a reference, a day or a fact sheet"
    actions = ["take", "assign", "start", "close", "mark_as_spam", "export_ticked"]
    preserve_filters = False  # an enquiry's page knows its place in the queue

    def changelist_view(self, request, extra_context=None):
        queue = queues.BY_NAME.get(shown(request))
        self.clock = reply_clock(request)  # once for all rows of the page
        in_tabs = tabs(request)
        context = {
            "title": "Inbox",
            "tabs": in_tabs,
            "here": next((tab for tab in in_tabs if tab["here"]), None),
            "made_at": timezone.now().isoformat(),
            "only": part_in_words(request),
            "alarm": abuse.alarm(),
            "may_release": shown(request) == "held" and self.has_change_permission(request),
            "fold": self._fold_to_settle(request),
            "left_behind": staff_members.left_behind()
            if shown(request) == "cover" and request.user.is_superuser
            else [],
            "found": found(request),
            "may_add": self.has_change_permission(request),
            "nothing": queue.empty if queue else "No enquiries yet.",
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def _fold_to_settle(self, request) -> tuple | None:
        """The fold whose list is shown, and how many of its enquiries one step would settle. None if nothing can be settled."""
        flood = chosen_flood(request)
        if flood is None or not self.has_change_permission(request):
            return None
        number = triage.unsettled(flood).count()
        return (flood, number) if number else None

    def get_search_results(self, request, queryset, search_term):
        meant = found(request)
        return (queryset.filter(pk__in=meant.pks) if meant else queryset), False

    def get_urls(self):
        release = path(
            "release-held/",
            self.admin_site.admin_view(require_POST(self.release_held)),
            name="enquiries_enquiry_release_held",
        )
        return [release, *enquiry_views.urls(self), *subject_access.urls(self), *super().get_urls()]

    def get_list_display(self, request):
        """Releases an enquiry that was set aside, with one press in the list."""
        aside = shown(request) in queues.ASIDE and self.has_change_permission(request)
        return [*self.list_display, "release"] if aside else self.list_display

    def get_changelist(self, request, **kwargs):
        return WorkList

    def get_queryset(self, request):
        # Not through super(), which would order by the lane before it is added.
        settled = Prefetch("events", EnquiryEvent.objects.filter(kind=EventKind.SAFETY), to_attr="settled")
        return queues.in_working_order().prefetch_related(settled).defer("sheet__document")

    def get_ordering(self, request):
        return list(queues.WORKING_ORDER)

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    # --- what is done ---

    def release_held(self, request):
        if not self.has_change_permission(request):
            raise PermissionDenied
        released = release_held(by=request.user)
        said = "1 enquiry was" if released == 1 else f"{released} enquiries were"
        messages.success(request, f"{said} released. Each patient will be emailed a reply time, counted from now.")
        return HttpResponseRedirect(f"{reverse('admin:enquiries_enquiry_changelist')}?queue=open")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        enquiry = self.get_object(request, unquote(object_id))
        if enquiry is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, enquiry):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request, enquiry):
                raise PermissionDenied
            return enquiry_views.save(self, request, enquiry)
        contact.view(enquiry=enquiry, by=request.user)
        return render(self, request, enquiry)

    def _each(self, request, queryset, **change):
        done, refused = 0, {}
        for enquiry in queryset:
            try:
                if change.get("to") == enquiry.status:
                    raise triage.MoveRefused(triage.why_not(enquiry, enquiry.status))
                triage.triage(enquiry=enquiry, by=request.user, version=_shown(request, enquiry), **change)
                done += 1
            except (triage.MoveRefused, triage.StaleEnquiry) as refusal:
                refused.setdefault(str(refusal), []).append(enquiry.reference)
        if done:
            messages.success(request, f"{done} changed.")
        for reason, references in refused.items():
            messages.warning(request, f"Not changed: {', '.join(references)}. {reason}")

    @admin.action(description="Assign to me", permissions=["change"])
    def take(self, request, queryset):
        others = queryset.exclude(owner=None).exclude(owner=request.user).select_related("owner")
        taken = [f"{each.reference} from {team.account_name(each.owner)}" for each in others]
        self._each(request, queryset, owner=request.user, change_owner=True)
        if taken:
            messages.warning(request, f"You took over {', '.join(taken)}.")

    @admin.action(description="Assign to a colleague", permissions=["change"])
    def assign(self, request, queryset):
        form = AssignForm(request.POST if "sure" in request.POST else None)
        if form.is_valid():
            return self._each(request, queryset, owner=form.cleaned_data["owner"], change_owner=True)
        return self._ask(request, "Assign", form, [(each, "") for each in queryset])

    @admin.action(description="Move to “in progress”", permissions=["change"])
    def start(self, request, queryset):
        self._each(request, queryset, to=Status.IN_PROGRESS)

    @admin.action(description="Close", permissions=["change"])
    def close(self, request, queryset):
        form = OutcomeForm(request.POST if "sure" in request.POST else None)
        outcome = form.cleaned_data["outcome"] if form.is_valid() else ""
        return self._once_sure(request, queryset, "Close", form, to=Status.CLOSED, outcome=outcome)

    @admin.action(description="Mark as spam", permissions=["change"])
    def mark_as_spam(self, request, queryset):
        return self._once_sure(request, queryset, "Mark as spam:", forms.Form(request.POST), to=Status.SPAM)

    @admin.action(description="Export to a spreadsheet", permissions=["view"])
    def export_ticked(self, request, queryset):
        keys = [str(key) for key in queryset.values_list("pk", flat=True)[: export.MAX_SELECTED + 1]]
        if len(keys) > export.MAX_SELECTED:
            messages.warning(request, "That is too many to export by ticking. Choose a queue or dates instead.")
            return HttpResponseRedirect(reverse("admin:enquiries_enquiry_export"))
        return export.page(self, request, selection=",".join(keys))

    def _once_sure(self, request, queryset, verb: str, form: forms.Form, **change):
        """Moves that one click cannot undo are confirmed on a page that lists the enquiries and asks for what the move needs."""
        if "sure" in request.POST and form.is_valid():
            return self._each(request, queryset, **change)
        # The outcome is chosen on the page, so show only what else is in the way.
        given = {"outcome": Outcome.ANSWERED} if change["to"] == Status.CLOSED else {}
        enquiries = [(each, triage.why_not(each, change["to"], **given)) for each in queryset]
        return self._ask(request, verb, form, enquiries)

    def _ask(self, request, verb: str, form: forms.Form, enquiries: list[tuple[Enquiry, str]]):
        """`enquiries`, each with its obstacle."""
        able = sum(not why for _, why in enquiries)
        what = f"{verb} {able} enquir{'y' if able == 1 else 'ies'}"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{what}?",
            "button": what.replace(":", ""),
            "opts": self.opts,
            "enquiries": [(each, _shown(request, each) or each.version, why) for each, why in enquiries],
            "able": able,
            "form": form,
            "action": request.POST["action"],
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/enquiries/enquiry/sure.html", context, status=status)
