"""What a page says to programs: linked data in the words of schema.org, and the lines of its head."""

from datetime import date
from urllib.parse import urlsplit

import brotli
import pytest
from django.utils import timezone

from backcare.core import clinic
from factsheets.models import GlossaryTerm
from tests.support import linked_data
from tests.support.clinic_settings import set_clinic
from tests.support.html import text, title
from tests.support.linked_data import edit, path_of, sign_off
from tests.support.reading import SHEET_PAGES, SLUGS, ids, page
from tests.support.visitor import visitor

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
every_sheet = pytest.mark.parametrize("slug", SLUGS)
ABOUT = "/fact-sheets/about-back-pain/"


# --- linked data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHEET_PAGES)
def test_a_sheet_says_to_programs_what_it_says_to_people(client, settings, path):
    tree = page(client, path)
    data = linked_data.block(tree)
    linked_data.expect_known_words(data)
    assert data["@type"] == "MedicalWebPage"
    [heading] = tree.iter("h1")
    assert (data["name"], data["description"]) == (text(heading), linked_data.metas(tree)["description"])
    assert path_of(settings, data["url"]) == path
    assert path_of(settings, data["isPartOf"]["@id"]) == "/#site"
    assert data["inLanguage"] == tree.get("lang")
    assert data["audience"] == {"@type": "MedicalAudience", "audienceType": "Patient"}
    assert data["about"]["name"] == "Back pain"
    assert data["publisher"]["name"] == clinic.details()["name"]
    published, changed = (date.fromisoformat(data[name]) for name in ("datePublished", "dateModified"))
    assert published <= changed <= timezone.localdate()
    there = ids(tree)
    assert data["hasPart"]
    for part in data["hasPart"]:
        assert part["hasHealthAspect"] in linked_data.ASPECTS
        assert part["url"].removeprefix("#") in there
        assert part["name"] in text(tree)
    sources = [text(node) for node in tree.iter("li") if (node.get("id") or "").startswith("source-")]
    assert len(data["citation"]) == len(sources) > 0
    for work, source in zip(data["citation"], sources, strict=True):
        assert work["name"].rstrip(".") in source
        assert work.get("url", "") in source
    steps = data["breadcrumb"]["itemListElement"]
    assert [step["position"] for step in steps] == [1, 2, 3]
    [crumbs] = [node for node in tree.iter("nav") if node.get("aria-label") == "Breadcrumb"]
    assert [step["name"] for step in steps] == [text(node) for node in crumbs.iter("li")]


def test_nobody_is_called_a_reviewer_before_a_clinician_signed_the_sheet_off(client, sheet):
    before = linked_data.block(page(client, ABOUT))
    assert not {"reviewedBy", "lastReviewed"} & set(before)
    assert not {"reviewedBy", "lastReviewed"} & set(client.get(f"{ABOUT}json/").json()["linked_data"])
    sign_off(sheet)
    after = linked_data.block(page(client, ABOUT))
    assert after["reviewedBy"] == {"@type": "Person", "name": "Robin Example"}
    assert after["lastReviewed"] == timezone.localdate().isoformat()


@pytest.mark.parametrize(
    "words", ["</script><script>alert(1)</script>", "<!--<script>", "a & b ' \" \\ \u2028 🙂", "]]>"]
)
def test_hostile_words_stay_words_in_the_data_and_in_the_head(client, sheet, words):
    edit(sheet, title=words, summary=words)
    tree = page(client, ABOUT)  # strict: the parser fails on markup that is out of place
    assert len(list(tree.iter("script"))) == 1
    data, metas = linked_data.block(tree), linked_data.metas(tree)
    assert (data["name"], data["description"]) == (words, words)
    shown = " ".join(words.split())
    assert [metas[name] for name in ("og:title", "og:description", "description")] == [shown] * 3
    assert title(tree).startswith(shown)


@pytest.mark.long
def test_linked_data_is_less_than_one_kilobyte_of_the_heaviest_sheet(client):
    def weight(content: bytes) -> int:
        return len(brotli.compress(content, mode=brotli.MODE_TEXT, quality=11))

    added = {}
    for slug in SLUGS:
        content = client.get(f"/fact-sheets/{slug}/").content
        before, _, rest = content.partition(b'<script type="application/ld+json">')
        added[slug] = weight(content) - weight(before + rest.partition(b"</script>")[2])
    assert all(400 < each < 1024 for each in added.values()), added


@every_sheet
def test_the_json_holds_the_whole_of_it_with_the_licence_and_where_everything_is(client, settings, slug):
    data = client.get(f"/fact-sheets/{slug}/json/").json()
    assert data["licence"] == clinic.details()["content_licence"]
    assert "copy, print" in data["licence"]
    assert path_of(settings, data["links"]["self"]) == f"/fact-sheets/{slug}/json/"
    printed = {"pdf": "pdf/", "large_print": "pdf/large/"}
    printed |= {f"whole_{name}": place.replace("pdf/", "pdf/full/") for name, place in printed.items()}
    for name, address in data["links"].items():
        if name in printed:
            assert path_of(settings, address) == f"/fact-sheets/{slug}/{printed[name]}"
        if name not in printed or slug == SLUGS[0]:  # one sheet's are made here, every sheet's by the tests of the PDFs
            assert client.get(path_of(settings, address)).status_code == 200, name
    whole = data["linked_data"]
    linked_data.expect_known_words(whole)
    assert whole["url"] == whole["@id"] == data["links"]["canonical"] == data["address"]
    assert len(whole["citation"]) == len(data["references"])
    for work, reference in zip(whole["citation"], data["references"], strict=True):
        assert work.get("sameAs", "") == (f"https://doi.org/{reference['doi']}" if reference["doi"] else "")
        assert work.get("url", "") == reference["url"]
    assert len(whole["hasPart"]) == len([each for each in data["sections"] if each["aspect"]])
    place = urlsplit(whole["license"])
    assert place.fragment in ids(page(client, place.path))
    assert data["licence"] in text(page(client, place.path))


def test_the_licence_is_the_clinics_to_set(client, settings):
    set_clinic(content_licence="CC BY 4.0 <by> the clinic.")
    assert client.get(f"{ABOUT}json/").json()["licence"] == clinic.details()["content_licence"]
    assert clinic.details()["content_licence"] in text(page(client, "/about/"))


def test_the_first_page_names_the_site_and_the_clinic_with_the_details_it_has(client, settings):
    data = linked_data.block(page(client, "/"))
    linked_data.expect_known_words(data)
    site, ours = data["@graph"]
    assert (site["@type"], ours["@type"]) == ("WebSite", "MedicalClinic")
    assert site["publisher"]["@id"] == ours["@id"]
    assert ours["telephone"] == clinic.details()["phone"]
    set_clinic(phone="", email="", address="")
    bare = linked_data.block(page(client, "/"))["@graph"][1]
    assert not {"telephone", "email", "address"} & set(bare)


def test_the_glossary_is_a_set_of_its_terms_each_at_its_place(client):
    tree = page(client, "/glossary/")
    data = linked_data.block(tree)
    linked_data.expect_known_words(data)
    said = {term["name"]: term["description"] for term in data["hasDefinedTerm"]}
    assert said == dict(GlossaryTerm.objects.values_list("term", "meaning"))
    assert {term["url"].removeprefix("#") for term in data["hasDefinedTerm"]} <= set(ids(tree))


# --- the head ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/fact-sheets/", ABOUT, "/get-help-now/", "/accessibility/", "/complaints/", "/about/"]
)
def test_a_page_that_people_look_for_says_in_a_sentence_what_it_holds(client, path):
    said = linked_data.metas(page(client, path))["description"]
    assert 30 < len(said) <= 300
    assert "{" not in said


@every_sheet
def test_the_other_forms_of_a_sheet_are_named_and_are_what_they_say(client, slug):
    tree = page(client, f"/fact-sheets/{slug}/")
    forms = {link["type"]: link["href"] for link in linked_data.head_links(tree, "alternate")}
    [canonical] = linked_data.head_links(tree, "canonical")
    assert set(forms) == {"application/json", "text/plain", "application/pdf", "application/atom+xml"}
    for kind in ("application/json", "text/plain"):
        for _ in range(2):  # newly made, and from the cache
            answer = client.get(forms[kind])
            assert answer["Content-Type"].startswith(kind)
            assert answer["Link"] == f'<{canonical["href"]}>; rel="canonical"'
    assert forms["application/pdf"] == f"/fact-sheets/{slug}/pdf/"


def test_an_error_page_claims_no_address_and_no_card(client):
    tree = page(client, "/nothing-here/", status=404)
    assert not linked_data.head_links(tree, "canonical")
    assert not [name for name in linked_data.metas(tree) if name.startswith("og:")]


def test_both_schemes_have_a_colour_for_the_browsers_frame(client):
    colours = {
        n.get("media"): n.get("content") for n in page(client, "/").iter("meta") if n.get("name") == "theme-color"
    }
    assert set(colours) == {f"(prefers-color-scheme: {scheme})" for scheme in ("light", "dark")}
    assert len(set(colours.values())) == 2


# --- in a real browser ---------------------------------------------------------------------------------------------

HEARD = "addEventListener('securitypolicyviolation', each => (window.refused ??= []).push(each.violatedDirective))"


def test_no_browser_runs_or_refuses_the_data_and_no_other_host_is_asked(browser, site):
    with visitor(browser, site) as reader:
        reader.context.add_init_script(HEARD)
        for path in ("/", "/fact-sheets/tests-and-treatments/", "/glossary/", "/accessibility/", "/complaints/"):
            reader.open(path)
            reader.page.keyboard.press("End")
            assert reader.page.evaluate("window.refused ?? []") == []
            blocks = reader.page.locator("script[type='application/ld+json']").all_text_contents()
            assert len(blocks) == (0 if path in {"/accessibility/", "/complaints/"} else 1)
        reader.expect_clean()
        # The same words as a program would be refused: the listener above does hear.
        reader.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
        assert reader.page.evaluate("window.refused") == ["script-src-elem"]
