"""The questions as a clinician approves them, and what /check/ is while nobody has.

An approval covers every table of `questions.py` and every word of `result_texts.py`, whatever is added there. How they are applied
(`evaluate.py`) is code: anyone who changes it raises VERSION, which ends the approval too.
"""

from functools import wraps

from django.shortcuts import render

from enquiries.assessment import cookie, questions, result_texts
from enquiries.assessment.kinds import ANY, NONE
from factsheets import approvals, safety
from factsheets.models import Subject


def content() -> dict:
    """Every constant of the two files that hold clinical content."""
    return {
        module.__name__.rpartition(".")[2]: {
            name: getattr(module, name) for name in sorted(vars(module)) if name.isupper()
        }
        for module in (questions, result_texts)
    }


def version() -> str:
    return f"Version {questions.VERSION}, {questions.DATED.day} {questions.DATED:%B %Y}"


def in_words() -> str:
    """Who approved the questions and the red flags, for patients."""
    asked, signs = (approvals.standing(subject) for subject in (Subject.QUESTIONS, Subject.RED_FLAGS))
    if not asked.approval or not signs.approval:
        return "Awaiting clinical review"
    if asked.who_and_when == signs.who_and_when:
        return f"Approved by {asked.who_and_when}"
    return f"Questions approved by {asked.who_and_when}. Warning signs approved by {signs.who_and_when}"


def for_clinicians() -> dict:
    """The same content in the order in which one reads it: questions, rules, and then every word of a result."""
    everything = approvals.plain(content())
    return {
        "questions": questions.QUESTIONS,
        "rules": [{"rule": rule, "when": _in_words(rule.when)} for rule in questions.RULES],
        "rest": [
            (name.replace("_", " ").capitalize(), value)
            for tables in everything.values()
            for name, value in tables.items()
        ],
    }


def _in_words(condition) -> list[str]:
    """A rule's condition as the questions and answers that it names."""
    parts = {part.name: part for question in questions.QUESTIONS for part in question.parts}
    found = []
    for name, values in condition.items():
        part = parts[name]
        labels = {option.value: option.label for option in part.options} | {NONE: "None of these"}
        said = "any of them" if values is ANY else " / ".join(labels[value] for value in _in_order(part, values))
        found.append(f"{part.text} {said}")
    return found


def _in_order(part, values) -> list[str]:
    order = [option.value for option in part.options]
    return sorted(values, key=lambda value: order.index(value) if value in order else len(order))


approvals.register(
    Subject.QUESTIONS,
    approvals.Approvable(content, version, "admin/factsheets/approval/questions.html", for_clinicians),
)


def only_when_approved(view):
    """While the self-assessment is not approved, every address of it says so, and what to do instead.

    Nothing that was answered is judged, and the cookie with the answers is taken back.
    """

    @wraps(view)
    def page(request, *args, **kwargs):
        if approvals.check_is_open():
            return view(request, *args, **kwargs)
        context = {"safety_tiers": safety.tiers(), "canonical": "/check/"}
        return cookie.forget(render(request, "assessment/closed.html", context), request)

    return page
