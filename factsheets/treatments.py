"""Every treatment the sheets give a verdict on, in one list that a link can narrow."""

from dataclasses import dataclass

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
# For each kind of pain, how the conditions begin that are about another kind only. What is about back pain of any kind, or about a
# condition that an editor has added since, is in every list.
PAINS = {
    Choice("recent-pain", "Recent pain"): ("long-term", "chronic", "sciatica", "prevention"),
    Choice("long-term-pain", "Long-term pain"): ("recent", "sciatica", "prevention"),
    Choice("leg-pain", "Pain down the leg"): ("recent", "long-term", "chronic", "non-specific", "prevention"),
}
VERDICT_OF = {direction: choice for choice, directions in VERDICTS.items() for direction in directions}


def chosen(slugs: list[str]) -> tuple[Choice | None, Choice | None] | None:
    """The verdict and the pain that an address names, in this order and each at most once. None for any other address."""
    verdict = next((each for each in VERDICTS if each.slug in slugs), None)
    pain = next((each for each in PAINS if each.slug in slugs), None)
    named = [each.slug for each in (verdict, pain) if each]
    return (verdict, pain) if named == [each for each in slugs if each] else None


def listed(verdict: Choice | None = None, pain: Choice | None = None) -> list[dict]:
    """The verdicts that have something to show, each with its rows. Only what a published sheet shows."""
    statements = (
        Statement.objects.filter(uses__section__sheet__state=State.PUBLISHED, direction__in=VERDICT_OF)
        .distinct()
        .prefetch_related("sources")
    )
    places = _places()
    groups: dict[Choice, list[dict]] = {each: [] for each in VERDICTS if verdict in {None, each}}
    for statement in statements:
        group = VERDICT_OF[statement.direction]
        if group in groups and not (pain and statement.condition.startswith(PAINS[pain])):
            groups[group].append(_row(statement, places[statement.pk]))
    return [{"choice": choice, "rows": rows} for choice, rows in groups.items() if rows]


def _places() -> dict[int, list[dict]]:
    """For each statement, by its number, the sheets that show it, each with the address of the section."""
    sheets = {sheet.pk: sheet for sheet in FactSheet.objects.published()}
    places: dict[int, dict[int, dict]] = {}
    sections = Section.objects.filter(sheet__in=sheets, statement_uses__isnull=False).distinct()
    for section in sections.prefetch_related("statement_uses"):
        sheet = sheets[section.sheet_id]
        for use in section.statement_uses.all():
            place = {"title": sheet.title, "url": sheet.place_url(section.slug)}
            places.setdefault(use.statement_id, {}).setdefault(sheet.pk, place)
    return {pk: list(found.values()) for pk, found in places.items()}


def _row(statement: Statement, places: list[dict]) -> dict:
    name = statement.treatment
    position = statement.nice_position
    return {
        "key": statement.key,
        "claim": statement.claim,
        "grade": statement.grade,
        "grade_words": statement.get_grade_display() if statement.grade else "Guidance, not graded",
        "grade_meaning": GRADE_MEANINGS.get(statement.grade, ""),
        "verdict": verdict_of(statement),
        # Its sources are below it, each in full, so no numbers are needed.
        "html": html.render(without_citations(parse(statement.detail))),
        "nice_position": position,
        "burden": statement.burden,
        "prices": [line for line in prices_of(name) if name == "acupuncture" or name.replace("-", " ") in line.lower()],
        "nice_chip": NICE_CHIP if position.startswith(NICE_SAYS_NO) else "",
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
