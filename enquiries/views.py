"""The three patient forms, each with its pages and confirmation, and the two privacy pages."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core import clinic
from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions.intake import Submission
from enquiries.actions.outbox import SUMMARY_DAYS
from enquiries.assessment import cookie, handover
from enquiries.assessment.kinds import Answers
from enquiries.models import Enquiry, EnquiryKind
from enquiries.privacy import register
from enquiries.report import sent
from enquiries.request_forms.consultation import ConsultationForm
from enquiries.request_forms.forms import QuestionForm, ReportForm
from enquiries.request_forms.journey import ASKED, Journey, ask, sent_page
from factsheets import safety
from factsheets.page_cache import cached_page, shared

View = Callable[..., HttpResponse]


def pages_of(journey: Journey) -> tuple[View, View]:
    """The views of a form's own address, where everyone starts, and of its later pages, which show what somebody typed."""
    may_send = require_http_methods(["GET", "HEAD", "POST"])

    def later(request: HttpRequest, page: str) -> HttpResponse:
        return ask(request, journey, page)

    return never_cache(may_send(partial(ask, journey=journey))), personal(may_send(later))


def confirmation_of(kind: EnquiryKind) -> View:
    return personal(require_safe(partial(sent_page, kind=kind)))


consultation, consultation_page = pages_of(Journey(ConsultationForm, "enquiries/consultation.html"))
question, question_page = pages_of(Journey(QuestionForm, "enquiries/question.html"))
consultation_sent = confirmation_of(EnquiryKind.CONSULTATION)
question_sent = confirmation_of(EnquiryKind.QUESTION)

# The report: a sheet by email and, if the browser holds a finished self-assessment, a private link to its answers.


class ReportJourney(Journey):
    """One step shorter than the forms that ask for help: without a check page, the sheet is sent at once."""

    is_checked = False
    consent_version = handover.REPORT_CONSENT

    def answers(self, request) -> Answers | None:
        return cookie.may_be_included(request)

    def form(self, data=None, **options) -> ReportForm:
        return super().form(data, choose_sheet=True, **options)

    def when(self) -> str:
        return ""

    def lacks(self, walk) -> bool:
        """A form at the foot of a sheet did not ask about answers, because that page is the same for every reader."""
        return walk.answers_gone or bool(walk.answers and ASKED not in walk.state.typed)

    def notes(self, walk) -> dict:
        form = walk.form
        return {
            "retention_days": clinic.details()["report_retention_days"],
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
        return sent.give_receipt(response, request, enquiry, form.cleaned_data["email"])


report, report_page = pages_of(ReportJourney(ReportForm, "enquiries/sheet_by_email.html"))


# What we do with readers' and patients' data: the privacy page and the list of what we hold.


@cached_page
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    context = {
        "safety_tiers": safety.tiers(),
        "retention_days": clinic.details()["report_retention_days"],
        "summary_days": SUMMARY_DAYS,
        "periods": register.periods(),
    }
    return shared(render(request, "pages/privacy.html", context))


@cached_page
@require_safe
def what_we_hold(request: HttpRequest) -> HttpResponse:
    """Made from the register of personal data and the settings in force, so that it cannot say anything else."""
    parts = [
        (table, register.in_words(table)) for people in ("patients", "readers") for table in register.about(people)
    ]
    context = {"parts": parts, "staff": register.about("staff"), "safety_tiers": safety.tiers()}
    return shared(render(request, "pages/what_we_hold.html", context))
