"""The pages of the self-assessment. Each answer is a POST that is answered with a redirect; no address holds an answer."""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from enquiries.assessment import cookie, printed
from enquiries.assessment.evaluate import evaluate
from enquiries.assessment.flags import flags
from enquiries.assessment.forms import QuestionForm
from enquiries.assessment.kinds import Answers, Outcome
from enquiries.assessment.questions import CRISIS, QUESTIONS
from enquiries.assessment.result import edition, played_back, shown
from enquiries.private import personal
from factsheets import safety

LAST = len(QUESTIONS)
may_answer = require_http_methods(["GET", "HEAD", "POST"])


def _go(name: str, *args) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"enquiries:{name}", args=args), status=303)


def _first_open(answers: Answers) -> int | None:
    """The number of the first question without an answer."""
    return next((question.number for question in QUESTIONS if not answers.answered(question)), None)


def _where_they_were(answers: Answers) -> str:
    open_now = _first_open(answers)
    return reverse("enquiries:check_question", args=[open_now]) if open_now else reverse("enquiries:check_answers")


def _lost(request) -> HttpResponse:
    """There are no answers that we could use. Never a guess, and never an error."""
    return cookie.forget(_go("check_lost"), request)


@personal
@require_safe
def start(request):
    kept = cookie.read(request, flags())
    context = {**edition(), "safety_tiers": safety.tiers(), "go_on": _where_they_were(kept.answers) if kept else ""}
    response = render(request, "assessment/start.html", context)
    response["X-Robots-Tag"] = "all"  # the one page of these that is worth finding
    return response


@personal
@may_answer
def question(request, number: int):
    if not 1 <= number <= LAST:
        raise Http404
    known = flags()
    kept = cookie.read(request, known)
    asked = QUESTIONS[number - 1]
    if kept is None and number > 1:
        return _lost(request)
    answers = kept.answers if kept else Answers()
    first_open = _first_open(answers)
    if first_open and number > first_open:
        return _go("check_question", first_open)
    address = reverse("enquiries:check_question", args=[number])
    data = request.POST if request.method == "POST" else None
    form = QuestionForm(data, question=asked, known=known, answers=answers, action=address)
    if form.is_valid():
        return _answered(request, form, answers, known)
    context = {
        "form": form,
        "question": asked,
        "last": LAST,
        "back": _back(number, complete=first_open is None),
        "urgent": bool(answers.ticked("urgent")) and number > 2,
        "crisis": answers.meet(CRISIS) and number > 10,
    }
    return render(request, "assessment/question.html", context, status=422 if form.errors else 200)


def _back(number: int, *, complete: bool) -> str:
    if complete:
        return reverse("enquiries:check_answers")
    return reverse("enquiries:check_question", args=[number - 1]) if number > 1 else reverse("enquiries:check")


def _answered(request, form: QuestionForm, answers: Answers, known) -> HttpResponse:
    """Where a page's answers lead. An emergency goes nowhere else, and nothing of it is kept."""
    asked = form.question
    answers = answers.with_answers(**form.given())
    if answers.ticked("emergency"):
        # Needs no cookie, so it also works in a browser that refuses them.
        return cookie.forget(_go("check_stop"), request)
    if form.unsure:
        answers = answers.without(asked)
        page = _go("check_not_sure")
        return cookie.keep(page, cookie.Kept(answers), known) if answers.anything else cookie.forget(page, request)
    complete = _first_open(answers) is None
    page = _go("check_answers") if complete else _go("check_question", asked.number + 1)
    return cookie.keep(page, cookie.Kept(answers), known)


@personal
@may_answer
def answers(request):
    """The answers to look through. Sending the page is what finishes the assessment."""
    known = flags()
    kept = cookie.read(request, known)
    if kept is None:
        return _lost(request)
    if first_open := _first_open(kept.answers):
        return _go("check_question", first_open)
    if request.method == "POST":
        return cookie.keep(_go("check_result"), cookie.Kept(kept.answers, done=True), known)
    context = {
        "questions": played_back(kept.answers, known),
        "back": reverse("enquiries:check_question", args=[LAST]),
        "urgent": bool(kept.answers.ticked("urgent")),
        "crisis": kept.answers.meet(CRISIS),
    }
    return render(request, "assessment/answers.html", context)


def _finished(request):
    """The answers and the red flags they were given to, or the page to go to instead."""
    known = flags()
    kept = cookie.read(request, known)
    if kept is None:
        return None, _lost(request)
    if not kept.done:
        return None, _go("check_answers")
    if evaluate(kept.answers).outcome == Outcome.EMERGENCY:
        return None, cookie.forget(_go("check_stop"), request)
    return (kept.answers, known), None


@personal
@require_safe
def result(request):
    found, elsewhere = _finished(request)
    if elsewhere:
        return elsewhere
    return render(request, "assessment/result.html", {"result": shown(*found), "safety_tiers": safety.tiers()})


@personal
@require_safe
def result_pdf(request):
    found, elsewhere = _finished(request)
    if elsewhere:
        return elsewhere
    response = HttpResponse(printed.pdf(shown(*found)), content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="my-back-check.pdf"'
    return response


@personal
@may_answer
def clear(request):
    return cookie.forget(_go("check_cleared"), request) if request.method == "POST" else _go("check")


@personal
@require_safe
def stop(request):
    """The emergency. The same page for everybody, so that it needs nothing that could be lost."""
    return render(request, "assessment/stop.html", {"safety_tiers": safety.tiers()})


@personal
@require_safe
def not_sure(request):
    kept = cookie.read(request, flags())
    back = _where_they_were(kept.answers) if kept else reverse("enquiries:check_question", args=[1])
    context = {"safety_tiers": safety.tiers(), "kept": kept, "back": back}
    return render(request, "assessment/not_sure.html", context)


@personal
@require_safe
def cleared(request):
    return render(request, "assessment/cleared.html")


@personal
@require_safe
def lost(request):
    return render(request, "assessment/lost.html", {"safety_tiers": safety.tiers()})
