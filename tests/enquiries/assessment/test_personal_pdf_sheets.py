"""The personal report as a whole: the sheets behind the summary, tagged, and silent about the person from outside."""

import re
from functools import cache
from itertools import pairwise

import pytest
from pypdf import PdfReader

from factsheets.models import FactSheet
from factsheets.safety import HEADINGS
from tests.factsheets.rendering.test_outputs_pdf import nodes, tags
from tests.support.personal_pdf import GP, NAME, ORDINARY, USUAL, made, read, words
from tests.support.reading import packed

pytestmark = pytest.mark.usefixtures("db")
# Short sheets: taking the words out of a page takes long.
SHEETS = ("manual-therapy-for-back-pain", "stress-and-back-pain")


@cache
def report() -> tuple[PdfReader, list[str]]:
    """One report with two sheets, as the fixtures have them, and the words of its pages. Read once for the tests here."""
    reader = read(made(USUAL, sheets=SHEETS))
    return reader, [words(page) for page in reader.pages]


def test_from_outside_every_report_looks_the_same():
    files = [made(given, name=f"{NAME} {number}") for number, given in enumerate(ORDINARY.values())]
    outside = set()
    for content in files:
        reader = read(content)
        assert reader.metadata.title == "Your report"
        assert set(reader.metadata) <= {"/Title", "/CreationDate", "/ModDate", "/Creator", "/Producer"}
        xmp = re.sub(rb"uuid:[^<]*|<xmpMM:\w+ID>[^<]*|<xmpTPg:NPages>\d+", b"", reader.xmp_metadata.stream.get_data())
        outside.add((tuple(sorted(reader.metadata.items())), xmp))
        for word in ("Óscar", "back", "pain", "GP", "urgent"):
            assert word not in f"{reader.metadata.values()} {xmp.decode()}"
    assert len(outside) == 1


def test_each_sheet_begins_on_a_new_page_with_the_emergency_on_it():
    reader, pages = report()
    starts = [entry_page(reader, item) for item in reader.outline if not isinstance(item, list)]
    assert starts[0] == 0
    assert starts[1] == 2, "a page of summary, and one of what is in the report"
    assert len(starts) == 1 + len(SHEETS)
    for slug, start, end in zip(SHEETS, starts[1:], [*starts[2:], len(pages)], strict=True):
        sheet = FactSheet.objects.get(slug=slug)
        assert pages[start].startswith(packed(sheet.title))
        assert packed(HEADINGS["emergency"]) in pages[start]
        assert "Aboutthispage" in "".join(pages[end - 2 : end])
        for page in pages[start + 1 : end]:
            assert page.startswith(packed(sheet.title)), "above each of its pages"


def entry_page(reader: PdfReader, item) -> int:
    return reader.get_destination_page_number(item)


def test_the_contents_name_each_sheet_with_its_page_and_the_outline_is_one_tree():
    reader, pages = report()
    titles = [FactSheet.objects.get(slug=slug).title for slug in SHEETS]
    top = [item for item in reader.outline if not isinstance(item, list)]
    assert [item.title for item in top] == ["You can look after your back at home for now", *titles]
    for item, title in zip(top[1:], titles, strict=True):
        assert re.search(rf"{packed(title)}\.+{entry_page(reader, item) + 1}\D", pages[1])
    assert not any(NAME in str(item) for item in reader.outline)


def test_the_numbers_of_a_sheet_s_sources_lead_to_its_own_list():
    reader, pages = report()
    starts = [entry_page(reader, item) for item in reader.outline if not isinstance(item, list)][1:]
    ends = [*starts[1:], len(pages)]
    checked = 0
    for start, end in zip(starts, ends, strict=True):
        for number in range(start, end):
            for note in reader.pages[number].get("/Annots", []):
                action = note.get_object().get("/A", {})
                where = action.get("/D", note.get_object().get("/Dest"))
                if where is None:
                    continue  # a web address
                if isinstance(where, str):
                    where = reader.named_destinations[where].dest_array
                target = reader.get_page_number(where[0].get_object())
                assert start <= target < end, "A link of one sheet leads into another."
                checked += 1
    assert checked > 40
    for start, end in zip(starts, ends, strict=True):
        paper = "".join(pages[start:end])
        assert "Sources1." in paper.replace("Sources:", ""), "each list begins at 1"


def test_every_page_has_its_number_in_the_whole_at_its_foot():
    _, pages = report()
    for number, page in enumerate(pages, start=1):
        assert page.endswith(f"Page{number}of{len(pages)}")


@pytest.mark.parametrize("large_print", [False, True])
def test_it_is_tagged_with_a_language_a_title_and_headings_in_order(large_print):
    reader = read(made(USUAL, sheets=SHEETS, large_print=large_print))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    found = tags(root["/StructTreeRoot"])
    levels = [int(tag[2:]) for tag in found if re.fullmatch(r"/H\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1 + len(SHEETS)
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert {"/P", "/L", "/LI", "/Link", "/TOC"} <= set(found)
    figures = [node for node in nodes(root["/StructTreeRoot"]) if node["/S"] == "/Figure"]
    assert figures
    assert all(node.get("/Alt") for node in figures)


def test_what_an_editor_changed_is_in_the_next_report_and_nothing_of_the_last_person(sheet):
    slugs = [sheet.slug]
    first = "".join(words(page) for page in read(made(GP, name="Ada Quartz", sheets=slugs)).pages[:3])
    assert "AdaQuartz" in first
    assert packed(sheet.audience) in first
    sheet.audience = "For everybody who reads our newest edition."
    sheet.save()
    second = "".join(words(page) for page in read(made(USUAL, name="Ben Basalt", sheets=slugs)).pages[:3])
    assert packed(sheet.audience) in second
    assert "BenBasalt" in second
    assert "AdaQuartz" not in second
