"""The report's form: a sheet by email, and where the browser holds a finished self-assessment, a private link to its answers."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions.intake import Submission
from enquiries.assessment import cookie
from enquiries.assessment.kinds import Answers
from enquiries.forms import ReportForm
from enquiries.models import Enquiry
from enquiries.report import consent, receipt, sent
from enquiries.request_forms.journey import ASKED, Journey, ask

may_send = require_http_methods(["GET", "HEAD", "POST"])


class ReportJourney(Journey):
    """A step less than the forms that ask for help: nothing is looked through, and the sheet goes out at once."""

    is_checked = False
    consent_version = consent.VERSION

    def answers(self, request) -> Answers | None:
        return cookie.may_be_included(request)

    def form(self, data=None, **options) -> ReportForm:
        return super().form(data, choose_sheet=True, **options)

    def lacks(self, walk) -> bool:
        """From the foot of a sheet, which is the same page for every reader, nobody was asked about their answers."""
        return walk.answers_gone or bool(walk.answers and ASKED not in walk.draft.typed)

    def notes(self, walk) -> dict:
        form = walk.form
        return {
            "retention_days": settings.REPORT_RETENTION_DAYS,
            "answers_gone": walk.answers_gone,
            "one_more": walk.first_mistake(every_step=True) is None and self.lacks(walk),
            "wanted": form.cleaned_data.get("sheet"),
        }

    def submission(self, form, **more) -> Submission:
        details = form.details()
        return Submission(
            kind=self.kind,
            details=details,
            sheet=form.cleaned_data["sheet"],
            caught=abuse.TRAP if form.trap_is_filled else "",
            hold=sent.hold(details["email"]),
            **more,
        )

    def accepted(self, request, response: HttpResponse, enquiry: Enquiry, form) -> HttpResponse:
        return receipt.give(response, request, enquiry, form.cleaned_data["email"])


REPORT = ReportJourney(ReportForm, "enquiries/report.html")


@never_cache
@may_send
def report(request):
    return ask(request, REPORT)


@personal
@may_send
def page(request, page: str):
    return ask(request, REPORT, page)
