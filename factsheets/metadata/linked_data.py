"""Our pages in the words of schema.org (JSON-LD), for search engines and other programs.

It never says more than the page: it names a reviewer only if a clinician really signed the sheet off. The page holds
a short form, because its readers are people who pay for every kilobyte; the JSON output holds the whole.
"""

import json
from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from backcare.core.clinic import details
from factsheets import team
from factsheets.models import FactSheet, GlossaryTerm, Layer, Source
from factsheets.models.section import Aspect
from factsheets.rendering import sheet as sheets

SCHEMA = "https://schema.org"
# The values of schema.org's HealthAspectEnumeration. Our “risks” are harms of a treatment or of a condition left alone, which
# is RisksOrComplications; schema.org's Safety is about whether something is safe to use.
ASPECTS = {
    Aspect.OVERVIEW: "OverviewHealthAspect",
    Aspect.CAUSES: "CausesHealthAspect",
    Aspect.SYMPTOMS: "SymptomsHealthAspect",
    Aspect.SELF_CARE: "SelfCareHealthAspect",
    Aspect.TREATMENTS: "TreatmentsHealthAspect",
    Aspect.EFFECTIVENESS: "EffectivenessHealthAspect",
    Aspect.SAFETY: "RisksOrComplicationsHealthAspect",
    Aspect.SEE_DOCTOR: "SeeDoctorHealthAspect",
}
SOURCE_TYPES = {
    Source.SourceKind.REVIEW: "ScholarlyArticle",
    Source.SourceKind.TRIAL: "ScholarlyArticle",
    Source.SourceKind.STUDY: "ScholarlyArticle",
    Source.SourceKind.BOOK: "Book",
    Source.SourceKind.LAW: "Legislation",
    Source.SourceKind.REPORT: "Report",
    Source.SourceKind.HEALTH_SERVICE: "WebPage",
}
# “</script>” and “<!--” would end or change the block that holds the data. In JSON these are the same characters.
UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def block(data: dict) -> SafeString:
    """The data, safe inside a script element."""
    written = json.dumps({"@context": SCHEMA, **data}, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(written.translate(UNSAFE))  # noqa: S308 - no character of HTML is left in it


def for_page(sheet: FactSheet) -> dict:
    """The short form, for the sheet's page, whose address completes its relative addresses: under 1 KB on the longest.

    Its parts are the questions of the leaflet. What is folded below them is in the JSON output.
    """
    return {
        **_page(sheet),
        "publisher": {"@type": "MedicalClinic", "@id": _clinic_id(), "name": details()["name"]},
        "isPartOf": {"@id": _site_id()},
        "hasPart": list(_parts(sheets.chapters(sheet.document, Layer.LEAFLET))),
        "citation": [
            _work(reference, source) for reference, source in _with_sources(sheet.document.get("references", []))
        ],
    }


def whole_sheet(sheet: FactSheet) -> dict:
    """The whole, for the JSON output: every section that has a subject, every source with its DOI and year, the licence."""
    address = sheets.address(sheet)
    return {
        "@context": SCHEMA,
        **_page(sheet),
        "@id": address,
        "publisher": clinic(),
        "isPartOf": {"@type": "WebSite", "@id": _site_id(), "name": details()["name"], "url": _home()},
        "license": f"{settings.BASE_URL}{reverse('factsheets:about')}#copying",
        "image": f"{settings.BASE_URL}{reverse('factsheets:social_card')}",
        "hasPart": [_part(section, sheet) for section in sheet.document.get("sections", []) if section["aspect"]],
        "citation": [
            {**_work(reference, source), **_identity(reference)}
            for reference, source in _with_sources(sheet.document.get("references", []))
        ],
    }


def _page(sheet: FactSheet) -> dict:
    first = sheet.editions.filter(public=True).order_by("number").values_list("at", flat=True).first()
    data = {
        "@type": "MedicalWebPage",
        "name": sheet.title,
        "description": sheet.summary,
        "url": sheets.address(sheet),
        "inLanguage": "en-GB",
        "audience": {"@type": "MedicalAudience", "audienceType": "Patient"},
        "about": {"@type": "MedicalCondition", "name": "Back pain"},
    }
    changed = sheet.updated_at
    if first:
        data["datePublished"] = timezone.localdate(first).isoformat()
        # Words that came with the site were written before they were published here.
        changed = max(changed, first)
    data["dateModified"] = timezone.localdate(changed).isoformat()
    if sheet.reviewed_on:
        data["lastReviewed"] = sheet.reviewed_on.isoformat()
        data["reviewedBy"] = {"@type": "Person", "name": team.bare_name_of(sheet.reviewed_by)}
    data["breadcrumb"] = _breadcrumb(sheet)
    return data


def _parts(chapters: list[dict]) -> Iterator[dict]:
    """The chapters whose first section says what it is about."""
    for chapter in chapters:
        first = chapter["sections"][0]
        if chapter["slug"] and first["aspect"]:
            yield _part({**first, "slug": chapter["slug"], "heading": chapter["heading"]})


def _part(section: dict, sheet: FactSheet | None = None) -> dict:
    """A section that says what it is about; with the sheet, under its full address."""
    return {
        "@type": "HealthTopicContent",
        **({"name": section["heading"]} if section["heading"] else {}),
        "url": f"{settings.BASE_URL}{sheet.place_url(section['slug'])}" if sheet else f"#{section['slug']}",
        "hasHealthAspect": f"{SCHEMA}/{ASPECTS[section['aspect']]}",
    }


def _with_sources(references: list[dict]) -> list[tuple[dict, Source | None]]:
    """Numbered references, each with its source. A source can be gone since the sheet was last saved."""
    sources = {source.key: source for source in Source.objects.filter(key__in=[each["key"] for each in references])}
    return [(reference, sources.get(reference["key"])) for reference in references]


def _work(reference: dict, source: Source | None) -> dict:
    data = {
        "@type": SOURCE_TYPES.get(source.kind, "CreativeWork") if source else "CreativeWork",
        "name": source.title if source else reference["text"],
    }
    return data | ({"url": reference["url"]} if reference["url"] else {})


def _identity(reference: dict) -> dict:
    found = {}
    if reference["doi"]:
        found["sameAs"] = f"https://doi.org/{reference['doi']}"
    if reference["year"]:
        found["datePublished"] = str(reference["year"])
    return found


def _breadcrumb(sheet: FactSheet) -> dict:
    steps = [
        ("Home", _home()),
        ("Fact sheets", f"{settings.BASE_URL}{reverse('factsheets:list')}"),
        (sheet.title, sheets.address(sheet)),
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": address}
            for number, (name, address) in enumerate(steps, start=1)
        ],
    }


def _home() -> str:
    return f"{settings.BASE_URL}/"


def _clinic_id() -> str:
    return f"{_home()}#clinic"


def _site_id() -> str:
    return f"{_home()}#site"


def clinic() -> dict:
    """The clinic, with the details that are set."""
    known = details()
    data = {"@type": "MedicalClinic", "@id": _clinic_id(), "name": known["name"], "url": _home()}
    names = {"telephone": known["phone"], "email": known["email"], "address": known["address"]}
    return data | {name: value for name, value in names.items() if value}


def site() -> dict:
    """The first page: the site, and the clinic that publishes it."""
    return {
        "@graph": [
            {
                "@type": "WebSite",
                "@id": _site_id(),
                "name": details()["name"],
                "url": _home(),
                "inLanguage": "en-GB",
                "publisher": {"@id": _clinic_id()},
            },
            clinic(),
        ]
    }


def glossary(terms: list[GlossaryTerm]) -> dict:
    """The glossary as a set of defined terms."""
    address = f"{settings.BASE_URL}{reverse('factsheets:glossary')}"
    return {
        "@type": "DefinedTermSet",
        "@id": address,
        "name": "Glossary",
        "url": address,
        "inLanguage": "en-GB",
        "hasDefinedTerm": [
            {
                "@type": "DefinedTerm",
                "name": term.term,
                "description": term.meaning,
                "url": f"#{term.slug}",
            }
            for term in terms
        ],
    }
