from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from enquiries import clock
from enquiries.asking.steps import Journey, ask
from enquiries.forms import QuestionForm, WholeConsultationForm
from factsheets import safety

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


# The confirmations are the same for everybody who opens them now: they hold nothing personal, so nothing in them can leak.


@never_cache
@require_safe
def consultation_sent(request):
    return _sent(request, "enquiries/consultation_sent.html")


@never_cache
@require_safe
def question_sent(request):
    return _sent(request, "enquiries/question_sent.html")


def _sent(request, template: str):
    return render(request, template, {"safety_tiers": safety.tiers(), "when": clock.promise(timezone.now())})
