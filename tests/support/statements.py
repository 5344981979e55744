"""Makes a statement of evidence for a test, and the section that shows it."""

from factsheets.models import Section, Source, Statement, StatementUse


def stated(section: Section, key: str, *, sources: list[str] = (), **fields) -> Statement:
    """Makes the statement and shows it at the end of the section."""
    words = {"treatment": "heat", "condition": key, "claim": "Heat", "direction": "helps"} | fields
    made = Statement.objects.create(key=key, **words)
    made.sources.set(Source.objects.filter(key__in=sources))
    StatementUse.objects.create(section=section, statement=made, position=section.statement_uses.count())
    return made


def of_sheet(slug: str):
    """The statements that a sheet shows."""
    return Statement.objects.filter(uses__section__sheet__slug=slug)
