"""Every treatment with its verdict, how sure we are and what NICE says, in one list that links can narrow."""

import pytest

from backcare.core import clinic
from factsheets.models import Direction, FactSheet, State, Statement
from factsheets.rendering.document import verdict_of
from factsheets.treatments import name_of
from tests.support.html import text
from tests.support.reading import expect_links_on_the_page_to_lead_somewhere, ids, links, page, with_class

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


def rows(client, path: str) -> dict[str, tuple[str, str]]:
    """For each statement on the page, by its key, what its treatment's row shows before it is opened, and all that it says."""
    tree = page(client, path)
    return {key: (text(row[0]), text(row)) for row in with_class(tree, "claim") for key in ids(row)}


def shown(client, path: str) -> set[str]:
    return set(rows(client, path))


def test_every_statement_is_there_with_all_that_is_known(client):
    said = rows(client, "/treatments/")
    for each in Statement.objects.exclude(direction=Direction.SERIOUS_HARM_RARE):
        closed, row = said[each.key]
        assert verdict_of(each) in closed
        assert each.claim in row
        assert (each.get_grade_display() if each.grade else "Guidance") in row
        chip = "NICE: not recommended" in closed or "by NICE" in closed
        assert chip or f"NICE: {each.nice_position or 'no advice that we know of.'}" in closed, (
            "None is said to be none."
        )
        assert each.nice_position in row
        assert "Cost to you: " in closed
        assert (each.burden or "we do not know.") in closed
        assert each.grade or "so no bars" in row
        for source in each.sources.all():
            assert source.citation in row
    ours = clinic.details()["acupuncture_prices"]
    assert ours
    for closed, row in said.values():
        assert "[" not in row, "A citation without its number."
        assert "acupuncture" not in closed.lower() or "NICE does not recommend acupuncture" in row
        assert ("Acupuncture" in closed) == (ours[0] in closed), (
            "What a reader pays us, beside what we sell and nothing else."
        )
    tree = page(client, "/treatments/")
    assert len(with_class(tree, "claim")) == len({each.treatment for each in Statement.objects.filter(key__in=said)})
    headings = {text(row[0]): text(group[0]) for group in tree.iter("section") for row in with_class(group, "claim")}
    assert {each.split()[0]: heading for each, heading in headings.items() if heading == "It depends"} == {
        "Acupuncture": "It depends",
        "Surgery": "It depends",
    }
    acupuncture = next(each for each in headings if each.startswith("Acupuncture NICE: not recommended"))
    assert "For sciatica: We are not sure if it helps" in acupuncture
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
    against = Statement.objects.filter(direction="not_advised")
    of_those = Statement.objects.filter(treatment__in=against.values("treatment")).exclude(
        key="acupuncture-serious-harm"
    )
    assert advised_against == set(of_those.values_list("key", flat=True)), (
        "With the other answers on the same treatment."
    )
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


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (["Heat for recent pain"], "Heat for recent pain"),
        (["Surgery for sciatica", "Surgery for common pain"], "Surgery"),
        (
            ["Tablets, such as ibuprofen, for new pain", "Tablets, such as ibuprofen, for old pain"],
            "Tablets, such as ibuprofen",
        ),
        (["Yoga", "Yoga to prevent pain"], "Yoga"),
        (["Swimming for pain", "Sport in water"], ""),
    ],
)
def test_a_treatment_is_called_what_its_claims_begin_with(claims, name):
    assert name_of(claims) == name
