"""The personal report's page of summary: whole, in the right order, for every outcome and any name, and in large print."""

import re
from itertools import pairwise

import pytest

from enquiries.assessment.flags import flags
from enquiries.assessment.printed import IN_SHORT, personal_pdf
from enquiries.assessment.questions import QUESTIONS
from enquiries.assessment.result import played_back, shown
from factsheets.models import FactSheet, SafetyAdvice
from factsheets.rendering.sheet import address
from factsheets.safety import HEADINGS, SafetyAdviceMissing
from tests.factsheets.rendering.test_outputs_pdf import tags
from tests.support.assessment import answers
from tests.support.personal_pdf import NAME, ORDINARY, USUAL, every_outcome, made, read, sizes, words
from tests.support.reading import packed

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
LONGEST = {
    "urgent": ["RF-U4", "RF-U12"],
    "mood": "a_lot",
    "reach": "past_knee",
    "duration": "over_12",
    "triggers": ["sitting", "stress"],
    "tried": ["bed_rest", "painkillers", "herbs"],
    "tell": ["pregnant", "blood"],
}


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
        *SafetyAdvice.objects.filter(tier="emergency", on_compact_card=True).values_list("short_text", flat=True),
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
    first = words(read(personal_pdf(result, name=NAME, answers=old, sheets=[])).pages[0])
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
    for sign in result["notes"][0]["signs"]:
        assert packed(sign["text"].rstrip(".")) in first, "what a pregnant person must act on"
        assert packed(sign["action"]) in first
    assert min(sizes(reader.pages[0])) >= 9.5
    assert sizes(reader.pages[0])[10.5] > 1000


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


SHEETS = ("manual-therapy-for-back-pain", "stress-and-back-pain")


@every_outcome
def test_it_is_two_sides_and_leads_to_the_sheets_by_their_addresses(outcome):
    reader = read(made(ORDINARY[outcome], sheets=SHEETS))
    assert len(reader.pages) == 2
    second = words(reader.pages[1])
    targets = {note.get_object()["/A"].get("/URI") for note in reader.pages[1]["/Annots"]}
    for sheet in FactSheet.objects.filter(slug__in=SHEETS):
        assert packed(sheet.title + address(sheet)) in second
        assert address(sheet) in targets
    for number, page in enumerate(reader.pages, start=1):
        assert words(page).endswith(f"Page{number}of2")


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
        assert not any(NAME in str(item) for item in reader.outline)
    assert len(outside) == 1


@pytest.mark.parametrize("large_print", [False, True])
def test_it_is_tagged_with_a_language_a_title_and_headings_in_order(large_print):
    root = read(made(USUAL, sheets=SHEETS, large_print=large_print)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    found = tags(root["/StructTreeRoot"])
    levels = [int(tag[2:]) for tag in found if re.fullmatch(r"/H\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert {"/P", "/L", "/LI", "/Link"} <= set(found)


def test_there_is_no_report_without_emergency_advice():
    result, played = shown(answers(), flags()), played_back(answers(), flags())
    SafetyAdvice.objects.filter(tier="emergency").delete()
    with pytest.raises(SafetyAdviceMissing):
        personal_pdf(result, name=NAME, answers=played, sheets=[])
