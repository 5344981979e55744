"""A sheet with everything around its document, as the outputs share it."""

from django.conf import settings
from django.utils import timezone

from factsheets import safety
from factsheets.models import FactSheet, View

# Stands on every section of the traditional view, in every output. No author writes it, and none can leave it off.
TRADITIONAL_LABEL = "Traditional explanation. Not a medical diagnosis."


def state_note(sheet: FactSheet) -> str:
    """What a reader must know about the review before trusting the page. Empty when it is reviewed and in time."""
    if not sheet.is_published:
        return f"This page is {sheet.get_state_display()}. Only staff can see it."
    if sheet.awaits_review:
        return "Awaiting clinical review. No clinician has signed this page off yet."
    if sheet.review_is_overdue(timezone.localdate()):
        return f"The review of this page was due on {sheet.review_due_on:%-d %B %Y} and has not happened yet."
    return ""


def reviewer(sheet: FactSheet) -> str:
    return sheet.reviewed_by.get_full_name() or sheet.reviewed_by.get_username() if sheet.reviewed_by else ""


def address(sheet: FactSheet) -> str:
    """The live page's absolute address."""
    return f"{settings.BASE_URL}{sheet.get_absolute_url()}"


def related(sheet: FactSheet) -> list[dict]:
    """Related sheets that the public can open, with the reason why."""
    return [
        {"title": link.to.title, "reason": link.reason, "path": link.to.get_absolute_url()}
        for link in sheet.related.select_related("to")
        if link.to.is_published
    ]


def chapters(document: dict) -> list[dict]:
    """The sections grouped under the heading they belong to, in order."""
    grouped: list[dict] = []
    for section in document.get("sections", []):
        if section["starts_chapter"] or not grouped:
            grouped.append(
                {
                    "slug": section["slug"],
                    "heading": section["heading"],
                    "view": section["view"],
                    "sections": [],
                }
            )
        grouped[-1]["sections"].append(section)
    return grouped


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
        "updated_on": timezone.localdate(sheet.updated_at).isoformat(),
        "treatment_offered": sheet.treatment_offered,
        "safety": safety.tiers(),
        "key_points": sheet.document.get("key_points", []),
        "sections": [
            {**section, "label": TRADITIONAL_LABEL if section["view"] == View.TRADITIONAL else ""}
            for section in sheet.document.get("sections", [])
        ],
        "references": sheet.document.get("references", []),
        "related": [{**link, "url": f"{settings.BASE_URL}{link['path']}"} for link in related(sheet)],
    }
