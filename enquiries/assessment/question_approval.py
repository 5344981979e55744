"""The questions as a clinician approves them, and what /check/ shows until one has.

An approval covers every table in `questions.py` and every word in `result_texts.py`, including anything added later. How they are
applied (`evaluate.py`) is code: anyone who changes it raises VERSION, which ends the approval too.
"""

from functools import wraps

from django.shortcuts import render

from enquiries.assessment import cookie, questions, result_texts
from enquiries.assessment.kinds import ANY, NONE
from factsheets import approvals, safety
from factsheets.models import Subject

# What the page of an approval calls each constant.
TITLES = {
    "questions": {
        "ADULTS_ONLY": "The rule for people under 18, with whom our advice stops",
        "AGE": "Answers about age",
        "ALL_THAT_URGENT_OFFERS": "The only fact sheet offered where help is needed today",
        "ANY": "How a rule writes “any of them is ticked”",
        "ASKED": "Red flags that are asked about",
        "CHECKED": "Answers about whether a clinician has checked it",
        "CRISIS": "Answer that brings the crisis lines",
        "DATED": "Date of the questions",
        "DURATION": "How long it has lasted, as short-term, lingering or long-term",
        "FROM_6_WEEKS": "Answers that mean 6 weeks or more",
        "LASTED": "Answers about how long it has lasted",
        "LIMITS": "Answers about how far it limits daily life",
        "MATERNITY": "The red flag of pregnancy, whose help is the maternity unit",
        "MAX_SHEETS": "Fact sheets offered at most",
        "MOOD": "Answers about mood",
        "NONE": "How “None of these” is stored",
        "NOTES": "Notes: what to know with some answers",
        "QUESTIONS": "The questions",
        "REACH": "Answers about where the pain reaches",
        "REVIEWED_OR_NOT": "Every answer on whether a clinician has checked it",
        "RULES": "The rules",
        "SHEETS": "Fact sheets offered, and when",
        "SHOWN": "Red flags that a rule or note shows",
        "SIGNS": "Hint and error message of the red flags",
        "TELL": "Answers on what a clinician should know",
        "TICK_ALL": "Hint where several answers can be ticked",
        "TRIED": "Answers about what was tried",
        "TRIGGERS": "Answers about what brings it on",
        "UNREVIEWED": "Answers that mean no clinician has checked it as it is now",
        "VERSION": "Version of the questions",
    },
    "result_texts": {
        "ABOUT_MOOD": "What to tell the GP about mood",
        "ANY": "How a condition writes “any of them is ticked”",
        "ASK": "Questions to ask a clinician",
        "AVOID": "Self-care: what to avoid",
        "BY_SIX_WEEKS": "When to see a GP, while it has lasted less than 6 weeks",
        "DURATIONS": "What short-term, lingering and long-term mean",
        "GP_IF": "Red flags under when to see a GP, where the result is self-care",
        "HURT_SIGN": "The red flag that brings the helplines for people who were attacked",
        "LISTED": "Before the words of our list",
        "MATERNITY": "The result where only a sign of pregnancy was ticked",
        "MAY_BE_TODAY": "Rules with which nobody is told that today is not needed",
        "NOTHING_FOUND": "The reason, where no sign was found",
        "NOT_SURE": "The result for “I’m not sure”",
        "NOT_TODAY": "Where today is not needed",
        "OTHER_SIGNS": "Before the signs that were not ticked",
        "OUTCOMES": "The result of each outcome",
        "SELF_CARE": "Self-care: the first sentence",
        "SOON": "Where a GP is needed within days",
        "SOON_FOR": "Rules with which a GP is needed within days",
        "SOON_SUGGESTION": "The same after “So we suggest:”",
        "TALKING": "Help with worry and low mood",
        "TRY": "Self-care: what to try",
        "UNDER_18": "The result for people under 18",
    },
}
# The same for fields of a table whose own names say too little.
FIELDS = {
    "value": "stored as",
    "label": "answer",
    "told": "after “You told us:”",
    "alone": "cannot be ticked with another",
    "flags": "red flags asked",
    "many": "several can be ticked",
    "missing": "error message",
    "when": "if",
    "shows": "red flag shown",
    "if_checked": "also said where a clinician has checked it",
    "with_see_gp": "also where a GP is needed",
    "suggestion": "after “So we suggest:”",
    "under_1": "less than 1 week",
    "1_to_3": "1 week, but less than 3",
    "3_to_6": "3 weeks, but less than 6",
    "6_to_12": "6 to 12 weeks",
    "over_12": "more than 12 weeks",
    **{outcome.name: words.heading for outcome, words in result_texts.OUTCOMES.items()},
}


def content() -> dict:
    """Every constant in the two files that hold clinical content."""
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
    """The same content in reading order: questions, rules, then every word of a result."""
    everything = approvals.plain(content())
    return {
        "questions": questions.QUESTIONS,
        "rules": [
            {"rule": rule, "when": _in_words(rule.when), "outcome": result_texts.OUTCOMES[rule.outcome].heading}
            for rule in questions.RULES
        ],
        "rest": [
            (TITLES[module].get(name, name), _worded(value))
            for module, tables in everything.items()
            for name, value in tables.items()
        ],
    }


def _worded(value):
    if isinstance(value, dict):
        return {FIELDS.get(name, name): _worded(each) for name, each in value.items()}
    return [_worded(each) for each in value] if isinstance(value, list) else value


def _in_words(condition) -> list[str]:
    """A rule's condition, as the questions and answers it names."""
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

    No answers are judged, and the cookie that holds them is deleted.
    """

    @wraps(view)
    def page(request, *args, **kwargs):
        if approvals.check_is_open():
            return view(request, *args, **kwargs)
        context = {"safety_tiers": safety.tiers(), "canonical": "/check/"}
        return cookie.forget(render(request, "assessment/closed.html", context), request)

    return page
