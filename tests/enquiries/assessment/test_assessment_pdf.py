"""The result as a PDF: what the page says, tagged for screen readers, and silent about the person from outside."""

import io

import pytest
from django.test import Client
from pypdf import PdfReader

from enquiries.assessment.flags import flags
from enquiries.assessment.printed import pdf
from enquiries.assessment.result import shown
from factsheets.models import SafetyAdvice
from factsheets.safety import CRISIS, SafetyAdviceMissing
from tests.support.assessment import answers, finish
from tests.support.html import parse, text
from tests.support.reading import packed

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]
RICH = {
    "duration": "over_12",
    "checked": "worse",
    "reach": "past_knee",
    "mood": "a_lot",
    "triggers": ["sitting", "stress"],
    "tried": ["bed_rest", "painkillers", "herbs"],
    "tell": ["pregnant", "blood"],
}
RESULTS = {
    "self-care": {},
    "see a GP": RICH,
    "urgent": {"urgent": ["RF-U4", "RF-U12"], **RICH},
    "under 18": {"age": "under_18"},
    "checked once": {"age": "60_plus", "duration": "over_12", "checked": "same", "tell": ["bones"]},
}


def downloaded(**given) -> tuple[PdfReader, object, Client]:
    client = Client()
    finish(client, **given)
    response = client.get("/check/result/pdf/")
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return PdfReader(io.BytesIO(response.content), strict=True), response, client


def said(reader: PdfReader) -> str:
    return packed("".join(page.extract_text() for page in reader.pages))


def sentences(value) -> list[str]:
    """Every text of the result's data that is words, in any depth."""
    if isinstance(value, str):
        return [value] if value else []
    values = [each for key, each in value.items() if key not in NOT_PRINTED] if isinstance(value, dict) else value
    return [text for each in values for text in sentences(each)] if isinstance(values, list) else []


# Names that the template uses, and what is only for the screen.
NOT_PRINTED = {"outcome", "code", "name", "number", "path", "address", "summary", "duration", "sheet", "slug", "call"}


@pytest.mark.parametrize("outcome", RESULTS)
def test_it_says_what_the_page_says(outcome):
    reader, _, client = downloaded(**RESULTS[outcome])
    paper, page = said(reader), packed(text(next(parse(client.get("/check/result/")).iter("main"))))
    result = shown(answers(**RESULTS[outcome]), flags())
    told = sentences(result)
    assert len(told) > (12 if outcome == "under 18" else 25)
    for words_of_it in told:
        assert packed(words_of_it).rstrip(".") in page
        assert packed(words_of_it).rstrip(".") in paper
    for advice in SafetyAdvice.objects.filter(tier="emergency", on_compact_card=True):
        assert packed(advice.short_text) in paper
    for sheet in result["sheets"]:
        assert packed(sheet["address"]) in paper
    for heading in (
        "Why we say this",
        "You told us:",
        "So we suggest:",
        "Questions to ask your clinician",
        "If you get worse",
    ):
        assert packed(heading) in page
        assert packed(heading) in paper


def test_it_is_tagged_with_a_language_and_headings_in_order():
    reader = downloaded(**RICH)[0]
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    tags = []

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif hasattr(node, "get"):
            if isinstance(node.get("/S"), str) and node["/S"][:2] == "/H":
                tags.append(node["/S"])
            if "/K" in node:
                walk(node["/K"])

    walk(root["/StructTreeRoot"]["/K"])
    assert tags[0] == "/H1"
    assert tags.count("/H1") == 1
    assert tags.count("/H2") >= 6
    assert "/H3" in tags


def test_the_file_says_nothing_about_the_person_from_outside():
    readers = {}
    for outcome, given in RESULTS.items():
        reader, response, _ = downloaded(**given)
        readers[outcome] = reader
        assert response["Content-Disposition"] == 'attachment; filename="my-back-check.pdf"'
        assert "no-store" in response["Cache-Control"]
    information = {
        (tuple(sorted(reader.metadata.items())), reader.xmp_metadata.dc_title["x-default"])
        for reader in readers.values()
    }
    assert len(information) == 1, "Every result has the same title, author and date."
    [(items, title)] = information
    assert title == dict(items)["/Title"] == "Your back check"


@pytest.mark.parametrize("outcome", RESULTS)
def test_large_print_holds_the_same_words(outcome):
    result = shown(answers(**RESULTS[outcome]), flags())
    plain, large = (PdfReader(io.BytesIO(pdf(result, large_print=size))) for size in (False, True))
    for words_of_it in (result["heading"], *result["ask"], *result["try"]):
        assert packed(words_of_it) in said(large)
    assert len(large.pages) >= len(plain.pages)
    assert large.pages[0].extract_text() != plain.pages[0].extract_text()


def test_there_is_no_pdf_without_emergency_advice():
    result = shown(answers(), flags())
    SafetyAdvice.objects.filter(tier="emergency").delete()
    with pytest.raises(SafetyAdviceMissing):
        pdf(result)


def test_words_that_a_person_of_staff_wrote_are_never_code():
    nasty = 'you #panic("x") $a$ *b* <label> {{ 7*7 }} “ק” 👩‍⚕️'
    SafetyAdvice.objects.filter(code="RF-R2").update(text=nasty)
    paper = said(PdfReader(io.BytesIO(pdf(shown(answers(limits="stops"), flags())))))
    assert packed('#panic("x") $a$ *b* <label> {{ 7*7 }}') in paper


def test_nothing_of_the_words_is_left_out_of_the_crisis_block():
    paper = said(downloaded(mood="a_lot")[0])
    for line in CRISIS:
        assert packed(line["when"]) in paper
        assert packed(line["what"]) in paper
    assert paper.index(packed(CRISIS[0]["when"])) < paper.index(packed("See a GP about your back"))


def test_no_paper_links_to_a_form():
    for given in RESULTS.values():
        reader = downloaded(**given)[0]
        found = [
            note.get_object().get("/A", {}).get("/URI", "") for page in reader.pages for note in page.get("/Annots", [])
        ]
        assert found
        assert not [link for link in found if "/consultation" in link or "/question" in link or "/report" in link]
