"""A list of every treatment on which the sheets give a verdict, which links can narrow."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from backcare.core.clinic import prices_of
from factsheets.models import Direction, FactSheet, Section, State, Statement
from factsheets.models.evidence import GRADE_MEANINGS
from factsheets.rendering import html
from factsheets.rendering.document import NICE_CHIP, NICE_SAYS_NO, verdict_of
from factsheets.rendering.markdown import parse


@dataclass(frozen=True)
class Choice:
    """A link that narrows the list. `slug` is its part of the address."""

    slug: str
    label: str


# The headings of the list, in this order, with the verdicts under each.
VERDICTS = {
    Choice("helps", "Helps"): [Direction.HELPS, Direction.HELPS_A_LITTLE],
    Choice("may-help", "May help"): [Direction.MAY_HELP],
    Choice("little-or-no-help", "Little or no help"): [Direction.LITTLE_OR_NO],
    Choice("not-clear", "Not clear"): [Direction.UNCLEAR],
    Choice("not-advised", "Not advised"): [Direction.NOT_ADVISED],
}
# For each kind of pain, the start of the conditions that are only about another kind. Back pain of any kind, and conditions that
# editors have added since, are in every list.
PAINS = {
    Choice("recent-pain", "Recent pain"): ("long-term", "chronic", "sciatica", "prevention"),
    Choice("long-term-pain", "Long-term pain"): ("recent", "sciatica", "prevention"),
    Choice("leg-pain", "Pain down the leg"): ("recent", "long-term", "chronic", "non-specific", "prevention"),
}
# A treatment with several verdicts has one row, under a heading of its own, after what helps and may help.
SEVERAL = Choice("it-depends", "It depends")
HEADINGS = [*list(VERDICTS)[:2], SEVERAL, *list(VERDICTS)[2:]]
# Words between a treatment's name and what it is for.
JOINING = {"and", "compared", "for", "in", "of", "on", "or", "to", "with"}
VERDICT_OF = {direction: choice for choice, directions in VERDICTS.items() for direction in directions}


def chosen(slugs: list[str]) -> tuple[Choice | None, Choice | None] | None:
    """The verdict and the pain in an address, in this order and each at most once. None for any other address."""
    verdict = next((each for each in VERDICTS if each.slug in slugs), None)
    pain = next((each for each in PAINS if each.slug in slugs), None)
    named = [each.slug for each in (verdict, pain) if each]
    return (verdict, pain) if named == [each for each in slugs if each] else None


def listed(verdict: Choice | None = None, pain: Choice | None = None) -> list[dict]:
    """The headings that are not empty, each with its rows: one for each treatment, with all its answers for that pain.

    Only what a published sheet shows. With a verdict, the treatments that have it for some pain, and what else is known of them.
    """
    statements = (
        Statement.objects.filter(uses__section__sheet__state=State.PUBLISHED, direction__in=VERDICT_OF)
        .distinct()
        .prefetch_related("sources")
    )
    treatments: dict[str, list[Statement]] = {}
    for statement in statements:
        if not (pain and statement.condition.startswith(PAINS[pain])):
            treatments.setdefault(statement.treatment, []).append(statement)
    places = _places()
    groups: dict[Choice, list[dict]] = {each: [] for each in HEADINGS}
    for found in treatments.values():
        verdicts = {VERDICT_OF[each.direction] for each in found}
        if verdict is None or verdict in verdicts:
            group = verdict or (verdicts.pop() if len(verdicts) == 1 else SEVERAL)
            groups[group].append(_row(found, places))
    return [{"choice": choice, "rows": rows} for choice, rows in groups.items() if rows]


def _places() -> dict[int, list[dict]]:
    """The sheets that show each statement, by its number, each with the address of the section."""
    sheets = {sheet.pk: sheet for sheet in FactSheet.objects.published()}
    places: dict[int, dict[int, dict]] = {}
    sections = Section.objects.filter(sheet__in=sheets, statement_uses__isnull=False).distinct()
    for section in sections.prefetch_related("statement_uses"):
        sheet = sheets[section.sheet_id]
        for use in section.statement_uses.all():
            place = {"title": sheet.title, "url": sheet.place_url(section.slug)}
            places.setdefault(use.statement_id, {}).setdefault(sheet.pk, place)
    return {pk: list(found.values()) for pk, found in places.items()}


def _row(statements: list[Statement], places: dict[int, list[dict]]) -> dict:
    """One treatment. What is true of most of its answers is said once; the others say what differs."""
    cautious_first = sorted(statements, key=lambda each: -list(VERDICT_OF).index(each.direction))
    answers = [_answer(each, places[each.pk]) for each in cautious_first]
    treatment = statements[0].treatment
    name = name_of([each.claim for each in statements]) or treatment.replace("-", " ").capitalize()
    shared = {
        "nice_position": _of_most([each["nice_position"] for each in answers], str.__eq__),
        "burden": _of_most([each["burden"] for each in answers], _says_all_of),
    }
    for answer in answers:
        rest = answer["claim"].removeprefix(name).lstrip(" ,:;")
        answer["subject"] = rest[:1].upper() + rest[1:] or answer["claim"]
        answer["own_nice_position"] = shared["nice_position"] != answer["nice_position"]
        answer["own_burden"] = shared["burden"] is None or not _says_all_of(shared["burden"], answer["burden"])
    chip = chip_of(shared["nice_position"] or "")
    return {
        "name": name,
        "answers": answers,
        "has_several": len(answers) > 1,
        "shared": shared,
        "chip_says_it": bool(chip),
        # A verdict that names NICE already says so.
        "nice_chip": chip if answers[0]["grade"] or len(answers) > 1 else "",
        "prices": [
            line
            for line in prices_of(treatment)
            if treatment == "acupuncture" or treatment.replace("-", " ") in line.lower()
        ],
    }


def name_of(claims: list[str]) -> str:
    """A treatment's name: the words with which all its claims begin, or the claim itself if there is only one. May be empty."""
    if len(claims) == 1:
        return claims[0]
    together = zip(*(each.split() for each in claims), strict=False)
    words = [words[0] for words in takewhile(lambda words: len(set(words)) == 1, together)]
    while words and words[-1].strip(",:;") in JOINING:
        words.pop()
    return " ".join(words).rstrip(",:;")


def _of_most(said: list[str], covers: Callable[[str, str], bool]) -> str | None:
    """The words that more than half of the answers share. None if there are none."""
    most = max(said, key=lambda each: sum(covers(each, other) for other in said))
    return most if 2 * sum(covers(most, other) for other in said) > len(said) else None


def _says_all_of(text: str, other: str) -> bool:
    return text == other or (bool(other) and other in text)


def chip_of(position: str) -> str:
    return NICE_CHIP if position.startswith(NICE_SAYS_NO) else ""


def _answer(statement: Statement, places: list[dict]) -> dict:
    position = statement.nice_position
    return {
        "key": statement.key,
        "claim": statement.claim,
        "grade": statement.grade,
        "grade_words": statement.get_grade_display() if statement.grade else "Guidance, not graded",
        "grade_meaning": GRADE_MEANINGS.get(statement.grade, ""),
        "verdict": verdict_of(statement),
        # Its sources are below it in full, so it needs no numbers.
        "html": html.render(without_citations(parse(statement.detail))),
        "nice_position": position,
        "burden": statement.burden,
        "nice_chip": chip_of(position),
        "sources": [{"text": each.citation, "url": each.address} for each in statement.sources.all()],
        "places": places,
    }


def without_citations(node):
    if isinstance(node, list):
        kept = [without_citations(each) for each in node if not _is_citation(each)]
        return _without_space_at_the_end(kept)
    return {name: without_citations(value) for name, value in node.items()} if isinstance(node, dict) else node


def _is_citation(node) -> bool:
    return isinstance(node, dict) and node.get("type") == "cite"


def _without_space_at_the_end(nodes: list) -> list:
    if nodes and isinstance(nodes[-1], dict) and nodes[-1].get("type") == "text":
        nodes[-1]["text"] = nodes[-1]["text"].rstrip()
    return nodes
