"""A result as a person reads it: plain data, of which the page and the PDF are both made."""

from datetime import date

from django.conf import settings
from django.utils import timezone

from enquiries.assessment import words
from enquiries.assessment.evaluate import Result, evaluate
from enquiries.assessment.flags import Flags
from enquiries.assessment.kinds import Answers, Note, Outcome, Part, Rule, Words
from enquiries.assessment.questions import ADULTS_ONLY, DATED, QUESTIONS, REVIEWED, VERSION
from factsheets.models import FactSheet

PARTS = {part.name: part for question in QUESTIONS for part in question.parts}


def edition() -> dict[str, str]:
    """Which questions and rules these are, and who has reviewed them."""
    return {
        "version": f"Version {VERSION}, {day_in_words(DATED)}",
        "review": REVIEWED or "Awaiting clinical review",
    }


def day_in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def shown(answers: Answers, known: Flags, *, on: date | None = None) -> dict:
    """Everything the result says, checked today or `on` another day. Raises Incomplete.

    An emergency has a page of its own and nothing to show here.
    """
    result = evaluate(answers)
    sheets = {sheet.slug: sheet for sheet in FactSheet.objects.published().defer("document", "key_points")}
    said = _words(result)
    return {
        **edition(),
        "checked_on": day_in_words(on or timezone.localdate()),
        "outcome": result.outcome.name.lower(),
        "heading": said.heading,
        "lead": said.lead,
        "signs": [_sign(record) for record in known.asked("urgent") if record.code in result.flags],
        "reasons": [_reason(rule, answers, known) for rule in result.rules],
        "suggest": said.suggestion,
        "duration": words.DURATIONS[result.duration],
        "crisis": [
            dict(zip(("when", "what", "number"), line, strict=True)) for line in _if(result.crisis, words.CRISIS)
        ],
        "talking": list(_if(any(rule.code == "D13" for rule in result.rules), words.TALKING)),
        **_self_care(result, known),
        "notes": [_note(note, answers, known, sheets) for note in result.notes],
        "sheets": [_sheet(sheets[slug]) for slug in result.sheets if slug in sheets],
        "ask": [each.text for each in words.ASK if not each.when or any(answers.meet(one) for one in each.when)],
        "may_ask_us": result.may_ask_us,
    }


def _if(condition: bool, lines: tuple) -> tuple:
    return lines if condition else ()


def _words(result: Result) -> Words:
    under_18 = any(rule.code == ADULTS_ONLY for rule in result.rules)
    return words.UNDER_18 if under_18 else words.OUTCOMES[result.outcome]


def _sign(record) -> dict[str, str]:
    return {"code": record.code, "text": record.text, "action": record.action}


def _reason(rule: Rule, answers: Answers, known: Flags) -> dict[str, str]:
    """What the person told us that one rule rests on, and the words of our list."""
    if rule.outcome == Outcome.SELF_CARE:
        told = " ".join(words.NOTHING_FOUND[: 2 if answers.checked == "same" else 1])
    elif rule.outcome == Outcome.URGENT:
        told = "You have one or more of the signs on our urgent list."
    else:
        told = " ".join(_told(PARTS[name], getattr(answers, name)) for name in rule.when)
    listed = known.records[rule.shows].text if rule.shows else ""
    return {"rule": rule.code, "told": told, "listed": listed}


def _told(part: Part, value: str) -> str:
    return next(option.told for option in part.options if option.value == value)


def _self_care(result: Result, known: Flags) -> dict:
    """The self-care of SELF_CARE, and of SEE_GP for the time until then. Our advice is for adults."""
    if not result.may_ask_us:
        return {"try": [], "avoid": [], "care_intro": "", "gp_if": []}
    alone = result.outcome == Outcome.SELF_CARE
    return {
        "try": list(words.TRY),
        "avoid": list(words.AVOID),
        "care_intro": words.SELF_CARE,
        "gp_if": [
            *_if(result.gp_by_six_weeks, (words.BY_SIX_WEEKS,)),
            *_if(alone, tuple(known.records[code].text for code in words.GP_IF)),
        ],
    }


def _note(note: Note, answers: Answers, known: Flags, sheets: dict[str, FactSheet]) -> dict:
    lines, things = list(note.lines), []
    if note.name == "pregnant":
        record = known.records["RF-P1"]
        lines.append(f"Act now if this is true: {record.text} {record.action}.")
    if note.name == "tell":
        things = [option.label for option in PARTS["tell"].options if option.value in answers.ticked("tell")]
    more = sheets.get(note.sheet)
    return {
        "name": note.name,
        "heading": note.heading,
        "lines": lines,
        "things": things,
        "sheet": _sheet(more) if more else None,
    }


def _sheet(sheet: FactSheet) -> dict[str, str]:
    path = sheet.get_absolute_url()
    return {
        "slug": sheet.slug,
        "title": sheet.title,
        "summary": sheet.summary,
        "path": path,
        "address": f"{settings.BASE_URL}{path}",
    }


def played_back(answers: Answers, known: Flags) -> list[dict]:
    """Every question with what was answered, for the page where the person looks them through."""
    return [
        {
            "number": question.number,
            "parts": [
                {"text": part.text, "answers": _labels(part, getattr(answers, part.name), known)}
                for part in question.parts
            ],
        }
        for question in QUESTIONS
    ]


def _labels(part: Part, given, known: Flags) -> list[str]:
    chosen = given if isinstance(given, frozenset) else {given}
    options = known.options(part.flags) if part.flags else [(option.value, option.label) for option in part.options]
    return [label for value, label in options if value in chosen] or [
        "None of these" if part.flags else "Nothing ticked"
    ]
