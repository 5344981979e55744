"""The preview of a section while it is typed: as readers will see it, with what would stop it and its readability."""

from dataclasses import dataclass, field

from django.utils.text import Truncator

from factsheets import claims_guard, readability
from factsheets.models import DraftQuestions, FactSheet, Layer, SearchQuestions, Section
from factsheets.readability import Readability
from factsheets.rendering import html
from factsheets.rendering.document import with_section
from factsheets.rendering.markdown import BodyError, in_short, key_points, plain


@dataclass
class Proof:
    problem: str = ""  # why it cannot be shown
    section: dict | None = None  # as in `FactSheet.document`
    heading: str = ""  # its question, or the name of its folded part
    short: str = ""
    points: list[str] = field(default_factory=list)
    findings: list[claims_guard.Finding] = field(default_factory=list)
    reading: Readability | None = None
    layer_words: int = 0
    references: list[dict] = field(default_factory=list)


def of_section(sheet: FactSheet, section: Section) -> Proof:
    """`section` holds what was typed, valid or not, and is not saved."""
    try:
        document, made = with_section(sheet, section)
    except BodyError as error:
        return Proof(problem=str(error))
    chapter = next(each for each in document["chapters"] if made["slug"] in each["sections"])
    name = made["heading"] or chapter["heading"] or made["slug"]
    allowed = set(sheet.overrides.values_list("key", flat=True))
    numbers = {node["number"] for node in _cites(made["blocks"])}
    return Proof(
        section=made,
        heading=chapter["heading"],
        findings=[
            each
            for each in claims_guard.findings(document)
            if each.key not in allowed and (each.section == name or each.section.startswith(f"{name}: "))
        ],
        reading=readability.measure({"sections": [made]}),
        layer_words=readability.open_words(document)
        if made["layer"] == Layer.LEAFLET
        else readability.words_of([each for each in document["sections"] if each["layer"] == made["layer"]]),
        references=[each for each in document["references"] if each["number"] in numbers],
    )


def of_answer(sheet: FactSheet) -> Proof:
    """The first screens: “In short” and the key points, as `sheet` has them typed."""
    try:
        short = in_short(sheet.in_short)
        points = key_points(sheet.key_points)
    except BodyError as error:
        return Proof(problem=str(error))
    answer = {"in_short": {"content": short}, "key_points": [{"content": point} for point in points]}
    words = {name: getattr(sheet, name) for name in ("title", "summary", "audience")}
    allowed = set(sheet.overrides.values_list("key", flat=True))
    return Proof(
        short=html.render_inline(short),
        points=[html.render_inline(point) for point in points],
        findings=[each for each in claims_guard.findings(words | answer) if each.key not in allowed],
        reading=readability.measure(answer),
        layer_words=len(plain(short).split()),
    )


def _cites(node):
    if isinstance(node, list):
        for part in node:
            yield from _cites(part)
    elif node.get("type") == "cite":
        yield node
    else:
        for value in node.values():
            if isinstance(value, list):
                yield from _cites(value)


def asked_at(sheet: FactSheet, section: Section) -> list[str]:
    """What patients ask, in their words, that this section answers; of a draft, what it will answer."""
    if own := DraftQuestions.objects.filter(section=section).first():
        return own.questions
    found = SearchQuestions.objects.filter(place=place_of(sheet, section.slug)).first()
    return found.questions if found else []


def place_of(sheet: FactSheet, anchor: str) -> str:
    """As search names a place. A draft over a published sheet answers at the address of that."""
    public = getattr(sheet, "draft_of", None) or sheet
    return f"{public.slug}#{anchor}"


def goal(layer: str, slug: str) -> str:
    return f"at most {readability.most_open_words(slug):,}" if layer == Layer.LEAFLET else ""


def name_of(section: Section) -> str:
    return Truncator(str(section)).chars(60)
