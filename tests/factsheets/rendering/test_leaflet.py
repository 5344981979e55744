"""Every published sheet as a leaflet: two sides for a clinic's counter, whole, safety first, and readable by a screen reader."""

import io
import re

import pytest
from pypdf import PdfReader

from backcare.core import clinic
from factsheets import actions
from factsheets.models import FactSheet, Layer, Question, Section, Statement
from factsheets.models.evidence import verdict
from factsheets.pdf import with_row_headers
from factsheets.safety import HEADINGS, compact, tiers
from tests.factsheets.rendering.test_access_large_print import letters_by_size
from tests.factsheets.rendering.test_outputs_pdf import alternatives, nodes, tags
from tests.support.reading import SLUGS, links, packed, page

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]
ATTACHED = 150_000  # bytes: what a mailed report may attach
PROTECTING = {"safety", "see_doctor"}  # aspects of a section
# A number to ring, or when to stop.
PROTECTS = re.compile(r"\b(999|111|116 123|0[0-9]{3} )|\bstop (if|when)\b|, stop\b", re.IGNORECASE)
FOOT = re.compile(r"Side (\d) of (\d)\s*\Z")
EDGE = re.compile(rf"(?:[^\n]*·\s*)?(?:Awaiting clinical review\s*)?{FOOT.pattern}")
ADDRESS = re.compile(
    r"\([a-z.-]+\.(?:uk|org)\)|,[a-z.-]+\.(?:uk|org)(?=\))"
)  # of another site, which paper says after the words of a link


def read(client, slug: str, size: str = "") -> tuple[PdfReader, list[str], int]:
    """The leaflet, the words of each side, and its weight."""
    answer = client.get(f"/fact-sheets/{slug}/pdf/{size}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    reader = PdfReader(io.BytesIO(answer.content), strict=True)
    return reader, [each.extract_text() for each in reader.pages], len(answer.content)


def expect_in_order(wanted: list[str], said: str) -> None:
    at = 0
    for words in wanted:
        assert packed(words) in said[at:], words
        at = said.index(packed(words), at) + len(packed(words))


def lines_of(section: Section) -> list[str]:
    """What an author wrote, a paragraph, an item or a cell each, without the marks and what only a screen can open."""
    body = re.sub(r"(?<=[.!?]) \[[^]]*\]\([^)]*\)(?= *(\[@|$|\|))", "", section.body, flags=re.MULTILINE)
    body = re.sub(r"\[@[^]]*\]|[*_]", "", re.sub(r"\[([^]@]*)\]\([^)]*\)", r"\1", body))
    lines = [re.sub(r"^(- |\d+\. )", "", line.strip()) for line in body.splitlines()]
    if section.kind == "table":
        lines = [cell for line in lines[2:] for cell in line.strip("|").split("|")]
    if section.kind == "numbers":
        lines = [line.partition(":")[2] for line in lines]
    return [line.strip() for line in lines if line.strip()]


def expect_what_protects(sheet: FactSheet, shown: str, left_out: str) -> None:
    """No safety text is left out, and every omitted part is named in the list of what is left out."""
    protecting, shown = 0, bare(shown)
    for section in Section.objects.filter(sheet=sheet, layer=Layer.LEAFLET):
        lines = lines_of(section)
        for line in lines:
            if section.aspect in PROTECTING or section.kind in {"callout", "avoid"} or PROTECTS.search(line):
                assert bare(line) in shown, f"{section}: “{line}” protects, so no paper leaves it out."
                protecting += 1
        if section.heading and bare(section.heading) not in shown:
            assert section.kind not in {"callout", "avoid", "evidence"}, section
            assert packed(f"“{section.heading}”") in left_out
    assert protecting > 5, "This test must have found what protects to prove anything."
    for statement in Statement.objects.filter(uses__section__in=sheet.sections.filter(layer=Layer.LEAFLET)):
        assert bare(statement.claim) in shown, statement.key


def bare(words: str) -> str:
    """Without hyphens, since a narrow column breaks words, and without addresses after links."""
    return ADDRESS.sub("", packed(words)).replace("-", "").replace("\xad", "")


def questions(sheet: FactSheet) -> list[str]:
    answered = set(sheet.sections.values_list("question", flat=True)) - {""}
    return [question.label for question in sheet.questions if question in answered]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_leaflet_has_two_sides_with_the_answer_the_emergency_and_every_question(client, settings, slug):
    sheet = FactSheet.objects.get(slug=slug)
    reader, sides, weight = read(client, slug)
    assert [FOOT.search(side).groups() for side in sides] == [("1", "2"), ("2", "2")]
    assert weight <= ATTACHED
    said, first = packed("".join(sides)), packed(sides[0])
    short = "".join(re.sub(r"\[(.*?)\]\(.*?\)|[*_]", r"\1", sheet.in_short).split())
    signs = [HEADINGS["emergency"], *compact(tiers())]
    assert first.index(packed(sheet.title)) < first.index(short) < first.index(packed(signs[0]))
    for sign in signs:
        assert packed(sign) in first
    expect_in_order(questions(sheet), said)
    sections = sheet.sections.filter(layer=Layer.LEAFLET)
    left_out = said.partition(packed("More on the page"))[2].partition(packed("numbers and sources"))[0]
    expect_what_protects(sheet, packed("".join(EDGE.sub("", side) for side in sides)).replace(left_out, ""), left_out)
    for statement in Statement.objects.filter(uses__section__in=sections):
        start = said.index(packed(statement.claim)) if packed(statement.claim) in said else 0
        found = verdict(statement.direction, statement.grade)
        assert packed(found) in said[start:], statement.key
    assert first.index(packed("Key points")) < first.index(packed(signs[0]))
    assert packed(sheet.audience) in first, "For whom it is, and what it covers."
    for words in (
        clinic.details()["name"],
        clinic.details()["phone"],
        "Last changed",
        "Sources: on the page",
        sheet.get_absolute_url()[1:-1],
    ):
        assert packed(words) in said
    if sheet.treatment_offered:
        assert packed(clinic.details()["interest_statement"]) in said
    for title in sections.filter(figure__slug__startswith="exercise-").values_list("figure__title", flat=True):
        assert packed(title) in said, "Without its drawing too, an exercise is told in words."
    if sections.filter(figure__slug="my-week").exists():
        assert packed("Minutes I walked") in said, "The page says: print it."
    for body in sections.filter(aspect__in=PROTECTING).values_list("body", flat=True):
        for words in re.findall(r"\[([^]]+)\]\(#[^)]*\) \w", body):
            assert packed(words) in said, "A link that begins a sentence is a part of it."
    assert "(/" not in said, "A path in brackets breaks its sentence."
    assert "[1]" not in said, "A leaflet has no list of sources, so no numbers of them."
    sizes = letters_by_size(reader)
    assert max(sizes, key=sizes.get) == 12.0, (
        "A leaflet on a counter is read by old people: it may hold less, and not smaller."
    )
    assert min(sizes) >= 7.9, "A drawing's labels too."


@pytest.mark.parametrize("slug", SLUGS)
def test_a_leaflet_is_tagged_and_each_row_of_its_tables_is_named_by_its_first_cell(client, slug):
    reader, _, _ = read(client, slug)
    root = reader.trailer["/Root"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data(), "The maker checked it as PDF/UA-1."
    assert root["/Lang"] == "en-GB"
    found = tags(root["/StructTreeRoot"])
    assert found.index("/H1") < found.index("/H2")
    assert any(alt.startswith("QR code") for alt in alternatives(root["/StructTreeRoot"]))
    rows = [body for body in nodes(root["/StructTreeRoot"]) if body["/S"] == "/TBody"]
    assert bool(rows) == ("/Table" in found)
    for row in (row for body in rows for row in nodes(body) if row["/S"] == "/TR"):
        name, *others = [cell for cell in nodes(row) if cell["/S"] in {"/TH", "/TD"}]
        scopes = [each.get("/Scope") for each in name["/A"]]
        assert (name["/S"], "/Row" in scopes) == ("/TH", True)
        assert {other["/S"] for other in others} <= {"/TD"}


@pytest.mark.parametrize("slug", SLUGS)
def test_in_large_print_a_leaflet_is_in_eighteen_point_and_says_what_it_leaves_out(client, slug):
    sheet = FactSheet.objects.get(slug=slug)
    reader, sides, _ = read(client, slug, "large/")
    assert len(sides) <= 4
    sizes = letters_by_size(reader)
    assert max(sizes, key=sizes.get) == 18.0, sizes
    assert min(sizes) >= 13.9, f"A drawing's labels too: {sizes}"
    # A list that goes on overleaf has the foot of a side in the middle of a heading.
    said = packed("".join(EDGE.sub("", side) for side in sides))
    for sign in [HEADINGS["emergency"], *compact(tiers())]:
        assert packed(sign) in packed(sides[0])
    expect_in_order(questions(sheet), said)
    left_out = said.partition(packed("Left out here"))[2].partition(packed("It is all on the page"))[0]
    assert slug != "acupuncture-for-back-pain" or packed("What we charge") in said
    shown = said.replace(left_out, "")
    drawn = sheet.sections.filter(layer=Layer.LEAFLET, figure__slug__startswith="exercise-", heading="")
    for title in drawn.values_list("figure__title", flat=True):
        assert packed(title) in said or packed("Two gentle exercises") in left_out, "The words of an exercise stay."
    assert ("Key points" in "".join(sides)) != (packed("the key points") in left_out)
    for table in sheet.sections.filter(layer=Layer.LEAFLET, kind="table"):
        head = re.search(r"^\|(.*)\|$", table.body, re.MULTILINE)[1].split("|")
        if table.heading and packed(f"“{table.heading}”") not in left_out:
            at = shown.index(packed(table.heading))
            assert all(packed(cell) in shown[at:] for cell in head), (
                "A table as a list still says what its columns are."
            )
    expect_what_protects(sheet, shown, left_out)


def test_a_sheet_of_too_many_words_that_protect_takes_more_sides_and_loses_none(client, sheet):
    question = next(question for question in sheet.questions if question == Question.SHOULD_I_WORRY)
    for number in range(12):
        body = f"Marked words {number}. " + "These words take room on paper. " * 50
        Section.objects.create(
            sheet=sheet,
            slug=f"more-{number}",
            position=900,
            layer=Layer.LEAFLET,
            question=question,
            body=body,
            aspect="safety",
        )
    actions.refresh(sheet=sheet)
    _, sides, _ = read(client, sheet.slug)
    assert len(sides) > 2
    said = packed("".join(sides))
    assert [number for number in range(12) if f"Markedwords{number}." not in said] == []


def test_the_whole_sheet_and_large_print_are_offered_beside_the_leaflet(client, sheet):
    offered = links(page(client, sheet.get_absolute_url()))
    first = offered.index(f"{sheet.get_absolute_url()}pdf/large/") - 1  # a figure to write in offers the leaflet too
    assert offered[first : first + 3] == [f"{sheet.get_absolute_url()}pdf/{each}" for each in ("", "large/", "full/")]


def test_a_file_without_tables_stays_as_it_is_and_one_of_another_make_is_refused():
    assert with_row_headers(b"%PDF-1.7 no table") == b"%PDF-1.7 no table"
    row = (
        b"\n2 0 obj\n<</Type/StructElem/S/TBody/K[3 0 R]>>\nendobj\n3 0 obj\n<</Type/StructElem/S/TR/P 2 0 R/K[4 0 R]>>"
    )
    with pytest.raises(ValueError, match="list of offsets"):
        with_row_headers(row)
