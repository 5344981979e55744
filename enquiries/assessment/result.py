"""A result as a person reads it: plain data from which both the page and the PDF are made."""

from datetime import date

from django.conf import settings
from django.utils import timezone

from enquiries.assessment import question_approval, result_texts
from enquiries.assessment.evaluate import Result, evaluate
from enquiries.assessment.flags import Flags
from enquiries.assessment.kinds import Answers, Note, Outcome, Part, Question, Rule, Words
from enquiries.assessment.questions import ADULTS_ONLY, MATERNITY, QUESTIONS
from factsheets import safety
from factsheets.approvals import red_flags_version
from factsheets.models import FactSheet, SafetyAdvice

PARTS = {part.name: part for question in QUESTIONS for part in question.parts}


def edition() -> dict[str, str]:
    """Which questions, rules and red flags these are, and who has approved them."""
    return {
        "version": question_approval.version(),
        "red_flags": f"Warning signs: {red_flags_version()}",
        "review": question_approval.in_words(),
    }


def day_in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def shown(answers: Answers, known: Flags, *, on: date | None = None) -> dict:
    """Everything the result says, checked today or `on` another day. Raises Incomplete.

    An emergency has a page of its own and nothing to show here.
    """
    result = evaluate(answers)
    sheets = {sheet.slug: sheet for sheet in FactSheet.objects.published().without_text()}
    said = wording(result)
    return {
        **edition(),
        "checked_on": day_in_words(on or timezone.localdate()),
        "outcome": result.outcome.name.lower(),
        "heading": said.heading,
        "lead": said.lead,
        "signs": [_sign(record) for record in known.asked("urgent") if record.code in result.flags],
        "reasons": [_reason(rule, answers, known) for rule in result.rules],
        "suggest": said.suggestion,
        "duration": result_texts.DURATIONS[result.duration] if result.self_care else "",
        "crisis": list(_if(result.crisis, safety.CRISIS)),
        # Comes before everything else on the page, except an urgent sign.
        "crisis_first": "D13" in result.codes,
        "talking": list(_if("D13" in result.codes, result_texts.TALKING)),
        **_self_care(result, known),
        "notes": [_note(note, answers, known, sheets) for note in result.notes],
        "sheets": [_sheet(sheets[slug]) for slug in result.sheets if slug in sheets],
        "ask": [each.text for each in result_texts.ASK if not each.when or any(answers.meet(one) for one in each.when)],
        "may_ask_us": result.may_ask_us,
    }


def _if(condition: bool, lines: tuple) -> tuple:
    return lines if condition else ()


def wording(result: Result) -> Words:
    """Heading, first sentences and suggestion. For SEE_GP they follow from the reasons: how soon, and whom to tell what."""
    if result.outcome != Outcome.SEE_GP:
        return result_texts.OUTCOMES[result.outcome]
    said = result_texts.UNDER_18 if ADULTS_ONLY in result.codes else result_texts.OUTCOMES[Outcome.SEE_GP]
    lead, suggestion = [said.lead], said.suggestion
    if result.codes & result_texts.SOON_FOR:
        lead.append(result_texts.SOON)
        suggestion = result_texts.SOON_SUGGESTION
    elif not result.codes & result_texts.MAY_BE_TODAY:
        lead.append(result_texts.NOT_TODAY)
    if result.crisis:
        lead.append(result_texts.ABOUT_MOOD)
    return Words(said.heading, " ".join(lead), suggestion)


def emergency(signs: list[SafetyAdvice]) -> dict:
    """The emergency page, for the signs that were ticked. Without any, it is for an emergency whose sign is not known."""
    ticked = {record.code for record in signs}
    tier = safety.tiers()[0]
    others = [item for item in tier["items"] if item["code"] not in ticked]
    maternity_first = ticked == {MATERNITY}
    return {
        "edition": {**edition(), "checked_on": day_in_words(timezone.localdate())},
        "said": result_texts.MATERNITY if maternity_first else result_texts.OUTCOMES[Outcome.EMERGENCY],
        "maternity_first": maternity_first,
        "ticked": [_sign(record) for record in signs],
        # Each sign is on the page once.
        "others": tier | {"items": others, "heading": result_texts.OTHER_SIGNS if ticked else tier["heading"]}
        if others
        else None,
        "may_be_hurt": not ticked or result_texts.HURT_SIGN in ticked,
    }


def _sign(record) -> dict[str, str]:
    return {"code": record.code, "text": record.text, "action": record.action}


def _reason(rule: Rule, answers: Answers, known: Flags) -> dict[str, str]:
    """The answers that one rule rests on, and the words of our list."""
    if rule.outcome == Outcome.SELF_CARE:
        told = " ".join(result_texts.NOTHING_FOUND[: 2 if answers.checked == "same" else 1])
    elif rule.outcome == Outcome.URGENT:
        told = "You have one or more of the signs on our urgent list."
    else:
        told = " ".join(_told(PARTS[name], answers.ticked(name) & rule.when[name]) for name in rule.when)
    listed = known.records.get(rule.shows)
    return {
        "rule": rule.code,
        "told": told,
        "listed_as": result_texts.LISTED[listed.tier] if listed else "",
        "listed": listed.text if listed else "",
        "ask": rule.if_checked if answers.checked == "same" else "",
    }


def _told(part: Part, values: frozenset[str]) -> str:
    return " ".join(option.told for option in part.options if option.value in values)


def _self_care(result: Result, known: Flags) -> dict:
    """Self-care for SELF_CARE, and for SEE_GP until the appointment. Our advice is for adults."""
    if not result.self_care:
        return {"try": [], "avoid": [], "care_intro": "", "gp_if": []}
    alone = result.outcome == Outcome.SELF_CARE
    return {
        "try": list(result_texts.TRY),
        "avoid": list(result_texts.AVOID),
        "care_intro": result_texts.SELF_CARE,
        "gp_if": [
            *_if(result.gp_by_six_weeks, (result_texts.BY_SIX_WEEKS,)),
            *_if(alone, tuple(known.records[code].text for code in result_texts.GP_IF)),
        ],
    }


def _note(note: Note, answers: Answers, known: Flags, sheets: dict[str, FactSheet]) -> dict:
    things = []
    if note.name == "tell":
        things = [option.label for option in PARTS["tell"].options if option.value in answers.ticked("tell")]
    more = sheets.get(note.sheet)
    return {
        "name": note.name,
        "heading": note.heading,
        "lines": list(note.lines),
        "signs": [_sign(known.records[code]) for code in note.signs],
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
    """Every question with its answer, for the page on which people check what they said."""
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


def in_words(question: Question, answers: Answers, known: Flags) -> list[str]:
    """The answers on one page, shown to anyone who answered it differently in two tabs. Empty if there are none yet."""
    found = []
    for part in question.parts:
        given = getattr(answers, part.name)
        if given:
            found += _labels(part, given, known)
    return found


def _labels(part: Part, given, known: Flags) -> list[str]:
    chosen = given if isinstance(given, frozenset) else {given}
    options = known.options(part.flags) if part.flags else [(option.value, option.label) for option in part.options]
    return [label for value, label in options if value in chosen] or [
        "None of these" if part.flags else "Nothing ticked"
    ]
