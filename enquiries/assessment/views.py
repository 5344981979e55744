"""The pages of the self-assessment. Each answer is a POST that is answered with a redirect; no address holds an answer."""

from dataclasses import replace
from http import HTTPStatus

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core.private_pages import personal
from enquiries.assessment import cookie, printed, result_texts
from enquiries.assessment.flags import Flags, flags
from enquiries.assessment.forms import QuestionForm, graver
from enquiries.assessment.kinds import Answers, Question
from enquiries.assessment.questions import CRISIS, QUESTIONS
from enquiries.assessment.result import edition, emergency, in_words, played_back, shown
from factsheets import safety
from factsheets.models import SafetyAdvice
from factsheets.safety import SafetyAdviceMissing

LAST = len(QUESTIONS)
UNANSWERED = "unanswered"  # in the address of a question that was sent without an answer
may_answer = require_http_methods(["GET", "HEAD", "POST"])


def _go(name: str, *args) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"enquiries:{name}", args=args), status=303)


def _first_open(progress: cookie.Progress) -> int | None:
    """The number of the first question that is not answered, or that was answered with "I'm not sure"."""
    return next(
        (
            asked.number
            for asked in QUESTIONS
            if asked.number == progress.unsure or not progress.answers.answered(asked)
        ),
        None,
    )


def _where_they_were(progress: cookie.Progress) -> str:
    if progress.answers.ticked("emergency"):
        return reverse("enquiries:check_stop")
    open_now = _first_open(progress)
    return reverse("enquiries:check_question", args=[open_now]) if open_now else reverse("enquiries:check_answers")


def _lost(request) -> HttpResponse:
    """There are no answers we can use. We neither guess nor show an error."""
    return cookie.forget(_go("check_lost"), request)


@personal
@require_safe
def start(request):
    progress = cookie.read(request, flags())
    context = {
        "edition": edition(),
        "safety_tiers": safety.tiers(),
        "go_on": _where_they_were(progress) if progress else "",
        "emergency": bool(progress and progress.answers.ticked("emergency")),
    }
    response = render(request, "assessment/start.html", context)
    response["X-Robots-Tag"] = "all"  # the only one of these pages worth finding in a search
    return response


@personal
@may_answer
def question(request, number: int):
    if not 1 <= number <= LAST:
        raise Http404
    known = flags()
    progress = cookie.read(request, known)
    asked = QUESTIONS[number - 1]
    if progress is None and number > 1:
        return _lost(request)
    progress = progress or cookie.Progress(Answers())
    if progress.answers.ticked("emergency") and number > 1:
        return _go("check_stop")
    first_open = _first_open(progress)
    if first_open and number > first_open:
        return _go("check_question", first_open)
    data = request.POST if request.method == "POST" else None
    if data is None and UNANSWERED in request.GET:
        data = {}
    elif data is None and progress.clash and progress.clash.answered(asked):
        return _two_answers(request, asked, progress, known)
    form = _form(asked, progress, known, data)
    if form.is_valid():
        return _answered(request, form, progress, known)
    if request.method == "POST" and not any(part.name in request.POST for part in asked.parts):
        # At an address of its own, so that the back and forward buttons find the page. It needs no cookie.
        return HttpResponseRedirect(f"{request.path}?{UNANSWERED}", status=303)
    wrong = form.errors and request.method == "POST"
    return _asked(request, form, progress, status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK)


def _form(
    asked: Question, progress: cookie.Progress, known: Flags, data=None, *, show: Answers | None = None
) -> QuestionForm:
    address = reverse("enquiries:check_question", args=[asked.number])
    return QuestionForm(data, question=asked, known=known, answers=progress.answers, action=address, show=show)


def preview(number: int):
    """A view for staff: the question as it would be asked, with whatever red flags are shown just now. Nothing is kept."""

    def view(request, more: dict) -> HttpResponse:
        empty = cookie.Progress(Answers())
        form = QuestionForm(
            question=QUESTIONS[number - 1], known=flags(), answers=empty.answers, action=request.get_full_path()
        )
        return _asked(request, form, empty, status=HTTPStatus.OK, **more)

    return view


def _asked(request, form: QuestionForm, progress: cookie.Progress, *, status: int, **more) -> HttpResponse:
    number, answers = form.question.number, progress.answers
    context = {
        "form": form,
        "question": form.question,
        "last": LAST,
        "back": _back(number, complete=_first_open(progress) is None),
        "emergency": bool(answers.ticked("emergency")),
        "urgent": bool(answers.ticked("urgent")) and number > 2,
        "crisis": answers.meet(CRISIS) and number > 10,
        **more,
    }
    return render(request, "assessment/question.html", context, status=status)


def _back(number: int, *, complete: bool) -> str:
    if complete:
        return reverse("enquiries:check_answers")
    return reverse("enquiries:check_question", args=[number - 1]) if number > 1 else reverse("enquiries:check")


def _answered(request, form: QuestionForm, progress: cookie.Progress, known: Flags) -> HttpResponse:
    """Where a page's answers lead. An emergency leads only to the emergency page."""
    asked = form.question
    answers = progress.answers.with_answers(**form.given())
    if answers.ticked("emergency"):
        # The page needs no cookie, so it also works in a browser that refuses them.
        emergency = answers.ticked("emergency") | progress.answers.ticked("emergency")
        stopped = cookie.Progress(answers.with_answers(emergency=emergency))
        return cookie.keep(_go("check_stop"), stopped, known)
    if form.lost_unseen:
        # Asked on the question's own page and not here, so that the browser's back button finds a page.
        return cookie.keep(_go("check_question", asked.number), replace(progress, clash=Answers(**form.given())), known)
    if form.unsure:
        # Signs that were also ticked are kept. "I'm not sure" alone is no answer, so the question is asked again.
        answers = answers if any(answers.ticked(part.name) for part in asked.parts) else answers.without(asked)
        page, doubtful = _go("check_not_sure"), cookie.Progress(answers, unsure=asked.number)
        return cookie.keep(page, doubtful, known) if answers.anything else cookie.forget(page, request)
    unsure = 0 if progress.unsure == asked.number else progress.unsure
    now = cookie.Progress(answers, unsure=unsure)
    complete = _first_open(now) is None
    page = _go("check_answers") if complete else _go("check_question", asked.number + 1)
    return cookie.keep(page, now, known)


def _two_answers(request, asked: Question, progress: cookie.Progress, known: Flags) -> HttpResponse:
    """Another tab has ticked a sign that this page never showed. Both answers are shown, with the signs ticked, to choose from."""
    form = _form(asked, progress, known, show=graver(asked, progress.answers, progress.clash))
    told = {
        "elsewhere": in_words(asked, progress.answers, known),
        "here": in_words(asked, progress.clash, known) or ["I’m not sure"],
    }
    return _asked(request, form, progress, status=HTTPStatus.OK, **told)


@personal
@may_answer
def answers(request):
    """The answers to check. Sending this page finishes the assessment."""
    known = flags()
    progress = cookie.read(request, known)
    if progress is None:
        return _lost(request)
    if progress.answers.ticked("emergency"):
        return _go("check_stop")
    if first_open := _first_open(progress):
        return _go("check_question", first_open)
    if request.method == "POST":
        return cookie.keep(_go("check_result"), cookie.Progress(progress.answers, done=True), known)
    context = {
        "questions": played_back(progress.answers, known),
        "back": reverse("enquiries:check_question", args=[LAST]),
        "urgent": bool(progress.answers.ticked("urgent")),
        "crisis": progress.answers.meet(CRISIS),
    }
    return render(request, "assessment/answers.html", context)


def _finished(request):
    """The answers, with the red flags as they were asked; or else the page to go to."""
    known = flags()
    progress = cookie.read(request, known)
    if progress is None:
        return None, _lost(request)
    if progress.answers.ticked("emergency"):
        return None, _go("check_stop")
    if not progress.done:
        return None, _go("check_answers")
    return (progress.answers, known), None


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
    """The emergency page. Without a cookie it is the same for everyone, so it depends on nothing that could be lost."""
    return render(
        request,
        "assessment/emergency.html",
        {**emergency(_emergency_signs(request)), "safety_tiers": safety.tiers(), "hurt": safety.HURT},
    )


def _emergency_signs(request) -> list[SafetyAdvice]:
    """The signs ticked in this browser. Never fails, because the page shows the whole list in any case."""
    try:
        known = flags()
    except SafetyAdviceMissing:
        return []
    progress = cookie.read(request, known)
    ticked = progress.answers.ticked("emergency") if progress else frozenset()
    return [record for record in known.asked("emergency") if record.code in ticked]


@personal
@require_safe
def not_sure(request):
    progress = cookie.read(request, flags())
    back = _where_they_were(progress) if progress else reverse("enquiries:check_question", args=[1])
    if progress and progress.unsure:
        back = reverse("enquiries:check_question", args=[progress.unsure])
    context = {
        "edition": edition(),
        "said": result_texts.NOT_SURE,
        "safety_tiers": safety.tiers(),
        "kept": progress,
        "back": back,
    }
    return render(request, "assessment/not_sure.html", context)


@personal
@require_safe
def cleared(request):
    return render(request, "assessment/cleared.html")


@personal
@require_safe
def lost(request):
    return render(request, "assessment/lost.html", {"safety_tiers": safety.tiers()})
