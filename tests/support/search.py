"""Shared by the tests of search: results as a reader sees them, and small sheets to find."""

from factsheets import actions
from factsheets.models import FactSheet, Section, State
from tests.support.html import parse, text
from tests.support.reading import links, with_class


def search(client, typed: str, **more):
    response = client.get("/search/", {"q": typed, **more})
    assert response.status_code == 200
    return parse(response)


def hits(tree) -> list:
    return [node for found in with_class(tree, "hits") for node in found]


def titles(tree) -> list[str]:
    return [text(next(hit.iter("h3"))) for hit in hits(tree)]


def addresses(tree) -> list[str]:
    return [links(hit)[0] for hit in hits(tree)]


def marked(tree) -> list[str]:
    return [text(node).lower() for node in tree.iter("mark")]


def a_sheet(slug: str, title: str, *, heading="A heading", body="Some words.", points=("One.", "Two.", "Three.")):
    """A small published sheet."""
    sheet = FactSheet.objects.create(
        slug=slug,
        topic=FactSheet.objects.first().topic,
        title=title,
        summary="A summary.",
        audience="For testers.",
        key_points="\n".join(f"- {point}" for point in points),
        state=State.PUBLISHED,
    )
    Section.objects.create(sheet=sheet, slug="the-part", heading=heading, body=body)
    actions.refresh(sheet=sheet)
    return sheet
