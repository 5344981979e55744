"""Every treatment with its verdict, how sure we are and what NICE says, in one list that links can narrow."""

import pytest

from backcare.core import clinic
from factsheets.models import Direction, FactSheet, State, Statement
from factsheets.rendering.document import verdict_of
from tests.support.html import text
from tests.support.reading import expect_links_on_the_page_to_lead_somewhere, ids, links, page, with_class

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


def rows(client, path: str) -> dict[str, str]:
    """The claims on the page, each with all that its row says."""
    tree = page(client, path)
    return {text(row[0]): text(row) for row in with_class(tree, "claim")}


def shown(client, path: str) -> set[str]:
    said = rows(client, path)
    return {each.key for each in Statement.objects.all() if any(name.startswith(each.claim) for name in said)}


def test_every_statement_is_there_with_all_that_is_known(client):
    said = rows(client, "/treatments/")
    for each in Statement.objects.exclude(direction=Direction.SERIOUS_HARM_RARE):
        row = next(words for name, words in said.items() if name.startswith(each.claim))
        assert verdict_of(each) in row
        assert (each.get_grade_display() if each.grade else "Guidance") in row
        chip = "NICE: not recommended" in row or "by NICE" in row
        assert chip or f"NICE: {each.nice_position or 'no advice that we know of.'}" in row, "None is said to be none."
        assert each.nice_position in row
        assert f"Cost to you: {each.burden or 'we do not know.'}" in row
        assert each.grade or "so no bars" in row
        for source in each.sources.all():
            assert source.citation in row
    ours = clinic.details()["acupuncture_prices"]
    assert ours
    for name, row in said.items():
        assert "[" not in row, "A citation without its number."
        assert "acupuncture" not in name.lower() or "NICE does not recommend acupuncture" in row
        assert ("Acupuncture" in name) == (ours[0] in row), (
            "What a reader pays us, beside what we sell and nothing else."
        )
    tree = page(client, "/treatments/")
    expect_links_on_the_page_to_lead_somewhere(tree)
    for path in {link for link in links(tree) if link.startswith("/fact-sheets/") and "#" in link}:
        sheet, _, place = path.partition("#")
        assert place in ids(page(client, sheet)), path


def test_links_narrow_the_list(client):
    assert shown(client, "/treatments/helps/long-term-pain/") >= {"exercise-for-long-term-pain"}
    recent = shown(client, "/treatments/recent-pain/")
    assert {"heat-for-recent-pain", "massage"} <= recent
    assert not {"exercise-for-long-term-pain", "surgery-for-sciatica"} & recent
    assert "surgery-for-sciatica" in shown(client, "/treatments/may-help/leg-pain/")
    advised_against = shown(client, "/treatments/not-advised/")
    assert advised_against == set(Statement.objects.filter(direction="not_advised").values_list("key", flat=True))
    narrowed = page(client, "/treatments/not-advised/recent-pain/")
    assert [text(each) for each in narrowed.iter("a") if each.get("aria-current") == "true"][1:] == [
        "Not advised",
        "Recent pain",
    ]
    assert "/treatments/not-advised/leg-pain/" in links(narrowed)
    assert "/treatments/recent-pain/" in links(narrowed)
    assert 'rel="canonical" href="http://127.0.0.1:8000/treatments/"' in client.get(
        "/treatments/helps/"
    ).content.decode().replace("http://testserver", "http://127.0.0.1:8000")


@pytest.mark.parametrize("path", ["nothing/", "recent-pain/helps/", "helps/helps/", "helps/nothing/"])
def test_no_other_address_makes_a_list(client, path):
    assert client.get(f"/treatments/{path}").status_code == 404


def test_only_what_readers_can_open(client):
    assert "moxibustion" in shown(client, "/treatments/")
    FactSheet.objects.filter(slug="traditional-chinese-medicine-view").update(state=State.DRAFT)
    assert "moxibustion" not in shown(client, "/treatments/")
    FactSheet.objects.update(state=State.DRAFT)
    assert "No treatment is in this list." in text(page(client, "/treatments/"))
