"""What programs read: linked data, the head of each page, the sitemap, the feed, robots.txt and security.txt."""

import io
import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import brotli
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image

from factsheets import actions
from factsheets.models import ContentVersion, Edition, FactSheet, GlossaryTerm, Step
from tests import linked
from tests.html import parse, text, title
from tests.pages import visitor
from tests.reading import SLUGS, ids, links, page
from tests.test_site import PAGES

pytestmark = pytest.mark.usefixtures("db")
every_sheet = pytest.mark.parametrize("slug", SLUGS)
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ABOUT = "/fact-sheets/about-back-pain/"
FILES = ["/sitemap.xml", "/feed.xml", "/robots.txt", "/.well-known/security.txt"]


def path_of(settings, address: str) -> str:
    assert address.startswith(f"{settings.BASE_URL}/"), address
    return address.removeprefix(settings.BASE_URL)


def sign_off(sheet: FactSheet) -> User:
    """A clinician signs the sheet off, as on the desk."""
    clinician = User.objects.create_superuser("dr", "dr@example.com", "x", first_name="Robin", last_name="Example")
    due = timezone.localdate() + timedelta(days=300)
    actions.move(sheet=sheet, step=Step.SIGNED_OFF, by=clinician, review_due_on=due)
    return clinician


def edit(sheet: FactSheet, *, note: str = "", **changes) -> Edition:
    """An editor changes the sheet, as on the desk."""
    editor, _ = User.objects.get_or_create(username="ed.private", email="ed@example.com", first_name="Edna")
    sheet.refresh_from_db()
    for name, value in changes.items():
        setattr(sheet, name, value)
    sheet.save()
    actions.refresh(sheet=sheet)
    return actions.keep_edition(sheet=sheet, by=editor, note=note)


# --- linked data ---------------------------------------------------------------------------------------------------


@every_sheet
def test_a_sheet_says_to_programs_what_it_says_to_people(client, settings, slug):
    sheet = FactSheet.objects.get(slug=slug)
    tree = page(client, f"/fact-sheets/{slug}/")
    data = linked.block(tree)
    linked.expect_known_words(data)
    assert data["@type"] == "MedicalWebPage"
    assert (data["name"], data["description"]) == (sheet.title, sheet.summary)
    assert path_of(settings, data["url"]) == f"/fact-sheets/{slug}/"
    assert data["inLanguage"] == tree.get("lang")
    assert data["audience"] == {"@type": "MedicalAudience", "audienceType": "Patient"}
    assert data["about"]["name"] == "Back pain"
    assert data["publisher"]["name"] == settings.CLINIC["name"]
    published, changed = (date.fromisoformat(data[name]) for name in ("datePublished", "dateModified"))
    assert published <= changed <= timezone.localdate()
    there = ids(tree)
    assert len(data["hasPart"]) >= 2
    for part in data["hasPart"]:
        assert part["hasHealthAspect"] in linked.ASPECTS
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
    before = linked.block(page(client, ABOUT))
    assert not {"reviewedBy", "lastReviewed"} & set(before)
    assert not {"reviewedBy", "lastReviewed"} & set(client.get(f"{ABOUT}json/").json()["linked_data"])
    sign_off(sheet)
    after = linked.block(page(client, ABOUT))
    assert after["reviewedBy"] == {"@type": "Person", "name": "Robin Example"}
    assert after["lastReviewed"] == timezone.localdate().isoformat()


@pytest.mark.parametrize(
    "words", ["</script><script>alert(1)</script>", "<!--<script>", "a & b ' \" \\ \u2028 🙂", "]]>"]
)
def test_hostile_words_stay_words_in_the_data_and_in_the_head(client, sheet, words):
    edit(sheet, title=words, summary=words)
    tree = page(client, ABOUT)  # strict: the parser fails on markup that is out of place
    assert len(list(tree.iter("script"))) == 1
    data, metas = linked.block(tree), linked.metas(tree)
    assert (data["name"], data["description"]) == (words, words)
    shown = " ".join(words.split())
    assert [metas[name] for name in ("og:title", "og:description", "description")] == [shown] * 3
    assert title(tree).startswith(shown)


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
    assert data["licence"] == settings.CONTENT_LICENCE
    assert "copy and print" in data["licence"]
    assert path_of(settings, data["links"]["self"]) == f"/fact-sheets/{slug}/json/"
    for name, address in data["links"].items():
        if name != "pdf":  # test_outputs_pdf.py makes each of them
            assert client.get(path_of(settings, address)).status_code == 200
    whole = data["linked_data"]
    linked.expect_known_words(whole)
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
    settings.CONTENT_LICENCE = "CC BY 4.0 <by> the clinic."
    ContentVersion.changed()
    assert client.get(f"{ABOUT}json/").json()["licence"] == settings.CONTENT_LICENCE
    assert settings.CONTENT_LICENCE in text(page(client, "/about/"))


def test_the_first_page_names_the_site_and_the_clinic_with_the_details_it_has(client, settings):
    data = linked.block(page(client, "/"))
    linked.expect_known_words(data)
    site, clinic = data["@graph"]
    assert (site["@type"], clinic["@type"]) == ("WebSite", "MedicalClinic")
    assert site["publisher"]["@id"] == clinic["@id"]
    assert clinic["telephone"] == settings.CLINIC["phone"]
    settings.CLINIC = {**settings.CLINIC, "phone": "", "email": "", "address": ""}
    bare = linked.block(page(client, "/"))["@graph"][1]
    assert not {"telephone", "email", "address"} & set(bare)


def test_the_glossary_is_a_set_of_its_terms_each_at_its_place(client):
    tree = page(client, "/glossary/")
    data = linked.block(tree)
    linked.expect_known_words(data)
    said = {term["name"]: term["description"] for term in data["hasDefinedTerm"]}
    assert said == dict(GlossaryTerm.objects.values_list("term", "meaning"))
    assert {term["url"].removeprefix("#") for term in data["hasDefinedTerm"]} <= set(ids(tree))


# --- the head ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_its_own_address_and_shows_its_title_and_a_card_where_it_is_shared(client, settings, path):
    response = client.get(path, follow=True)  # a step that needs an earlier one leads back to it
    path, tree = response.request["PATH_INFO"], parse(response)
    [canonical] = linked.head_links(tree, "canonical")
    assert path_of(settings, canonical["href"]) == path
    metas = linked.metas(tree)
    assert title(tree) == f"{metas.get('og:title', title(tree).split(' – ')[0])} – {settings.CLINIC['name']}"
    [feed] = [link for link in linked.head_links(tree, "alternate") if link["type"] == "application/atom+xml"]
    assert feed["href"] == "/feed.xml"
    if metas.get("robots") == "noindex":
        assert not [name for name in metas if name.startswith(("og:", "twitter:"))]
        return
    assert metas["og:url"] == canonical["href"]
    assert metas["og:site_name"] == settings.CLINIC["name"]
    assert (metas["og:locale"], metas["twitter:card"]) == ("en_GB", "summary_large_image")
    assert metas.get("og:description") == metas.get("description")
    assert metas["og:type"] == ("article" if path.count("/") == 3 and path.startswith("/fact-sheets/") else "website")
    assert metas["og:image:alt"]
    answer = client.get(path_of(settings, metas["og:image"]))
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("PNG", (int(metas["og:image:width"]), int(metas["og:image:height"])))


@pytest.mark.parametrize(
    "path", ["/", "/fact-sheets/", ABOUT, "/get-help-now/", "/accessibility/", "/complaints/", "/about/"]
)
def test_a_page_that_people_look_for_says_in_a_sentence_what_it_holds(client, path):
    said = linked.metas(page(client, path))["description"]
    assert 30 < len(said) <= 300
    assert "{" not in said


@every_sheet
def test_the_other_forms_of_a_sheet_are_named_and_are_what_they_say(client, slug):
    tree = page(client, f"/fact-sheets/{slug}/")
    forms = {link["type"]: link["href"] for link in linked.head_links(tree, "alternate")}
    assert set(forms) == {"application/json", "text/plain", "application/pdf", "application/atom+xml"}
    for kind in ("application/json", "text/plain"):
        assert client.get(forms[kind])["Content-Type"].startswith(kind)
    assert forms["application/pdf"] == f"/fact-sheets/{slug}/pdf/"


def test_an_error_page_claims_no_address_and_no_card(client):
    tree = page(client, "/nothing-here/", status=404)
    assert not linked.head_links(tree, "canonical")
    assert not [name for name in linked.metas(tree) if name.startswith("og:")]


def test_both_schemes_have_a_colour_for_the_browsers_frame(client):
    colours = {
        n.get("media"): n.get("content") for n in page(client, "/").iter("meta") if n.get("name") == "theme-color"
    }
    assert set(colours) == {f"(prefers-color-scheme: {scheme})" for scheme in ("light", "dark")}
    assert len(set(colours.values())) == 2


# --- the sitemap ---------------------------------------------------------------------------------------------------


def sitemap(client, settings) -> dict[str, str]:
    """Path to the day of its last change ("" where we keep none)."""
    response = client.get("/sitemap.xml")
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - our own answer
    assert root.tag == f"{SITEMAP}urlset"
    found = {}
    for url in root:
        assert url.tag == f"{SITEMAP}url"
        found[path_of(settings, url.findtext(f"{SITEMAP}loc"))] = url.findtext(f"{SITEMAP}lastmod", "")
    assert len(found) == len(root), "An address is there twice."
    return found


def test_the_sitemap_lists_every_page_for_readers_and_no_other(client, settings):
    listed = sitemap(client, settings)
    for path in listed:
        tree = page(client, path)
        assert linked.metas(tree).get("robots") != "noindex"
        assert linked.head_links(tree, "canonical")[0]["href"] == f"{settings.BASE_URL}{path}"
    left_out = {path for path in PAGES if path not in listed}
    assert all(path.startswith(("/check/", "/search/")) or path.endswith("/sent/") for path in left_out), left_out
    assert len(listed) >= len(SLUGS) + 9


def test_the_sitemap_dates_a_sheet_by_its_last_change_or_review(client, settings, sheet):
    FactSheet.objects.update(updated_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert sitemap(client, settings)[ABOUT] == sitemap(client, settings)["/"] == "2026-03-01"
    sign_off(sheet)
    dates = sitemap(client, settings)
    today = timezone.localdate().isoformat()
    assert (dates[ABOUT], dates["/fact-sheets/"]) == (today, today)
    assert dates["/fact-sheets/stress-and-back-pain/"] == "2026-03-01"


@pytest.mark.parametrize("state", ["draft", "in_review", "retired"])
def test_what_is_not_published_is_in_no_list_for_programs(client, settings, state):
    FactSheet.objects.filter(slug="about-back-pain").update(state=state)
    assert ABOUT not in sitemap(client, settings)
    for path in FILES:
        assert "about-back-pain" not in client.get(path).content.decode()


def test_an_empty_site_has_a_sitemap_too(client, settings):
    FactSheet.objects.update(state="draft")
    assert sitemap(client, settings)["/"] == ""


# --- the feed ------------------------------------------------------------------------------------------------------


def feed(client) -> tuple[ElementTree.Element, list[dict]]:
    """The feed, checked against what RFC 4287 asks of every feed, and its entries as plain data."""
    response = client.get("/feed.xml")
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - our own answer
    assert root.tag == f"{ATOM}feed"
    entries = []
    for part in [root, *root.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"{ATOM}{name}")) == 1, name
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated")).tzinfo
        [alternate] = [link for link in part.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        if part is not root:
            entries.append(
                {
                    **{name: part.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "summary")},
                    "link": alternate.get("href"),
                }
            )
    assert len({entry["id"] for entry in entries}) == len(entries)
    return root, entries


def test_the_feed_says_who_it_is_from_and_where_it_is(client, settings):
    root, entries = feed(client)
    assert root.findtext(f"{ATOM}author/{ATOM}name") == settings.CLINIC["name"]
    [me] = [link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert path_of(settings, me.get("href")) == "/feed.xml"
    assert root.findtext(f"{ATOM}rights") == settings.CONTENT_LICENCE
    assert {path_of(settings, entry["link"]) for entry in entries} == {f"/fact-sheets/{slug}/" for slug in SLUGS}
    assert {entry["summary"] for entry in entries} == {"First published here."}


def test_a_change_and_a_sign_off_are_in_the_feed_at_once_without_the_editors_name(client, sheet):
    feed(client)
    made = edit(sheet, note="We made the first part shorter", title="What back pain is")
    sign_off(sheet)
    root, (signed, changed, *_) = feed(client)
    assert signed["summary"] == "A clinician read the page and signed it off."
    assert changed["summary"] == "We made the first part shorter."
    assert changed["title"] == "What back pain is"
    assert datetime.fromisoformat(changed["updated"]) == made.at.replace(microsecond=0)
    assert root.findtext(f"{ATOM}updated") == signed["updated"]
    said = client.get("/feed.xml").content.decode()
    assert not [word for word in ("ed.private", "ed@example.com", "Edna", "dr@example.com") if word in said]


def test_an_entry_keeps_its_name_when_the_sheet_moves(client, settings, sheet):
    before = {entry["id"] for entry in feed(client)[1]}
    actions.change_address(sheet=sheet, was=sheet.slug)
    sheet.slug = "another-address"
    sheet.save()
    entries = feed(client)[1]
    assert {entry["id"] for entry in entries} == before
    assert all(each.startswith(f"tag:{urlsplit(settings.BASE_URL).hostname},2") for each in before)
    assert f"{settings.BASE_URL}/fact-sheets/another-address/" in {entry["link"] for entry in entries}


def test_the_feed_leaves_out_what_readers_did_not_see_and_stops_at_fifty(client, sheet):
    edit(sheet, summary="Seen by readers.", note="Public")
    actions.move(sheet=sheet, step=Step.REOPENED, by=User.objects.get(username="ed.private"), note="To be reworked")
    edit(sheet, summary="Not yet.", note="Secret draft")
    FactSheet.objects.filter(pk=sheet.pk).update(state="published")
    said = client.get("/feed.xml").content.decode()
    assert "Public." in said
    assert "Secret" not in said
    assert "reworked" not in said
    last, now = sheet.editions.first(), timezone.now()
    many = [
        Edition(
            sheet=sheet, number=last.number + n, step="edited", state="published", public=True, content={}, actor="Edna"
        )
        for n in range(1, 61)
    ]
    for number, each in enumerate(many):
        each.note, each.at = f"Change {number}", now + timedelta(seconds=number)
    Edition.objects.bulk_create(many)
    ContentVersion.changed()
    _, entries = feed(client)
    assert [entry["summary"] for entry in entries] == [f"Change {number}." for number in range(59, 9, -1)]


def test_an_empty_feed_is_a_feed(client):
    Edition.objects.all().delete()
    ContentVersion.changed()
    root, entries = feed(client)
    assert not entries
    assert root.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


def test_characters_that_xml_cannot_hold_are_left_out(client, sheet):
    edit(sheet, title="Back\x0b pain\x1f <&> ]]> \ufffe🙂", note="We said\x07 less")
    changed = feed(client)[1][0]
    assert (changed["title"], changed["summary"]) == ("Back pain <&> ]]> 🙂", "We said less.")


# --- robots.txt, security.txt and the rest -------------------------------------------------------------------------


def test_robots_read_the_pages_and_stay_out_of_what_is_nobodys_business(client, settings):
    rules = RobotFileParser()
    rules.parse(client.get("/robots.txt").content.decode().splitlines())
    for path in sitemap(client, settings):
        assert rules.can_fetch("*", path), path
    for path in ("/admin/", "/search/?q=sciatica", "/check/2/"):
        assert not rules.can_fetch("*", path)
    assert rules.site_maps() == [f"{settings.BASE_URL}/sitemap.xml"]


def security(client) -> dict[str, str]:
    response = client.get("/.well-known/security.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = [line.split(": ", 1) for line in response.content.decode().splitlines()]
    assert len({name for name, _ in lines}) == len(lines)
    return dict(lines)


def test_security_txt_says_whom_to_tell(client, settings):
    settings.CLINIC = {**settings.CLINIC, "email": "o'hara+clinic@example.com"}
    said = security(client)
    assert said["Contact"] == "mailto:o%27hara+clinic@example.com"
    assert said["Canonical"] == f"{settings.BASE_URL}/.well-known/security.txt"
    assert said["Preferred-Languages"] == "en"
    settings.CLINIC = {**settings.CLINIC, "email": ""}
    assert security(client)["Contact"] == f"{settings.BASE_URL}/question/"


@pytest.mark.parametrize(
    "day", [date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 31), date(2028, 2, 29), date(2026, 12, 31)]
)
def test_security_txt_never_expires_soon_and_never_a_year_ahead(client, monkeypatch, day):
    monkeypatch.setattr(timezone, "localdate", lambda *args: day)
    ahead = datetime.fromisoformat(security(client)["Expires"]) - datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert timedelta(days=150) < ahead < timedelta(days=365)


def test_security_txt_that_was_kept_is_made_anew_when_the_month_ends(client, monkeypatch):
    said = set()
    for day in (date(2026, 4, 30), date(2026, 5, 1)):
        monkeypatch.setattr(timezone, "localdate", lambda *args, day=day: day)
        said.add(security(client)["Expires"])
    assert said == {"2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize("path", FILES)
def test_a_file_for_programs_is_kept_like_a_page(client, path, django_assert_num_queries):
    first = client.get(path)
    assert first["Cache-Control"] == "public, no-cache"
    assert not first.cookies
    with django_assert_num_queries(1):
        again = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = client.get(path, headers={"Accept-Encoding": "br"})
    assert small["Content-Encoding"] == "br"
    assert brotli.decompress(small.content) == first.content
    assert client.post(path).status_code in {403, 405}


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


def test_links_of_the_frame_lead_to_the_new_pages(client):
    [footer] = page(client, "/").iter("footer")
    assert {"/accessibility/", "/complaints/", "/privacy/", "/about/"} <= set(links(footer))
    for path in ("/accessibility/", "/complaints/"):
        assert Client().get(path)["Cache-Control"] == "public, no-cache"
