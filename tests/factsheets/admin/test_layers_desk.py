"""An editor writes a sheet in its layers: the form says what fits, the desk shows them in order, and the history keeps them."""

import pytest
from django.urls import reverse

from factsheets import actions, publishing_rules, revisions
from factsheets.models import Edition, Figure, Section
from tests.support.desk import change_address, desk_of, draft, errors_of, save, values_of
from tests.support.edition import PART
from tests.support.edition import Edition as Fixtures
from tests.support.html import text, tree
from tests.support.layered_sheet import in_layers

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def layered(author):
    sheet = in_layers(draft(author))
    actions.keep_edition(sheet=sheet, by=author)
    return sheet


def names_of(sheet) -> list[str]:
    return [each["slug"] for each in sheet.document["sections"]]


def test_the_desk_shows_the_questions_in_order_with_the_weight_of_the_open_layers(desk, layered):
    shown = tree(desk.get(desk_of(layered)))
    headings = [text(each) for each in shown.iter("h3")]
    assert headings[:6] == [
        "Should I worry?",
        "What can I do today?",
        "How long will it last?",
        "What may help?",
        "When should I see someone?",
        "For those who want more, folded",
    ]
    assert "The leaflet is in the first" in text(shown)
    assert not [each for each in publishing_rules.obstacles(layered) if not each.finding]


@pytest.mark.long
def test_the_desk_says_what_the_leaflet_does_not_answer_yet_and_what_another_kind_of_sheet_asks(desk, layered):
    layered.sections.filter(slug="gp").update(question="what-next")
    said = text(tree(desk.get(desk_of(layered))))
    assert "The leaflet does not answer “When should I see someone?” yet." in said
    assert "“What should I do next?” belongs to another kind of sheet." in said
    layered.sections.filter(slug="gp").update(question="")
    assert "Choose the question that this section answers." in text(tree(desk.get(desk_of(layered))))


@pytest.mark.long
def test_the_form_offers_the_questions_of_the_sheet_and_says_what_does_not_fit(desk, layered):
    studies = layered.sections.get(slug="studies")
    opened = tree(desk.get(change_address(studies)))
    [choice] = [each for each in opened.iter("select") if each.get("name") == "question"]
    assert [each.get("value") for each in choice.iter("option")] == ["", *layered.questions]
    folded = save(desk, change_address(studies), question="what-may-help")
    assert "Only the leaflet has questions." in errors_of(folded)
    for slug, said in {
        "calm": "#calm is already an address on this page.",
        "sources": "The page itself uses #sources.",
        "what-may-help": "The page itself uses #what-may-help.",
        "not an address": "Write each address in small letters",
    }.items():
        assert said in errors_of(save(desk, change_address(studies), former_slugs=f"old-studies, {slug}")), slug
    assert "already an address" in errors_of(
        save(desk, change_address(layered.sections.get(slug="gp")), slug="old-studies")
    )
    moved = save(desk, change_address(studies), layer="leaflet", question="how-long", former_slugs="old-studies, older")
    assert not errors_of(moved)
    layered.refresh_from_db()
    assert names_of(layered).index("studies") == names_of(layered).index("weeks") + 1
    assert values_of(desk.get(change_address(studies)))["former_slugs"] == "old-studies, older"


def test_a_section_moves_among_those_of_its_question_and_no_further(desk, layered):
    def shift(slug: str, way: str) -> list[str]:
        section = layered.sections.get(slug=slug)
        desk.post(reverse("admin:factsheets_section_shift", args=[layered.pk, section.pk]), {"way": way})
        layered.refresh_from_db()
        return names_of(layered)

    before = names_of(layered)
    assert shift("move", "up") == before, "Above it stands another question."
    after = shift("move", "down")
    assert after.index("list") < after.index("move")
    assert shift("list", "down") == before


@pytest.mark.long
def test_the_answer_is_short_and_cites_nothing(desk, layered):
    address, points = change_address(layered), layered.key_points
    assert values_of(desk.get(address))["key_points"] == points.replace("- ", "").strip(), "No signs to know by heart."
    for fields, said in (
        ({"in_short": "word " * 51}, "“In short” has 51 words. Write 50 at most."),
        ({"in_short": "Keep moving. [@NG59]"}, "Cite no sources in “In short”."),
        ({"in_short": "- Keep moving."}, "one paragraph of two or three sentences"),
        ({"key_points": "- One.\n- Two.\n- Three. [@NG59]"}, "Cite no sources in the key points."),
        ({"key_points": "One.\nTwo.\nThree.\nFour."}, "Write three key points, each on a line of its own."),
    ):
        assert said in errors_of(save(desk, address, **fields)), fields
    figure = Figure.objects.order_by("-slug").first()
    assert not errors_of(save(desk, address, in_short="Keep moving.", lead_figure=str(figure.pk)))
    layered.refresh_from_db()
    assert layered.key_points == points
    assert not errors_of(save(desk, address, key_points="One is first.\r\n\r\n- Two follows.\r\n Three ends. \r\n"))
    layered.refresh_from_db()
    assert layered.key_points == "- One is first.\n- Two follows.\n- Three ends.\n"
    strong = desk.post(address, values_of(desk.get(address)) | {"_sign": "in_short:Strong"}, follow=True)
    assert values_of(strong)["in_short"] == "Keep moving. **strong words**"
    assert "Keep moving. <strong>strong words</strong>" in strong.content.decode(), "The preview follows."
    assert (layered.document["in_short"]["html"], layered.document["lead_figure"]["slug"]) == (
        "Keep moving.",
        figure.slug,
    )


def test_the_history_keeps_the_layers_and_puts_them_back(author, layered):
    before = layered.editions.first()
    layered.sections.filter(slug="studies").update(layer="leaflet", question="how-long", former_slugs=[])
    layered.in_short, layered.lead_figure = "", None
    layered.save()
    actions.refresh(sheet=layered)
    after = actions.keep_edition(sheet=layered, by=author)
    changed = {each.field for each in revisions.changes(before.content, after.content)}
    assert changed == {"In short", "First drawing", "layer", "question", "former addresses"}
    assert after.changes == ["Changed: In short", "Changed: First drawing", "Changed: Studies and numbers"]
    actions.roll_back(edition=Edition.objects.get(pk=before.pk), by=author)
    layered.refresh_from_db()
    assert revisions.snapshot(layered) == before.content
    assert names_of(layered)[-3:] == ["studies", "limits", "tradition"]


def test_an_edition_from_before_there_were_layers_comes_back_as_one_page_of_chapters(author, layered):
    old = layered.editions.first()
    old.content["sheet"] = {
        name: value for name, value in old.content["sheet"].items() if name not in {"kind", "in_short", "lead_figure"}
    } | {"first_page_title": "The start"}
    for section in old.content["sections"]:
        for name in ("layer", "question", "former_slugs"):
            section.pop(name, None)
        section["page_title"] = "A page" if section["slug"] == "studies" else ""
    points = old.content["sheet"]["key_points"]
    old.content["sheet"]["key_points"] = "- One. [@NG59]\n- Two.\n- Three.\n- Four.\n"
    old.save()
    with pytest.raises(actions.MoveRefused, match="Write three key points"):
        actions.roll_back(edition=Edition.objects.get(pk=old.pk), by=author)
    old.content["sheet"]["key_points"] = points
    old.save()
    actions.roll_back(edition=Edition.objects.get(pk=old.pk), by=author)
    layered.refresh_from_db()
    assert (layered.kind, layered.in_short, layered.lead_figure) == ("condition", "", None)
    assert [each["heading"] for each in layered.document["chapters"]][-2:] == [
        "Studies and numbers",
        "The traditional view",
    ]
    assert {each["layer"] for each in layered.document["chapters"]} == {"leaflet"}


@pytest.mark.long
def test_newer_content_moves_a_section_and_leaves_alone_where_staff_put_it(tmp_path):
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.fields(PART)["kind"] = "self_care"
    fixtures.load()
    fixtures.fields("second").update(layer="more", former_slugs=["once"])
    fixtures.load()
    section = Section.objects.get(sheet__slug=PART, slug="second")
    assert (section.layer, section.former_slugs) == ("more", ["once"])
    # A section that goes leaves its address to the one that takes its words.
    fixtures.drop("first")
    fixtures.fields("second")["former_slugs"] = ["once", "first"]
    fixtures.load()
    section.refresh_from_db()
    assert section.former_slugs == ["once", "first"]
    assert section.sheet.document["sections"][-1]["also"] == ["once", "first"]
    Section.objects.filter(pk=section.pk).update(layer="leaflet", question="how-to")
    fixtures.fields("second")["question"] = "what-helps"
    said = fixtures.load()
    section.refresh_from_db()
    assert (section.layer, section.question) == ("leaflet", "how-to")
    assert "what-helps" in said
