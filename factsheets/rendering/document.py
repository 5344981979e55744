"""The sheet as all four outputs need it: parsed, cited, numbered. Built when something of it is saved, kept on the row."""

from factsheets.models import Source
from factsheets.models.evidence import GRADE_MEANINGS
from factsheets.models.section import CHAPTER_KINDS
from factsheets.rendering import html
from factsheets.rendering.glossary_marks import Words
from factsheets.rendering.markdown import BodyError, key_points, numbers_of, parse, parse_body

VERSION = 3
DEFAULT_HEADINGS = {"try": "Try", "avoid": "Avoid"}
FIRST_PAGE = "Overview"


class Citations:
    """Numbers sources in the order in which a reader meets them, and remembers each place for the links back."""

    def __init__(self):
        self.known = set(Source.objects.values_list("key", flat=True))
        self.places: dict[str, list[str]] = {}

    def number(self, key: str) -> int:
        if key not in self.known:
            raise BodyError(f"No source has the key {key}. Add the source, or correct the citation.")
        self.places.setdefault(key, [])
        return list(self.places).index(key) + 1

    def apply(self, node) -> None:
        if isinstance(node, list):
            for part in node:
                self.apply(part)
        elif isinstance(node, dict):
            if node.get("type") == "cite":
                node["number"] = self.number(node["key"])
                places = self.places[node["key"]]
                node["id"] = f"cite-{node['number']}-{len(places) + 1}"
                places.append(node["id"])
            else:
                for value in node.values():
                    if isinstance(value, list | dict):
                        self.apply(value)


def build(sheet) -> dict:
    """The document of a sheet. Raises BodyError with the section's name when a part cannot be shown."""
    citations, words = Citations(), Words()
    try:
        points = key_points(sheet.key_points)
        citations.apply(points)
    except BodyError as error:
        raise BodyError(f"Key points: {error}") from error
    for point in points:
        words.mark_inline(point)
    sections, pages = [], [{"slug": "", "title": sheet.first_page_title or FIRST_PAGE}]
    for section in sheet.sections.select_related("figure").prefetch_related("statement_uses__statement__sources"):
        try:
            # A section that was moved to the front starts no page: the first is there.
            if sections and section.page_title:
                pages.append({"slug": section.slug, "title": section.page_title})
                words.turn_page()
            made = _section(section, citations, words)
            sections.append(made | {"page": section_page} if (section_page := pages[-1]["slug"]) else made)
        except BodyError as error:
            raise BodyError(f"{section}: {error}") from error
    return {
        "version": VERSION,
        # Also where the sheet's own row has them: a sheet whose title changed has changed.
        "title": sheet.title,
        "summary": sheet.summary,
        "audience": sheet.audience,
        "key_points": [{"content": point, "html": html.render_inline(point)} for point in points],
        "sections": sections,
        "words": words.listed(),
        "references": _references(citations, dict(sheet.source_uses.values_list("source__key", "finding"))),
        # Not on a sheet of one page, whose document stays what it was before there were pages.
        **({"pages": pages} if len(pages) > 1 else {}),
    }


def _section(section, citations: Citations, words: Words) -> dict:
    blocks = parse_body(section.kind, section.body)
    citations.apply(blocks)
    words.mark(blocks)
    heading = section.heading or DEFAULT_HEADINGS.get(section.kind, "")
    made = {
        "slug": section.slug,
        "kind": section.kind,
        "view": section.view,
        "aspect": section.aspect,
        "heading": heading,
        "starts_chapter": section.kind in CHAPTER_KINDS and bool(heading),
        "blocks": blocks,
        "html": html.render(blocks, caption=heading if section.kind == "table" else ""),
    }
    if section.figure:
        figure = section.figure
        made["figure"] = {
            "slug": figure.slug,
            "title": figure.title,
            "alt": figure.alt,
            "long_description": figure.long_description,
            "drawing": figure.drawing,
            "picture": {"digest": figure.picture.digest, "widths": figure.picture_widths} if figure.picture else None,
            "credit": figure.credit,
            "width": figure.width,
            "height": figure.height,
        }
    if section.kind == "numbers":
        made["numbers"] = [{**each, "html": html.render_inline(each["content"])} for each in numbers_of(blocks)]
    if section.kind == "evidence":
        made["evidence"] = [_statement(statement, citations, words) for statement in section.evidence]
    return made


def _statement(statement, citations: Citations, words: Words) -> dict:
    blocks = parse(statement.detail)
    citations.apply(blocks)
    words.mark(blocks)
    return {
        "key": statement.key,
        "treatment": statement.treatment,
        "claim": statement.claim,
        "blocks": blocks,
        "html": html.render(blocks),
        "grade": statement.grade,
        "grade_words": statement.get_grade_display() if statement.grade else "Guidance",
        "grade_meaning": GRADE_MEANINGS.get(statement.grade, ""),
        "direction": statement.direction,
        "direction_words": statement.get_direction_display(),
        "nice_position": statement.nice_position,
        "sources": [
            {"number": citations.number(source.key), "year": source.year}
            for source in sorted(statement.sources.all(), key=lambda source: citations.number(source.key))
        ],
    }


def _references(citations: Citations, findings: dict[str, str]) -> list[dict]:
    sources = {source.key: source for source in Source.objects.filter(key__in=citations.places)}
    return [
        {
            "number": number,
            "key": key,
            "text": sources[key].citation,
            "url": sources[key].address,
            "doi": sources[key].doi,
            "year": sources[key].year,
            "finding": findings.get(key, ""),
            "places": places,
        }
        for number, (key, places) in enumerate(citations.places.items(), start=1)
    ]
