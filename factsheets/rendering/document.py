"""The sheet as all its outputs need it: parsed, cited, numbered, in its layers. Built when it or a part of it is saved.

Everything that reading needs is final here: the HTML of each part, the order of the sections and the headings they are under,
the numbers of the sources and where each is cited first. A page only joins it.
"""

from factsheets.models import Direction, Question, Source
from factsheets.models.evidence import GRADE_MEANINGS, verdict
from factsheets.models.section import CHAPTER_KINDS, Layer
from factsheets.rendering import html
from factsheets.rendering.citations import Citations
from factsheets.rendering.glossary_marks import Words
from factsheets.rendering.markdown import BodyError, cited_in, in_short, key_points, numbers_of, parse, parse_body

VERSION = 6
DEFAULT_HEADINGS = {"try": "Try", "avoid": "What not to do"}
UNNAMED = "More about this"
# Shown beside a verdict if NICE advises against the treatment.
NICE_SAYS_NO = ("NICE does not recommend", "Do not offer")
NICE_CHIP = "NICE: not recommended"


def build(sheet, sections=None) -> dict:
    """The document of a sheet. Raises BodyError with the section's name if a part cannot be shown.

    `sections` are its own, with their figures, statements and sources, if the caller has read them already.
    """
    citations, words = Citations(), Words()
    try:
        short = in_short(sheet.in_short)
        words.mark_inline(short)
    except BodyError as error:
        raise BodyError(f"In short: {error}") from error
    try:
        points = key_points(sheet.key_points)
    except BodyError as error:
        raise BodyError(f"Key points: {error}") from error
    for point in points:
        words.mark_inline(point)
    if sections is None:
        sections = sheet.sections.select_related("figure").prefetch_related("statement_uses__statement__sources")
    ordered = in_reading_order(sheet, sections)
    made_of, taken = [], {each.slug for each in ordered} | {each.question for each in ordered}
    for section in ordered:
        try:
            made = _section(section, citations, words)
        except BodyError as error:
            raise BodyError(f"{section}: {error}") from error
        # Each address may appear only once on the page.
        made["also"] = [slug for slug in dict.fromkeys(section.former_slugs) if slug not in taken]
        taken.update(made["also"])
        made_of.append(made)
    return {
        "version": VERSION,
        # These are also in the sheet's row, but a sheet whose title has changed must count as changed.
        "title": sheet.title,
        "summary": sheet.summary,
        "audience": sheet.audience,
        "kind": sheet.kind,
        "in_short": {"content": short, "html": html.render_inline(short)},
        "lead_figure": _figure(sheet.lead_figure) if sheet.lead_figure else None,
        "key_points": [{"content": point, "html": html.render_inline(point)} for point in points],
        "sections": made_of,
        "chapters": chapters(made_of),
        "words": words.listed(),
        "references": _references(citations, dict(sheet.source_uses.values_list("source__key", "finding"))),
    }


def with_section(sheet, section) -> tuple[dict, dict]:
    """The sheet's document as it would be with these words in one section, saved or not; and that section.

    The other parts come from the present document, so a preview costs no more than its own section. Raises BodyError.
    """
    known = {each["number"]: each["key"] for each in sheet.document.get("references", [])}
    parts = list(sheet.document.get("sections", []))
    kept = type(section).objects.filter(pk=section.pk).values_list("slug", flat=True).first()
    at = next((number for number, each in enumerate(parts) if each["slug"] == kept), len(parts))
    asked = {question.value: number for number, question in enumerate(sheet.questions, start=1)}
    own = {"slug": section.slug or "new-section", "layer": section.layer, "question": section.question}
    parts[at : at + 1] = [own]
    parts.sort(key=lambda each: (each["layer"] == Layer.MORE, asked.get(each["question"], bool(each["question"]) * 99)))
    citations, words = Citations(), Words()
    for number, part in enumerate(parts):
        if part is own:
            own = parts[number] = _section(section, citations, words) | {"also": [], "slug": own["slug"]}
            continue
        for key in cited_in(part["blocks"]):
            citations.number(key)
        for statement in part.get("evidence", []):
            for source in statement["sources"]:
                citations.number(known[source["number"]])
    made = {"sections": parts, "chapters": chapters(parts), "words": [], "references": _references(citations, {})}
    return sheet.document | made, own


def in_reading_order(sheet, sections) -> list:
    """The leaflet first, in the order of its kind's questions, and then what is folded below.

    In the leaflet, sections without a question come first. Only sheets older than the layers have any.
    """
    asked = {question.value: number for number, question in enumerate(sheet.questions, start=1)}
    asked[""] = 0

    def place(section) -> tuple:
        folded = section.layer == Layer.MORE
        # Goes by the order of all questions, so that even a question of another kind of sheet has its place.
        other = len(asked) + (Question.values.index(section.question) if section.question else 0)
        return folded, 0 if folded else asked.get(section.question, other), section.position, section.pk

    return sorted(sections, key=place)


def chapters(sections: list[dict]) -> list[dict]:
    """The second-level headings, each with the addresses of the sections under it.

    In the leaflet, such a heading is a patient's question; in the folded part, the summary that opens it.
    """
    made: list[dict] = []
    for section in sections:
        last = made[-1] if made else None
        is_next = last is None or last["layer"] != section["layer"]
        if section["question"]:
            if is_next or last["slug"] != section["question"]:
                label = Question(section["question"]).label
                made.append({"slug": section["question"], "heading": label, "layer": section["layer"], "sections": []})
        elif section["starts_chapter"] or is_next:
            # A section without a heading has the address itself.
            heading = section["heading"] if section["starts_chapter"] else ""
            if not heading and section["layer"] == Layer.MORE:
                heading = section["heading"] or UNNAMED
            slug = section["slug"] if section["starts_chapter"] else ""
            made.append({"slug": slug, "heading": heading, "layer": section["layer"], "sections": []})
        made[-1]["sections"].append(section["slug"])
    return made


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
        "layer": section.layer,
        "question": section.question,
        "heading": heading,
        # Its own heading is of the second level, or of the third below a question.
        "starts_chapter": section.kind in CHAPTER_KINDS and bool(heading) and not section.question,
        "blocks": blocks,
        "html": html.render(blocks, caption=heading if section.kind == "table" else ""),
    }
    if section.figure:
        made["figure"] = _figure(section.figure)
    if section.kind == "numbers":
        made["numbers"] = [{**each, "html": html.render_inline(each["content"])} for each in numbers_of(blocks)]
    if section.kind == "evidence":
        made["evidence"] = [_statement(each, section.slug, citations, words) for each in section.evidence]
    return made


def _figure(figure) -> dict:
    return {
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


def verdict_of(statement) -> str:
    """The row's one phrase. NICE's own advice names NICE, so it needs no chip that says so again."""
    found = verdict(statement.direction, statement.grade)
    by_nice = not statement.grade and statement.direction == Direction.NOT_ADVISED and statement.nice_position
    return f"{found} by NICE" if by_nice else found


def _statement(statement, place: str, citations: Citations, words: Words) -> dict:
    blocks = parse(statement.detail)
    citations.apply(blocks)
    words.mark(blocks)
    position = statement.nice_position
    chip = NICE_CHIP if position.startswith(NICE_SAYS_NO) else ""
    # In rows on acupuncture the chip is enough, because the section's own words have the whole sentence once.
    printed = "" if chip and statement.treatment == "acupuncture" else position
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
        "verdict": verdict_of(statement),
        "nice_position": position,
        "burden": statement.burden,
        "nice_chip": chip,
        "nice_printed": printed,
        "sources": [
            {"number": citations.number(source.key, place), "year": source.year}
            for source in sorted(statement.sources.all(), key=lambda source: citations.number(source.key, place))
        ],
    }


def _references(citations: Citations, findings: dict[str, str]) -> list[dict]:
    sources = {source.key: source for source in Source.objects.filter(key__in=citations.first)}
    return [
        {
            "number": number,
            "key": key,
            "text": sources[key].citation,
            "url": sources[key].address,
            "doi": sources[key].doi,
            "year": sources[key].year,
            "finding": findings.get(key, ""),
            "place": place,
        }
        for number, (key, place) in enumerate(citations.first.items(), start=1)
    ]
