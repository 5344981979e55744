"""The two forms in which people ask for help, each with its page and its confirmation."""

from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core.private_pages import personal
from enquiries.forms import QuestionForm, WholeConsultationForm
from enquiries.models import EnquiryKind
from enquiries.request_forms import sent
from enquiries.request_forms.steps import Journey, ask

CONSULTATION = Journey(WholeConsultationForm, "enquiries/consultation.html")
QUESTION = Journey(QuestionForm, "enquiries/question.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request):
    return ask(request, CONSULTATION)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request):
    return ask(request, QUESTION)


@personal
@require_safe
def consultation_sent(request, token: str = ""):
    return sent.page(request, EnquiryKind.CONSULTATION, token)


@personal
@require_safe
def question_sent(request, token: str = ""):
    return sent.page(request, EnquiryKind.QUESTION, token)
