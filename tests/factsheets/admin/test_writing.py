"""The page on which a sheet is written, without script: its parts, its preview, what is not saved, sources, and who is there."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.signals import post_save
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factsheets import actions, autosave
from factsheets.models import (
    FactSheet,
    Figure,
    SearchQuestions,
    Section,
    SectionKind,
    Source,
    Statement,
    Topic,
    UnsavedEdit,
)
from factsheets.pasted_citation import free_key, known, read
from tests.support.desk import change_address, desk_of, draft, errors_of, person, save, values_of
from tests.support.html import text, tree

pytestmark = pytest.mark.django_db


def count(queries) -> int:
    """Without the note of when somebody was last seen, which a slow machine takes at another page."""
    return sum("django_session" not in each["sql"] and "SAVEPOINT" not in each["sql"] for each in queries)


VANCOUVER = (
    "12. Smith AB, Jones C, Brown DE, et al. Walking for back pain: a randomised trial. Spine J. 2025;25(3):101-110. "
    "doi:10.1016/j.spinee.2025.01.002. PMID: 39999999"
)
RIS = """TY  - JOUR
AU  - Smith, Anna B.
AU  - Jones, C
TI  - Walking for back pain
JO  - Spine J
VL  - 25
IS  - 3
SP  - 101
EP  - 110
PY  - 2025/03/01
DO  - 10.1016/j.spinee.2025.01.002
ER  -
"""
PUBMED = "Smith AB, Jones C. Walking for back pain. Spine 2025 Mar 1;25(3):101-110. doi:10.1016/j.spinee.2025.01.002"
APA = "Smith, A. B., & Jones, C. (2025). Walking for back pain. Spine, 25(3), 101–110."
BIBTEX = """@article{smith2025, author = {Smith, Anna B. and {Jones}, C}, title = "{W}alking for back pain",
 journal={Spine J}, year = 2025, volume=25, number={3}, pages={101--110}, doi={https://doi.org/10.1016/j.spinee.2025.01.002}}"""


def press(client, address: str, **changes):
    return client.post(address, values_of(client.get(address)) | changes, follow=True)


def shown(response) -> str:
    return " ".join(text(tree(response)).split())


@pytest.mark.long
def test_what_is_typed_is_shown_as_readers_will_see_it_and_is_there_until_it_is_saved(desk, author):
    sheet = draft(author)
    first = sheet.sections.get()
    address = change_address(first)
    opened = desk.get(address)
    assert "not saved it yet" not in shown(opened)
    # Pressed with nothing typed: nothing is kept.
    assert "not saved it yet" not in shown(desk.post(address, values_of(opened) | {"_preview": "yes"}, follow=True))
    words = "Walking **cures** most back pain, which is good to know on a bad day. [@MU20]\n\n- One\n- Two"
    response = press(desk, address, body=words, _preview="yes")
    page = shown(response)
    assert "You typed this at" in page and "not saved it yet." in page
    assert "Walking cures most back pain" in page and "Do not promise a cure." in page
    assert "Words a sentence, on average" in page and "Words in the leaflet" in page
    assert "<strong>cures</strong>" in response.content.decode()
    assert Section.objects.get(pk=first.pk).body == "Keep moving. [@NG59]\n", "A preview saves nothing."
    # The tab is closed. Another browser of theirs shows it again, and nobody else's does.
    assert values_of(desk.get(address))["body"] == words
    colleague = Client()
    colleague.force_login(person("Ada", "editor"))
    theirs = colleague.get(address)
    assert values_of(theirs)["body"].strip() == "Keep moving. [@NG59]"
    assert "Edith has had this sheet open since" in shown(theirs)
    assert "Ada has had this sheet open since" in shown(desk.get(change_address(sheet)))
    colleague.post(address, {"_left": "yes"})
    assert "Ada has had this sheet open" not in shown(desk.get(address))
    # Other parts say that something here is not saved; what is wrong is said before the save; a bad preview says why.
    assert "not saved" in shown(desk.get(change_address(sheet)))
    assert "Line 1: “<b>” is HTML" in errors_of(press(desk, address, body="<b>x</b> [@NG59]", _preview="yes"))
    assert "No source has the short name NOSUCH." in shown(press(desk, address, body="x [@NOSUCH]", _preview="yes"))
    # Saved: it is gone from what is kept. Discarded: what is stored is back.
    assert not errors_of(press(desk, address, body="Walk a little each day. [@NG59]", _save="Save"))
    assert "not saved" not in shown(desk.get(address))
    press(desk, address, body="Something else.", _preview="yes")
    assert values_of(desk.post(address, {"_discard": "yes"}, follow=True))["body"].startswith("Walk a little")
    # A colleague's save in between is said, also to what was kept before it.
    press(desk, address, body="Mine. [@NG59]", _preview="yes")
    Section.objects.filter(pk=first.pk).update(body="Theirs. [@NG59]")
    assert "saved this while you had it open." in shown(desk.get(address))


@pytest.mark.long
def test_parts_are_opened_moved_and_added_and_nothing_typed_is_lost(desk, author):
    sheet = draft(author)
    first = sheet.sections.get()
    for number, slug in enumerate(("second", "third"), start=2):
        Section.objects.create(
            sheet=sheet, slug=slug, position=number * 10, heading=slug.title(), body="Words. [@NG59]"
        )
    actions.refresh(sheet=sheet)
    second, third = sheet.sections.get(slug="second"), sheet.sections.get(slug="third")
    address = change_address(first)
    response = press(desk, address, body="Half a sentence", _open=str(third.pk))
    assert response.redirect_chain[-1][0] == change_address(third)
    response = press(desk, address, _shift=f"{first.pk}:down")
    assert values_of(response)["body"] == "Half a sentence"
    slugs = [each.slug for each in sheet.sections.all()]
    assert slugs == ["second", "first", "third"]
    desk.post(address, {"_put": f"{third.pk}:0"})
    assert [each.slug for each in sheet.sections.all()] == ["third", "second", "first"]
    desk.post(address, {"_put": f"{third.pk}:{second.pk}"})
    assert [each.slug for each in sheet.sections.all()] == ["second", "third", "first"]
    for nonsense in (f"{third.pk}:999999", "x:up", "", "999999:down", f"{third.pk}:sideways"):
        assert desk.post(address, {"_shift": nonsense}).status_code == 302
    assert FactSheet.objects.get(pk=sheet.pk).document["sections"][0]["slug"] == "second"
    response = press(desk, address, _open=f"new:more::{third.pk}")
    new = values_of(response)
    assert (new["layer"], new["after"], new["sheet"]) == ("more", str(third.pk), str(sheet.pk))
    page = desk.post(
        response.redirect_chain[-1][0],
        new | {"heading": "Why walk?", "body": "It helps.", "_preview": "yes"},
        follow=True,
    )
    assert "Why walk? It helps." in shown(page)
    asked = "why should i walk\nis walking good for a bad back"
    typed_meanwhile = values_of(desk.get(change_address(first))) | {"body": "Half a sentence, and more"}

    def type_on(instance, **_):
        """Their other tab goes on typing while this save stores what it had typed before."""
        if instance.pk == first.pk:
            data = QueryDict(mutable=True)
            data.update(typed_meanwhile)
            autosave.keep(sheet=sheet, part=autosave.part_of(first), by=author, posted=data)

    post_save.connect(type_on, sender=Section)
    address = response.redirect_chain[-1][0]
    saved = desk.post(address, new | {"heading": "Why walk?", "body": "It helps.", "asked": asked}, follow=True)
    assert not errors_of(saved)
    assert Section.objects.get(pk=first.pk).body.strip() == "Half a sentence", (
        "Save saves what is typed in other parts too."
    )
    post_save.disconnect(type_on, sender=Section)
    assert values_of(desk.get(change_address(first)))["body"] == "Half a sentence, and more"
    press(desk, change_address(first), body="<b>Bold</b>", _preview="yes")
    saved = press(desk, change_address(second), body="Two. [@NG59]", _save="Save")
    assert "something there needs correcting first: The first part." in shown(saved)
    assert Section.objects.get(pk=second.pk).body.strip() == "Two. [@NG59]"
    assert values_of(desk.post(change_address(first), {"_discard": "yes"}, follow=True))["body"] == "Half a sentence\n"
    place = SearchQuestions.objects.get(place="a-new-sheet#why-walk")
    assert place.questions == asked.split("\n")
    made = sheet.sections.get(slug="why-walk")
    assert "is walking good" in values_of(desk.get(change_address(made)))["asked"]
    assert "cannot be a question" in errors_of(save(desk, change_address(made), asked="Why walk" * 40))
    assert "Why walkWhy walk" in values_of(desk.get(change_address(made)))["asked"], "What was refused is kept too."
    assert not errors_of(save(desk, change_address(made), slug="walking"))
    assert SearchQuestions.objects.get(place="a-new-sheet#walking").questions == asked.split("\n")
    assert not errors_of(save(desk, change_address(made), asked=""))
    assert not SearchQuestions.objects.filter(place__startswith="a-new-sheet#").exists()
    # A colleague deletes a section in which somebody writes: what was typed is given back, and the next save does not drop it.
    press(desk, change_address(made), body="Only here.", _preview="yes")
    made.delete()
    press(desk, change_address(second), body="Two more. [@NG59]", _save="Save")
    given_back = UnsavedEdit.objects.get(typed__contains="Only")
    assert "in a section that has been deleted since" in shown(desk.get(change_address(second)))
    assert "Only here." in shown(desk.get(change_address(second)))
    press(desk, change_address(second), _discard=str(given_back.pk))
    assert "Only here." not in shown(desk.get(change_address(second)))


@pytest.mark.long
def test_a_source_is_cited_by_words_of_it_or_made_of_what_was_pasted(desk, author):
    section = draft(author).sections.get()
    address = change_address(section)
    one = press(desk, address, _cite="", _source="https://doi.org/10.1136/bmj.327.7410.323")
    assert values_of(one)["body"] == "Keep moving. [@NG59] [@PENGEL03]"
    several = press(desk, address, _cite="", _source="vickers acupuncture")
    assert "Which one do you mean?" in shown(several)
    assert values_of(press(desk, address, _cite="VICKERS18"))["body"].endswith("[@PENGEL03] [@VICKERS18]")
    twice = press(desk, address, _cite="PENGEL03")
    assert values_of(twice)["body"].endswith("[@PENGEL03] [@VICKERS18]"), "Beside each other, once."
    assert "is cited there already" in shown(twice)
    none = press(desk, address, _cite="", _source=VANCOUVER)
    assert "We do not have that source yet." in shown(none)
    [add] = [link.get("href") for link in tree(none).iter("a") if "source/add" in link.get("href", "")]
    filled = values_of(desk.get(add))
    assert filled["authors"] == "Smith AB, Jones C, Brown DE et al"
    assert (filled["title"], filled["container"]) == ("Walking for back pain: a randomised trial", "Spine J")
    assert (filled["year"], filled["detail"]) == ("2025", "25(3):101-110")
    assert (filled["doi"], filled["pmid"]) == ("10.1016/j.spinee.2025.01.002", "39999999")
    cited = desk.post(add, filled, follow=True)
    assert values_of(cited)["body"].endswith("[@VICKERS18] [@SMITH25]")
    assert Source.objects.get(key="SMITH25").address == "https://doi.org/10.1016/j.spinee.2025.01.002"
    # Of a bare DOI the short name is made once somebody has typed more.
    bare = press(desk, address, _cite="", _source="10.1000/xyz.99")
    [add] = [link.get("href") for link in tree(bare).iter("a") if "source/add" in link.get("href", "")]
    filled = values_of(desk.get(add))
    assert (filled["doi"], filled["key"]) == ("10.1000/xyz.99", "")
    typed = {"title": "The wombat’s back", "authors": "Wombat W", "year": "2024", "kind": "study"}
    assert values_of(desk.post(add, filled | typed, follow=True))["body"].endswith("[@WOMBAT24]")
    assert free_key({"title": "– The wombat’s back"}) == "WOMBATS" and free_key({"authors": "Ångström K"}) == "ANGSTROM"
    assert free_key({"authors": "- -", "title": "日本 Élan", "year": "2024"}) == "ELAN24"
    assert free_key({"doi": "10.1000/xyz.99"}) == "XYZ99"
    assert values_of(press(desk, address, _sign="Strong"))["body"].endswith("[@WOMBAT24] **strong words**")
    assert values_of(press(desk, address, _sign="List"))["body"].endswith(
        "**strong words**\n\n- one line\n- another line"
    )
    linked = press(desk, address, _link="", _page="acupuncture for back pain")
    assert values_of(linked)["body"].endswith(" [Acupuncture for back pain](/fact-sheets/acupuncture-for-back-pain/)")
    assert "Which one do you mean?" in shown(press(desk, address, _link="", _page="pain"))
    assert values_of(press(desk, address, _link="/check/"))["body"].endswith(" [Check your symptoms](/check/)")
    assert "None of our pages has all these words" in shown(press(desk, address, _link="", _page="zzz"))
    to_nice = press(desk, address, _link="", _page="https://www.nice.org.uk/ng59")
    assert values_of(to_nice)["body"].endswith(" [words](https://www.nice.org.uk/ng59)")
    # Enter in one of these boxes, without script, presses the form's first button on the page.
    first = next(each for each in tree(to_nice).iter("button") if each.get("form") == "section_form")
    by_enter = press(desk, address, **{first.get("name"): first.get("value"), "_source": "vickers acupuncture"})
    assert "(VICKERS12)" in shown(by_enter) and first.get("name") == "_preview"
    explained = press(desk, address, _explain="yes", _word="sciatica")
    assert values_of(explained)["body"].lower().endswith(" sciatica")
    assert "“zzz” is not in it yet." in shown(press(desk, address, _explain="yes", _word="zzz"))
    for pasted in (RIS, BIBTEX):
        found = read(pasted)
        assert (found["authors"], found["title"]) == ("Smith AB, Jones C", "Walking for back pain")
        assert (found["container"], found["year"], found["detail"]) == ("Spine J", "2025", "25(3):101-110")
        assert found["doi"] == "10.1016/j.spinee.2025.01.002" and found["key"] == "SMITH25-2"
    for pasted in PUBMED, APA:
        found = read(pasted)
        assert (found["authors"], found["title"]) == ("Smith AB, Jones C", "Walking for back pain")
        assert (found["container"], found["year"], found["detail"]) == ("Spine", "2025", "25(3):101-110")
    assert read("29198932")["pmid"] == "29198932" and known("PMID 29198932")[0].key == "VICKERS18"
    assert [each.key for each in known("VICKERS18: Acupuncture for pain (PACE)")] == ["VICKERS18"], (
        "As it was named before."
    )
    assert read("hello") == {} and known("") == []
    for hostile in ("@article{", "TY  - ", "@article{x, title={{{", "10.1/", "[" * 5000, "a. " * 3000):
        assert isinstance(read(hostile), dict)


@pytest.mark.both
def test_statements_and_figures_are_picked_by_words_of_them(desk, author):
    sheet = draft(author)
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}&layer=more"
    several = press(desk, add, _show="", _statement="exercise", heading="What the evidence says")
    assert "Which one do you mean?" in shown(several) and "No statement has all" in shown(
        press(desk, add, _show="", _statement="zzz")
    )
    heat, other = Statement.objects.get(key="heat-for-recent-pain"), Statement.objects.exclude(treatment="heat").first()
    picked = press(desk, add, _show=str(heat.pk))
    assert values_of(picked)["kind"] == "evidence", "A section without words becomes one that shows evidence."
    assert "Looking after your back" in shown(picked), "It says which sheets show the statement."
    assert "is in this section already" in shown(press(desk, add, _show="", _statement=heat.claim))
    picked = press(desk, add, _show=str(other.pk))
    assert not errors_of(desk.post(add, values_of(picked), follow=True))
    section = sheet.sections.get(kind="evidence")
    assert section.evidence == [heat, other]
    address = change_address(section)
    desk.get(address)  # notes that it is open
    with CaptureQueriesContext(connection) as queries:
        desk.get(address)
    of_two = count(queries)
    changed = values_of(desk.get(address)) | {"statement_uses-0-DELETE": "on", "statement_uses-1-position": "5"}
    assert not errors_of(desk.post(address, changed, follow=True))
    assert Section.objects.get(pk=section.pk).evidence == [other]
    with CaptureQueriesContext(connection) as queries:
        desk.get(address)
    assert count(queries) == of_two, "Another row asks nothing more."
    twice = values_of(press(desk, address, _show=str(heat.pk))) | {"statement_uses-1-statement": str(other.pk)}
    assert errors_of(desk.post(address, twice, follow=True))
    assert errors_of(desk.post(address, twice | {"statement_uses-1-statement": "999999"}, follow=True))
    desk.post(address, {"_discard": "yes"})
    # A figure, in a section and beside the key points.
    bones, facet = Figure.objects.order_by("slug")[:2]
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}"
    assert facet.title in shown(press(desk, add, _draw="", _figure="")), "The library is shown to who asks for nothing."
    assert "No figure has all these words" in shown(press(desk, add, _draw="", _figure="zzz"))
    picked = values_of(press(desk, add, _draw="", _figure=bones.title.upper()))
    assert (picked["kind"], picked["figure"]) == ("figure", str(bones.pk))
    assert not errors_of(desk.post(add, picked, follow=True))
    assert sheet.sections.get(kind="figure").figure == bones
    assert not errors_of(save(desk, change_address(sheet), lead_figure=str(facet.pk)))
    assert not errors_of(
        desk.post(change_address(sheet), values_of(press(desk, change_address(sheet), _draw="none")), follow=True)
    )
    assert FactSheet.objects.get(pk=sheet.pk).lead_figure is None


def test_a_part_of_any_kind_is_previewed_from_its_first_letter_on(desk, author):
    """As the page's script sends it: nothing is chosen yet, and the words have not the shape that the kind needs."""
    sheet = draft(author)
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}"
    opened = values_of(desk.get(add))
    halves = [{"heading": "Why"}, {"body": "- Half\n\n| a"}, {"body": "Half a", "layer": "more", "view": "traditional"}]
    for kind in (*SectionKind.values, "nonsense"):
        for typed in (
            *halves,
            {"figure": "999999"} if kind == "figure" else {},
            {"statement_uses-TOTAL_FORMS": "1", "statement_uses-0-statement": ""} if kind == "evidence" else {},
        ):
            kept = desk.post(add, opened | {"kind": kind, "_keep": "yes"} | typed)
            assert kept.status_code == 200, (kind, typed)
            is_shown = "It cannot be shown like this." not in (proof := kept.json()["proof"])
            assert ("No drawing chosen yet." in proof) == (kind == "figure" and is_shown), (kind, typed)
            assert not is_shown or typed.get("body", "").removeprefix("- ")[:4] in proof, (kind, typed)
        # Saved like this it is refused, on a page that holds what was typed.
        refused = desk.post(add, opened | {"kind": kind, "_save": "Save", "view": "western"}, follow=True)
        assert errors_of(refused) and values_of(refused)["view"] == "western", kind
    assert [each.slug for each in sheet.sections.all()] == ["first"]


def test_a_new_sheet_keeps_every_letter_from_its_first_and_two_tabs_lose_nothing(desk):
    add = reverse("admin:factsheets_factsheet_add")
    assert "required" in errors_of(save(desk, add, title="", topic=str(Topic.objects.first().pk)))
    begun = save(desk, add, title="About back pain", topic=str(Topic.objects.first().pk))
    sheet = FactSheet.objects.get(title="About back pain", state="draft")
    address = change_address(sheet)
    assert begun.redirect_chain[-1][0] == address and sheet.slug == "about-back-pain-2"
    assert "Write the summary and who it is for and the key points." in shown(desk.get(desk_of(sheet)))
    assert desk.get(sheet.get_absolute_url()).status_code == 200
    one, two = values_of(desk.get(address)), values_of(desk.get(address))
    desk.post(address, one | {"summary": "Typed in one tab.", "_preview": "yes"})
    desk.post(address, two | {"summary": "Typed in another.", "_preview": "yes"})
    page = desk.get(address)
    assert values_of(page)["summary"] == "Typed in another." and "You typed something else here at" in shown(page)
    page = desk.post(address, {"_swap": "yes"}, follow=True)
    assert values_of(page)["summary"] == "Typed in one tab." and "You typed something else here at" in shown(page)
    desk.post(address, two | {"summary": "Typed in another, and more.", "_preview": "yes"})
    assert values_of(desk.get(address))["summary"] == "Typed in another, and more."
    assert values_of(desk.post(address, {"_swap": "yes"}, follow=True))["summary"] == "Typed in one tab."
    page = desk.post(address, {"_discard": "aside"}, follow=True)
    assert "You typed something else" not in shown(page)
    later = values_of(page)  # a second tab, opened on what the first has typed
    desk.post(address, later | {"summary": "Typed on in the later tab.", "_preview": "yes"})
    assert "You typed something else" not in shown(desk.get(address)), "It is the same text, typed on."
    desk.post(address, one | {"summary": "Typed on in the first tab.", "_preview": "yes"})
    page = desk.post(address, {"_swap": "yes"}, follow=True)
    assert values_of(page)["summary"] == "Typed on in the later tab."


def test_only_those_who_may_write_keep_anything_and_it_ends(client, desk, author, reviewer):
    section = draft(author).sections.get()
    reads = Client()
    reads.force_login(reviewer)
    page = reads.get(change_address(section))
    assert page.status_code == 200 and "As readers see it" in shown(page)
    assert reads.post(change_address(section), {"_keep": "yes", "body": "x"}).status_code == 403
    kept = desk.post(
        change_address(section), values_of(desk.get(change_address(section))) | {"body": "New.", "_keep": "yes"}
    )
    assert kept.json()["kept"].startswith("Kept for you at") and "<p>New.</p>" in kept.json()["proof"]
    assert desk.post(change_address(section), {"_pulse": "yes"}).json() == {"others": []}
    from enquiries.privacy.retention import RULES

    [rule] = [each for each in RULES if each.name == "unsaved_edits"]
    assert not rule.due(timezone.now()).exists()
    assert rule.due(timezone.now() + timedelta(days=14)).count() == UnsavedEdit.objects.count() == 1


@pytest.mark.long
def test_the_pages_of_a_sheet_ask_as_much_however_many_sheets_there_are(desk, author):
    sheet = draft(author)
    section = sheet.sections.get()
    addresses = [
        change_address(sheet),
        change_address(section),
        f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}",
        reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]),
        reverse("admin:factsheets_factsheet_changelist"),
    ]

    def asked() -> list[tuple[int, int]]:
        found = []
        for address in addresses:
            desk.get(address)  # what a page caches is read once
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(address).status_code == 200
            found.append((count(queries), sum('"document"' in each["sql"] for each in queries)))
        return found

    before = asked()
    for number in range(30):
        FactSheet.objects.create(
            slug=f"more-{number}",
            title=f"More {number}",
            topic=sheet.topic,
            summary="x",
            audience="x",
            key_points="- x",
        )
    assert asked() == before
    assert max(documents for _, documents in before) <= 4, before  # each of the one sheet
