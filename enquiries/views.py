"""The two forms in which people ask for help, each with its pages and its confirmation."""

from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core.private_pages import personal
from enquiries.forms import ConsultationForm, QuestionForm
from enquiries.models import EnquiryKind
from enquiries.request_forms import sent
from enquiries.request_forms.journey import Journey, ask

CONSULTATION = Journey(ConsultationForm, "enquiries/consultation.html")
QUESTION = Journey(QuestionForm, "enquiries/question.html")
may_send = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@may_send
def consultation(request):
    return ask(request, CONSULTATION)


@personal
@may_send
def consultation_page(request, page: str):
    return ask(request, CONSULTATION, page)


@never_cache
@may_send
def question(request):
    return ask(request, QUESTION)


@personal
@may_send
def question_page(request, page: str):
    return ask(request, QUESTION, page)


@personal
@require_safe
def consultation_sent(request, token: str = ""):
    return sent.page(request, EnquiryKind.CONSULTATION, token)


@personal
@require_safe
def question_sent(request, token: str = ""):
    return sent.page(request, EnquiryKind.QUESTION, token)
