"""Which rows of the claim ledger the sheets cover, and what no row supports."""

from dataclasses import dataclass, field

from factsheets.models import Claim, ClaimStatus, FactSheet, SafetyAdvice, Section
from factsheets.models.sheet import State

# Sections without facts of their own need no row: they choose, introduce or point elsewhere.
MAY_STAND_ALONE = {"figure", "evidence"}


@dataclass
class Coverage:
    covered: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    dropped_but_used: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    without_row: list[str] = field(default_factory=list)


def measure(only: FactSheet | None = None) -> Coverage:
    """Compares the `claim_refs` of all sheets, or of this one, with the ledger. A retired sheet covers nothing."""
    found = Coverage()
    claims = {claim.ref: claim for claim in Claim.objects.all()}
    advice = set(SafetyAdvice.objects.values_list("code", flat=True))
    named: dict[str, set[str]] = {}
    live = (
        Section.objects.filter(sheet__draft_of=None)
        .exclude(sheet__state=State.RETIRED)
        .select_related("sheet", "figure")
    )
    sheets = FactSheet.objects.exclude(state=State.RETIRED).select_related("lead_figure").defer("document")
    if only:
        live, sheets = live.filter(sheet=only), sheets.filter(pk=only.pk)
    live = live.defer("body", "sheet__document", "sheet__key_points").prefetch_related("statement_uses__statement")
    for section in live:
        where = f"{section.sheet.slug}#{section.slug}"
        refs = set(section.claim_refs)
        for statement in section.evidence:
            refs |= set(statement.claim_refs)
        if section.figure_id:
            refs |= set(section.figure.claim_refs)
        for ref in sorted(refs):
            if ref not in claims and ref not in advice:
                found.unknown.append(f"{ref} in {where}")
            elif ref in claims and claims[ref].status == ClaimStatus.DROP:
                found.dropped_but_used.append(f"{ref} in {where}")
        named.setdefault(section.sheet.slug, set()).update(refs)
        if not refs and section.kind not in MAY_STAND_ALONE:
            found.without_row.append(where)
    for sheet in sheets:
        if sheet.lead_figure:
            named.setdefault(sheet.slug, set()).update(sheet.lead_figure.claim_refs)
        wanted = {
            ref for ref, claim in claims.items() if sheet.slug in claim.sheets and claim.status != ClaimStatus.DROP
        }
        have = named.get(sheet.slug, set())
        found.covered[sheet.slug] = sorted(wanted & have)
        found.missing[sheet.slug] = sorted(wanted - have)
    return found
