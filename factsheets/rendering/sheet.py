"""A sheet's document and everything around it, for all outputs."""

from django.conf import settings
from django.utils import timezone

from backcare.core import clinic
from factsheets import pictures, publishing_rules, safety, team
from factsheets.models import SIGNED, Edition, FactSheet, Layer, SheetKind, Step, Tradition

# Every output shows it on every section with the traditional view. No author writes it, and none can leave it off.
TRADITIONAL_LABEL = "Traditional explanation. Not a medical diagnosis."

LISTED_CHANGES = 10


def state_note(sheet: FactSheet) -> str:
    """What a reader must know about the review before trusting the page. Empty if it is reviewed and not overdue."""
    if sheet.draft_of_id:
        return "This is a draft of a published page. Only staff can see it."
    if not sheet.is_published:
        return f"This page is {sheet.state_in_a_sentence}. Only staff can see it."
    if sheet.awaits_review:
        return "Awaiting clinical review. No clinician has signed this page off yet."
    if sheet.review_is_overdue(timezone.localdate()):
        return f"The review of this page was due on {sheet.review_due_on:%-d %B %Y} and has not happened yet."
    if publishing_rules.changed_since_review(sheet):
        if publishing_rules.only_corrected(sheet):
            return (
                f"Small corrections were made since a clinician signed this page off on {sheet.reviewed_on:%-d %B %Y}."
            )
        return f"This page has changed since a clinician signed it off on {sheet.reviewed_on:%-d %B %Y}."
    return ""


def what_changed(sheet: FactSheet) -> list[dict]:
    """The latest changes that readers could see, newest first: the day, and what changed."""
    found = []
    for edition in sheet.editions.for_readers().defer("content")[:LISTED_CHANGES]:
        if said := lines(edition):
            # Installed words have their authors' date, so that no change here is later than “Last changed”.
            at = min(edition.at, sheet.updated_at) if edition.step == Step.INSTALLED else edition.at
            found.append({"on": timezone.localdate(at), "lines": said})
    return found


def lines(edition: Edition) -> list[str]:
    """What an edition says to readers. Empty if it changed nothing they can see."""
    if edition.step == Step.RESTORED:
        return ["An earlier version of the page, which a clinician had signed off, was put back."]
    if edition.step in SIGNED:
        said = [edition.note] if edition.note else edition.changes
        return [*said, "A clinician read the page and signed it off."]
    if edition.number == 1:
        return ["First published here."]
    return [edition.note] if edition.note else edition.changes


def sources(sheet: FactSheet) -> str:
    """How many sources the page cites and from which years, such as “23 sources, from 1980 to 2025”. Empty if none."""
    cited = sheet.document.get("references", [])
    years = sorted({each["year"] for each in cited if each["year"]})
    said = f"{len(cited)} source{'' if len(cited) == 1 else 's'}" if cited else ""
    if said and years:
        said += f", from {years[0]}" if len(years) == 1 else f", from {years[0]} to {years[-1]}"
    return said


def reviewer(sheet: FactSheet) -> str:
    """The reviewer as readers see them: Ann Lee, physiotherapist (HCPC PH123456). Empty until somebody has reviewed it."""
    return team.line_of(sheet.reviewed_by)


def prices(sheet: FactSheet) -> list[str]:
    """What the clinic charges for the sheet's treatment, by line. Empty if it does not sell it."""
    if not sheet.treatment_offered or sheet.kind != SheetKind.TREATMENT:
        return []
    rows = [row for section in sheet.document.get("sections", []) for row in section.get("evidence", [])]
    return clinic.prices_of("acupuncture" if any(row["treatment"] == "acupuncture" for row in rows) else "")


def address(sheet: FactSheet) -> str:
    """The live page's absolute address."""
    return f"{settings.BASE_URL}{sheet.get_absolute_url()}"


def chapters(document: dict, layer: str) -> list[dict]:
    """The chapters of one layer, each with its sections."""
    sections = {section["slug"]: section for section in document.get("sections", [])}
    return [
        {**chapter, "sections": [sections[slug] for slug in chapter["sections"]]}
        for chapter in document.get("chapters", [])
        if chapter["layer"] == layer
    ]


def related(sheet: FactSheet) -> list[dict]:
    """Related sheets that the public can open, with the reason to read each."""
    return [
        {"title": link.to.title, "reason": link.reason, "path": link.to.get_absolute_url()}
        for link in sheet.related.select_related("to").defer("to__document")
        if link.to.is_published
    ]


def full(sheet: FactSheet) -> dict:
    """Everything an output other than HTML needs, as plain data. Raises SafetyAdviceMissing."""
    return {
        "slug": sheet.slug,
        "title": sheet.title,
        "summary": sheet.summary,
        "audience": sheet.audience,
        "language": "en-GB",
        "topic": sheet.topic.title,
        "address": address(sheet),
        "state_note": state_note(sheet),
        "reviewed_on": sheet.reviewed_on.isoformat() if sheet.reviewed_on else "",
        "review_due_on": sheet.review_due_on.isoformat() if sheet.review_due_on else "",
        "reviewer": reviewer(sheet),
        "changes": [{**each, "on": each["on"].isoformat()} for each in what_changed(sheet)],
        "evidence_checked_on": sheet.evidence_checked_on.isoformat() if sheet.evidence_checked_on else "",
        "updated_on": timezone.localdate(sheet.updated_at).isoformat(),
        "treatment_offered": sheet.treatment_offered,
        "prices": prices(sheet),
        "safety": safety.tiers(),
        "kind": sheet.kind,
        "in_short": sheet.document.get("in_short"),
        "lead_figure": _figure(sheet.document.get("lead_figure")),
        "key_points": sheet.document.get("key_points", []),
        "sections": [
            {**_section(section), "label": TRADITIONAL_LABEL if section["view"] == Tradition.TRADITIONAL else ""}
            for section in sheet.document.get("sections", [])
        ],
        # What each layer holds: the questions of the leaflet, and what is folded below it.
        "layers": {
            layer.value: [
                {name: chapter[name] for name in ("slug", "heading", "sections")}
                for chapter in sheet.document.get("chapters", [])
                if chapter["layer"] == layer
            ]
            for layer in Layer
        },
        "words": sheet.document.get("words", []),
        "references": sheet.document.get("references", []),
        "related": [{**link, "url": f"{settings.BASE_URL}{link['path']}"} for link in related(sheet)],
    }


def _section(section: dict) -> dict:
    return {**section, "figure": _figure(section["figure"])} if section.get("figure") else section


def _figure(figure: dict | None) -> dict | None:
    """The figure, with the absolute address of its picture's largest JPEG."""
    if not figure or not (picture := figure.get("picture")):
        return figure
    path = pictures.address(picture["digest"], picture["widths"][-1], "jpg")
    return {**figure, "picture": {**picture, "address": f"{settings.BASE_URL}{path}"}}
