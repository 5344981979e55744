"""From answers to an outcome: one pure function over the tables of `questions.py`. It reads nothing else."""

from dataclasses import dataclass

from enquiries.assessment.kinds import Answers, Duration, Note, Outcome, Rule
from enquiries.assessment.questions import (
    ADULTS_ONLY,
    ALL_THAT_URGENT_OFFERS,
    CRISIS,
    DURATION,
    MAX_SHEETS,
    NOTES,
    QUESTIONS,
    RULES,
    SHEETS,
)

REQUIRED = tuple(part.name for question in QUESTIONS for part in question.parts if part.required)


class Incomplete(Exception):
    """A required question has not been answered yet, so there is no outcome."""


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    rules: tuple[Rule, ...]  # the deciding row first; for SEE_GP every row that matched, in the table's order
    flags: frozenset[str]  # the red flags that were ticked, by code
    sheets: tuple[str, ...]  # slugs, in the order to show
    notes: tuple[Note, ...]
    crisis: bool
    duration: Duration | None  # None only if an emergency ended the questions before this one
    may_ask_us: bool  # the forms may be offered
    may_go_along: bool  # the answers may be sent with a request for a consultation
    self_care: bool  # show self-care advice: adults who need not be seen today
    gp_by_six_weeks: bool  # add "see a GP if no better by 6 weeks"

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the rules that decided it."""
        return frozenset(rule.code for rule in self.rules)


def evaluate(answers: Answers) -> Result:
    """The outcome by the first rule that is true. Raises Incomplete.

    Any emergency sign gives EMERGENCY at once, whatever the other answers.
    """
    matched = [RULES[0]] if answers.meet(RULES[0].when) else _matched(answers)
    outcome = matched[0].outcome
    rules = tuple(rule for rule in matched if rule.outcome == outcome)
    adult = ADULTS_ONLY not in {rule.code for rule in matched}
    may_wait = adult and outcome in (Outcome.SELF_CARE, Outcome.SEE_GP)
    return Result(
        outcome=outcome,
        rules=rules,
        flags=answers.ticked("emergency") | answers.ticked("urgent"),
        sheets=_sheets(answers, outcome),
        notes=_notes(answers, outcome, self_care=may_wait),
        crisis=answers.meet(CRISIS),
        duration=DURATION.get(answers.duration),
        may_ask_us=may_wait,
        may_go_along=may_wait or (adult and outcome == Outcome.URGENT),
        self_care=may_wait,
        gp_by_six_weeks=outcome == Outcome.SELF_CARE and DURATION[answers.duration] == Duration.SHORT,
    )


def _matched(answers: Answers) -> list[Rule]:
    if any(getattr(answers, name) is None for name in REQUIRED):
        raise Incomplete
    return [rule for rule in RULES if answers.meet(rule.when)]


def _notes(answers: Answers, outcome: Outcome, *, self_care: bool) -> tuple[Note, ...]:
    if outcome == Outcome.EMERGENCY:
        return ()
    return tuple(note for note in NOTES if answers.meet(note.when) and (note.always or self_care))


def _sheets(answers: Answers, outcome: Outcome) -> tuple[str, ...]:
    if outcome == Outcome.EMERGENCY:
        return ()
    if outcome == Outcome.URGENT:
        return (ALL_THAT_URGENT_OFFERS,)
    offered = [
        offer.sheet
        for offer in SHEETS
        if offer.always
        or (offer.with_see_gp and outcome == Outcome.SEE_GP)
        or any(answers.meet(condition) for condition in offer.when)
    ]
    return tuple(offered[:MAX_SHEETS])
