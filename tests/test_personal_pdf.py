"""The personal report: a page of summary and the sheets behind it, tagged, and silent about the person from outside."""

import io
import re
from functools import cache
from itertools import pairwise

import pytest
from pypdf import PdfReader

from enquiries.assessment.flags import flags
from enquiries.assessment.personal import IN_SHORT, pdf
from enquiries.assessment.questions import QUESTIONS
from enquiries.assessment.result import played_back, shown
from factsheets.models import FactSheet, SafetyAdvice
from factsheets.safety import HEADINGS, SafetyAdviceMissing
from tests.assessment import answers
from tests.reading import packed
from tests.test_outputs_pdf import nodes, tags

pytestmark = pytest.mark.usefixtures("db")
NAME = "Óscar Zażółć 王小明"
# Short sheets: taking the words out of a page takes long.
SHEETS = ("manual-therapy-for-back-pain", "stress-and-back-pain")
USUAL = {
    "age": "45_54",
    "duration": "1_to_3",
    "triggers": ["sitting", "lifting"],
    "tried": ["painkillers", "heat_cold"],
    "limits": "some",
    "tell": ["none"],
}
GP = {"checked": "worse", "reach": "past_knee", "duration": "3_to_6", "triggers": ["sitting"], "tried": ["painkillers"]}
ORDINARY = {
    "self-care": USUAL,
    "see a GP": GP,
    "urgent": {"urgent": ["RF-U4"]},
    "under 18": {"age": "under_18"},
}
LONGEST = {
    "urgent": ["RF-U4", "RF-U12"],
    "mood": "a_lot",
    "reach": "past_knee",
    "duration": "over_12",
    "triggers": ["sitting", "stress"],
    "tried": ["bed_rest", "painkillers", "herbs"],
    "tell": ["pregnant", "blood"],
}
every_outcome = pytest.mark.parametrize("outcome", ORDINARY)


def made(given: dict, *, name: str = NAME, sheets=(), large_print: bool = False) -> bytes:
    known = flags()
    by_slug = {sheet.slug: sheet for sheet in FactSheet.objects.published()}
    return pdf(
        shown(answers(**given), known),
        name=name,
        answers=played_back(answers(**given), known),
        sheets=[by_slug[slug] for slug in sheets],
        large_print=large_print,
    )


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content), strict=True)


def words(page) -> str:
    return packed(page.extract_text())


@cache
def report() -> tuple[PdfReader, list[str]]:
    """One report with two sheets, as the fixtures have them, and the words of its pages. Read once for the tests here."""
    reader = read(made(USUAL, sheets=SHEETS))
    return reader, [words(page) for page in reader.pages]


@every_outcome
def test_an_ordinary_result_stands_whole_on_the_first_page(outcome):
    given = ORDINARY[outcome]
    result, reader = shown(answers(**given), flags()), read(made(given))
    first, second = (words(page) for page in reader.pages)
    for said in (
        NAME,
        result["heading"],
        result["lead"],
        "What you told us",
        result["suggest"],
        *(reason["told"] for reason in result["reasons"]),
        *result["try"],
        *result["avoid"],
        *result["ask"],
        *(line.rstrip(".") for line in result["gp_if"]),
        HEADINGS["emergency"],
        *SafetyAdvice.objects.filter(tier="emergency").exclude(short_text="").values_list("short_text", flat=True),
    ):
        assert packed(said) in first, said
    assert "Aboutthisreport" in second, "and nothing of it goes on to the next"


@every_outcome
def test_the_first_page_plays_every_answer_back_beside_its_question(outcome):
    given = answers(**ORDINARY[outcome])
    first = words(read(made(ORDINARY[outcome])).pages[0])
    for question in played_back(given, flags()):
        for part, asked in zip(QUESTIONS[question["number"] - 1].parts, question["parts"], strict=True):
            said = "; ".join(asked["answers"])
            if part.name == "urgent" and outcome == "urgent":
                assert packed(said.rstrip(".")[1:]) in first, "in full, in its card"
                said = "listed above"
            assert packed(f"{IN_SHORT[part.name]}: {said}") in first


def test_an_answer_to_a_question_that_we_no_longer_ask_keeps_its_own_words():
    result = shown(answers(), flags())
    old = [{"number": 1, "parts": [{"text": "An older question?", "answers": ["An older answer", "And one more"]}]}]
    first = words(read(pdf(result, name=NAME, answers=old, sheets=[])).pages[0])
    assert packed("An older question?: An older answer; And one more") in first


def test_an_urgent_sign_and_what_to_do_stand_before_everything_else():
    first = words(read(made(ORDINARY["urgent"])).pages[0])
    sign = SafetyAdvice.objects.get(code="RF-U4")
    urgent = first.index(packed(sign.text.rstrip(".")))
    assert first.index("Askforanurgent") < urgent < first.index("Whatyoutoldus")
    assert urgent < first.index(packed(sign.action)) < first.index("Saythiswhenyoucall")


def test_the_longest_result_goes_on_and_leaves_nothing_out():
    reader = read(made(LONGEST))
    paper = "".join(words(page) for page in reader.pages)
    result = shown(answers(**LONGEST), flags())
    for said in (
        *result["ask"],
        *(line["what"] for line in result["crisis"]),
        *(line for note in result["notes"] for line in (*note["lines"], *note["things"])),
    ):
        assert packed(said) in paper, said
    first = words(reader.pages[0])
    assert packed(HEADINGS["emergency"]) in first
    assert packed(result["notes"][0]["lines"][1]) in first, "what a pregnant person must act on"
    assert min(sizes(reader.pages[0])) >= 9.5
    assert sizes(reader.pages[0])[10.5] > 1000


def sizes(page) -> dict[float, int]:
    """How many letters of the page have which size, in points."""
    found = {}

    def seen(text, cm, tm, font, size):
        if text.strip() and font:
            points = round(abs(size * tm[3] * cm[3]), 1)
            found[points] = found.get(points, 0) + len(text.strip())

    page.extract_text(visitor_text=seen)
    return found


NAMES = {
    "Chinese and Korean": "王小明 김철수",
    "Arabic": "محمد بن عبد الله",
    "Hindi": "ज्योति शर्मा",
    "emoji": "Zoë 👩🏽‍⚕️ Brown",
    "Typst code": '#panic("x") $a$ *b* _c_ [d] <label> @ref \\ // /* = `x` {{ 7*7 }}',
    "120 letters": "W" * 120,
    "120 Chinese letters": "名" * 120,
    "many marks": "Za" + "\u0301\u0302" * 2000 + "lgo",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_is_printed_as_it_was_typed(name):
    first = read(made(ORDINARY["under 18"], name=name)).pages[0].extract_text()
    if "\u0301" in name:
        assert "Z" in first
        assert "lgo" in first
        # Each mark of a letter may be read back with all others of it: 4 are kept of 4,000.
        assert 1 <= first.count("\u0302") <= 20
        return
    letters = [letter for letter in name if letter.isalpha() or letter in "#$*_[]<>@=`{}"]
    printed = packed(first).replace("\u200b", "")
    if name.isascii():
        assert packed(name) in printed
    missing = {letter for letter in letters if letter not in printed}
    assert len(missing) <= len(set(letters)) // 3, f"Joined letters may come out as their joined forms: {missing}"
    assert max(letters.count(letter) for letter in letters) <= 120
    assert printed.count("W") >= name.count("W")
    assert printed.count("名") == name.count("名")


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


@every_outcome
def test_large_print_says_the_same_in_eighteen_points(outcome):
    given = ORDINARY[outcome]
    reader = read(made(given, large_print=True))
    paper = "".join(words(page) for page in reader.pages)
    result = shown(answers(**given), flags())
    for said in (NAME, result["heading"], *result["ask"], *result["try"], *result["avoid"]):
        assert packed(said) in paper
    first = reader.pages[0]
    assert packed(HEADINGS["emergency"]) in words(first)
    letters = sizes(first)
    assert max(letters, key=letters.get) == 18.0
    assert min(letters) >= 14


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


def test_there_is_no_report_without_emergency_advice():
    result, played = shown(answers(), flags()), played_back(answers(), flags())
    SafetyAdvice.objects.filter(tier="emergency").delete()
    with pytest.raises(SafetyAdviceMissing):
        pdf(result, name=NAME, answers=played, sheets=[])
