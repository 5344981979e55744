"""The claim ledger and the claims guard: every fact traced, no forbidden wording."""

from io import StringIO

import pytest
from django.core.management import call_command

from factsheets import actions
from factsheets.claims_guard import findings
from factsheets.coverage import measure
from factsheets.models import Claim, ClaimStatus, FactSheet, Section
from tests.support.desk import desk_of
from tests.support.layered_sheet import in_layers

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def with_section(sheet, body, *, view="neither", heading="A new chapter"):
    Section.objects.create(sheet=sheet, slug="new", position=9999, kind="text", view=view, heading=heading, body=body)
    actions.refresh(sheet=sheet)
    return [found.code for found in findings(sheet.document)]


def test_every_publishable_row_of_the_ledger_is_covered():
    found = measure()
    assert len(found.covered) == 9
    assert sum(map(len, found.covered.values())) >= 280
    assert not any(found.missing.values()), found.missing
    assert not found.dropped_but_used
    assert not found.unknown
    assert not found.without_row


def test_coverage_says_what_is_missing_dropped_or_unknown(sheet, staff_client):
    Claim.objects.create(ref="Z-01", status=ClaimStatus.KEEP, sheets=[sheet.slug], statement="Not covered.")
    dropped = Claim.objects.filter(status=ClaimStatus.DROP).first()
    section = sheet.sections.filter(kind="text").first()
    section.claim_refs = [dropped.ref, "Q-99"]
    section.save()
    Section.objects.create(sheet=sheet, slug="bare", kind="text", heading="Bare", body="No row.", position=999)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("claims_coverage", stdout=out)
    said = out.getvalue()
    assert "missing: " in said
    assert "Z-01" in said
    assert f"{dropped.ref} in {sheet.slug}#{section.slug}" in said
    assert f"Q-99 in {sheet.slug}#{section.slug}" in said
    assert f"{sheet.slug}#bare" in said
    assert "<p>Z-01</p>" in staff_client.get(desk_of(sheet)).content.decode()


def test_no_published_sheet_has_forbidden_wording():
    assert FactSheet.objects.published().count() == 9
    out = StringIO()
    call_command("claims_guard", stdout=out)
    assert "0 found." in out.getvalue()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("This treatment cures back pain.", "cure"),
        ("It heals discs.", "heal"),
        ("Its effect is proven.", "proven"),
        ("Acupuncture works for your back.", "works"),
        ("It is approved by the WHO.", "approved"),
        ("We guarantee results.", "guaranteed"),
        ("Feel instant relief.", "instant"),
        ("Tuina is highly effective.", "effective"),
        ("Herbs are natural and safe.", "natural"),
        ("Your spine shows wear and tear.", "blame"),
        ("Come to us instead of your GP.", "delay"),
        ("Our Chinese medical doctor will see you.", "doctor"),
        ("We treat cancer pain with needles.", "cancer"),
        ("Acupuncture eases long-term low back pain for a while.", "nice"),
        ("Acupuncture relieves sciatica. NICE has a view.", "outside"),
        ("Stuck qi causes pain.", "traditional"),
    ],
)
def test_wording_that_is_not_allowed_is_found(sheet, body, code):
    assert code in with_section(sheet, body)


@pytest.mark.parametrize(
    "body",
    [
        "Acupuncture may ease long-term low back pain for a while. NICE does not recommend acupuncture for low back pain.",
        "Acupuncture does not help sciatica. NICE advises against it.",
        "Keep moving. Most people get better within weeks.",
    ],
)
def test_honest_wording_passes(sheet, body):
    assert with_section(sheet, body) == []


def test_a_traditional_idea_passes_in_a_traditional_section(sheet):
    assert with_section(sheet, "Practitioners describe stuck qi.", view="traditional") == []


def test_a_finding_names_the_rule_and_the_sentence(sheet):
    Section.objects.create(
        sheet=sheet, slug="new", position=9999, kind="text", heading="New", body="All is well. It is proven. Good."
    )
    actions.refresh(sheet=sheet)
    [found] = findings(sheet.document)
    assert found.sentence == "It is proven."
    assert found.section == "New"
    assert "grade in words" in found.rule


BENEFIT = "Acupuncture may ease long-term low back pain for a while."
NICE_SAYS_NO = "NICE does not recommend acupuncture for low back pain or sciatica."


def test_nice_stands_once_below_a_heading_and_not_twice(sheet):
    layered = in_layers(sheet)

    def found(**bodies) -> list[tuple[str, str]]:
        for slug, body in bodies.items():
            layered.sections.filter(slug=slug).update(body=f"{body} [@NG59]\n", kind="text")
        actions.refresh(sheet=layered)
        return [(each.code, each.section) for each in findings(layered.document)]

    assert found() == []
    assert found(move=BENEFIT) == [("nice", "What can I do today?")]
    assert found(list=NICE_SAYS_NO) == [], "It stands in another section below the same question."
    assert found(move=f"{BENEFIT} NICE advises against acupuncture.") == [("repeat", "What can I do today?")]
    assert found(move="Walk.", list="Rest.", studies=BENEFIT) == [("nice", "Studies and numbers")]
    layered.sections.filter(slug="rows").update(body=f"{BENEFIT}\n")
    assert found(studies="Rest.") == [], "The chip beside a statement says it."
    FactSheet.objects.filter(pk=layered.pk).update(in_short=BENEFIT)
    layered.refresh_from_db()
    assert found() == [("nice", "in short")]
    FactSheet.objects.filter(pk=layered.pk).update(key_points=f"- {NICE_SAYS_NO}\n- Walk.\n- Rest.\n")
    layered.refresh_from_db()
    assert found() == []
