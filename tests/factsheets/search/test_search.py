"""Finding things: words and their forms, synonyms, mistakes, order, quotations, and links to the place."""

import pytest

from factsheets import actions
from factsheets.models import FactSheet, Section, State, Synonym
from tests.support.html import text, title
from tests.support.reading import ids, links, page, with_class
from tests.support.search import a_sheet, addresses, hits, marked, search, titles

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


# --- what is found ---


@pytest.mark.long
def test_a_search_finds_what_a_reader_means(client, subtests):
    for typed, address in [
        ("sciatica", "/glossary/#sciatica"),
        ("siatica", "/fact-sheets/about-back-pain/"),
        ("SCIATICA!", "/fact-sheets/about-back-pain/"),
        ("slipped disk", "/fact-sheets/about-back-pain/"),
        ("slipped discs", "/glossary/#disc-bulge"),
        ("mattresses", "/fact-sheets/posture-and-lifting/"),
        ("x-ray", "/fact-sheets/tests-and-treatments/"),
        ("xray", "/glossary/#x-ray"),
        ("X rays", "/glossary/#x-ray"),
        ("pain killers", "/fact-sheets/tests-and-treatments/"),
        ("mobilization", "/fact-sheets/manual-therapy-for-back-pain/"),
        ("hot-water bottle", "/fact-sheets/looking-after-your-back/"),
        ("WHO", "/glossary/#who"),
        ("book appointment", "/consultation/"),
        ("email", "/report/"),
        ("privacy", "/privacy/"),
        ("cookies", "/privacy/"),
        ("when should I worry about warning signs", "/get-help-now/"),
        ("Paget’s disease", "/fact-sheets/about-back-pain/"),
        ("pagets", "/fact-sheets/about-back-pain/"),
    ]:
        with subtests.test(typed=typed, address=address):
            assert address in addresses(search(client, typed))


@pytest.mark.long
def test_every_result_leads_to_its_page_and_to_the_place_on_it(client):
    tried = set()
    for typed in ("sciatica", "acupuncture", "pain", "exercise", "sleep", "pee", "qi", "phone", "flare-up", "MRI"):
        for hit in hits(search(client, typed)):
            tried |= set(links(hit))
    assert len(tried) > 40
    pages = {}
    for link in tried:
        address, _, place = link.partition("#")
        if address not in pages:
            pages[address] = ids(page(client, address))
        assert not place or place in pages[address], link


def test_the_place_that_is_quoted_is_a_section_with_the_words_marked(client):
    tree = search(client, "mattress")
    first = hits(tree)[0]
    assert "/fact-sheets/posture-and-lifting/#try-in-bed" in links(first)
    assert "mattress" in marked(first)
    for words in marked(tree):
        assert words.startswith("mattress")


def test_a_synonym_is_marked_too_and_a_phrase_in_one_piece(client):
    tree = search(client, "slipped disk")
    assert "slipped disc" in marked(tree)


def test_words_count_more_in_a_title_than_in_a_heading_than_in_a_key_point_than_in_the_text(client):
    word = "zebrafish"
    a_sheet("in-text", "Alpha", body=f"{word} " * 9)
    a_sheet("in-points", "Beta", points=(f"A {word}.", "Two.", "Three."))
    a_sheet("in-heading", "Gamma", heading=f"The {word}")
    a_sheet("in-title", f"Omega {word}")
    tree = search(client, f"{word}s")
    assert titles(tree) == ["Omega zebrafish", "Gamma", "Beta", "Alpha"]


def test_sheets_with_every_word_come_before_sheets_with_some(client):
    a_sheet("one", "Zebrafish", heading="Zebrafish", body="zebrafish " * 9)
    a_sheet("both", "Alpha", body="A zebrafish and a platypus.")
    a_sheet("other", "Platypus")
    assert titles(search(client, "zebrafish platypus"))[0] == "Alpha"


def test_a_rare_word_counts_more_than_a_common_one(client):
    a_sheet("rare", "Omega", body="A zebrafish.")
    for number in range(5):
        a_sheet(f"common-{number}", f"Alpha {number}", body="A platypus.")
    assert titles(search(client, "platypus zebrafish"))[0] == "Omega"


def test_the_number_of_results_is_in_the_title_and_on_the_page(client):
    a_sheet("one", "About zebrafish")
    tree = search(client, "zebrafish")
    assert title(tree).startswith("1 result for “zebrafish”")
    assert "1 result" in [text(node) for node in tree.iter("h2")]
    a_sheet("two", "More about zebrafish")
    assert title(search(client, "zebrafish")).startswith("2 results for “zebrafish”")


@pytest.mark.long
def test_many_results_come_in_pages_without_gaps_or_doubles(client):
    expected = {a_sheet(f"sheet-{number}", f"Zebrafish {number}").get_absolute_url() for number in range(23)}
    first, second, third = (search(client, "zebrafish", page=number) for number in (1, 2, 3))
    listed = addresses(first) + addresses(second) + addresses(third)
    assert sorted(listed) == sorted(expected)
    assert [len(hits(each)) for each in (first, second, third)] == [10, 10, 3]
    assert "/search/?q=zebrafish&page=2" in links(first)
    assert "page 2 of 3" in title(second)
    assert with_class(second, "hits")[0].get("start") == "11"
    assert "/search/?q=zebrafish&page=2" in links(third)


@pytest.mark.parametrize("number", ["0", "-1", "99", "999999999", "x", "", "１", "1.5", "%00"])
def test_a_page_that_is_not_there_is_answered_with_one_that_is(client, number):
    assert hits(search(client, "sciatica", page=number))


# --- mistakes ---


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("siatika", "sciatica"),
        ("acupunture", "acupuncture"),
        ("acupunct", "acupuncture"),
        ("matress", "mattress"),
        ("backpain", "back pain"),
        ("osteoperosis", "osteoporosis"),
        ("physiotherpist", "physiotherapist"),
        ("ibuprofin", "ibuprofen"),
        ("herneated", "herniated"),
    ],
)
def test_a_misspelt_word_shows_what_was_meant_at_once_and_says_so(client, typed, meant):
    tree = search(client, typed)
    if titles(tree) and f"for “{typed}”" in title(tree):
        return  # an editor's synonym already knows it
    assert hits(tree)
    assert f"We found nothing that fits “{typed}”. These results are for “{meant}”." in text(tree)
    assert f"for “{meant}”" in title(tree)
    assert [node.get("value") for node in tree.iter("input") if node.get("name") == "q"] == [typed], (
        "The box keeps what was typed."
    )


def test_where_something_good_was_found_nobody_is_corrected(client):
    tree = search(client, "mattress osteoperosis")
    assert "/fact-sheets/posture-and-lifting/" in addresses(tree)
    assert "These results are for" not in text(tree)


def test_a_long_search_is_put_right_whole(client):
    tree = search(client, f"osteoperosis {'and so on and so on ' * 9}".strip())
    assert f"“osteoporosis {'and so on and so on ' * 2}and so…”" in text(tree)


@pytest.mark.parametrize("typed", ["shoulder blade", "horse", "spice", "slipper", "train", "blade", "mussel"])
def test_a_word_that_is_spelt_well_is_never_put_right(client, typed):
    assert "These results are for" not in text(search(client, typed))


@pytest.mark.parametrize("typed", ["xyzzyq", "qqqqqqqqqq", "zz", "1234567"])
def test_nothing_far_away_is_suggested(client, typed):
    tree = search(client, typed)
    assert not hits(tree)
    assert "Did you mean" not in text(tree)
    assert "These results" not in text(tree)


def test_a_word_that_only_a_draft_has_is_not_suggested(client):
    sheet = a_sheet("secret", "Zebrafish")
    assert "These results are for “zebrafish”" in text(search(client, "zebrafich"))
    FactSheet.objects.filter(pk=sheet.pk).update(state=State.DRAFT)
    assert "zebrafish" not in text(search(client, "zebrafich"))


# --- synonyms ---


@pytest.mark.long
def test_an_editors_synonym_counts_from_the_next_search_on(client):
    assert not hits(search(client, "zebrafish"))
    group = Synonym.objects.create(slug="fish", words="zebrafish, low back pain")
    assert "/fact-sheets/about-back-pain/" in addresses(search(client, "zebrafish"))
    Synonym.objects.filter(pk=group.pk).update(words="zebrafish, spinal stenosis")
    assert "/glossary/#spinal-stenosis" in addresses(search(client, "zebrafish"))
    group.delete()
    assert not hits(search(client, "zebrafish"))


def test_a_synonym_works_both_ways_and_the_typed_word_counts_more(client):
    Synonym.objects.create(slug="fish", words="zebrafish, danio rerio")
    a_sheet("one", "Zebrafish")
    a_sheet("two", "Danio rerio")
    assert titles(search(client, "danio rerio")) == ["Danio rerio", "Zebrafish"]
    assert titles(search(client, "zebrafish")) == ["Zebrafish", "Danio rerio"]


def test_words_of_a_phrase_that_stand_apart_are_not_the_phrase(client):
    Synonym.objects.create(slug="fish", words="zebrafish, danio rerio")
    sheet = a_sheet("apart", "Alpha", body="A danio.")
    Section.objects.create(sheet=sheet, slug="later", heading="Later", body="A rerio.", position=9)
    actions.refresh(sheet=sheet)
    assert "Alpha" not in titles(search(client, "zebrafish"))


def test_a_synonym_of_small_words_does_not_stand_for_everything(client):
    Synonym.objects.create(slug="all-over", words="zebrafish, pain all over")
    a_sheet("one", "Zebrafish")
    assert titles(search(client, "zebrafish")) == ["Zebrafish"]
    assert "Zebrafish" in titles(search(client, "pain all over"))
