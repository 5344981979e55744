"""Shared by the tests of public pages: a strict parser, and questions to ask of every page."""

from itertools import pairwise
from pathlib import Path

import html5lib

from tests.support.html import parse, text

SLUGS = sorted(path.stem for path in (Path(__file__).parents[2] / "fixtures" / "sheets").glob("*.yaml"))


# Every sheet is one page.
SHEET_PAGES = [f"/fact-sheets/{slug}/" for slug in SLUGS]
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


def page(client, path: str, status: int = 200):
    """The tree of the page at `path`."""
    response = client.get(path)
    assert response.status_code == status, f"{path} answered {response.status_code}"
    return parse(response)


def fragment(html: str):
    """The tree of a part of a page. Fails on the first HTML5 syntax error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html, container="div")


def elements(tree) -> list:
    """Every element, in page order."""
    return [node for node in tree.iter() if isinstance(node.tag, str)]


def squeezed(words: str) -> str:
    """The words with single spaces, because outputs break lines in different places."""
    return " ".join(words.split())


def packed(words: str) -> str:
    """The words without spaces. A PDF places letters, so where its words end is a guess."""
    return "".join(words.split())


def ids(tree) -> list[str]:
    return [node.get("id") for node in elements(tree) if node.get("id") is not None]


def links(tree) -> list[str]:
    return [node.get("href") for node in elements(tree) if node.tag == "a" and node.get("href") is not None]


def with_class(tree, *names: str) -> list:
    return [node for node in elements(tree) if set(names) <= set((node.get("class") or "").split())]


def headings(tree) -> list[str]:
    return [text(node) for node in elements(tree) if node.tag in HEADINGS]


def expect_links_on_the_page_to_lead_somewhere(tree) -> None:
    there = ids(tree)
    twice = sorted({each for each in there if there.count(each) > 1})
    assert not twice, f"Ids that are on the page twice: {twice}"
    lost = sorted({link for link in links(tree) if link.startswith("#") and link[1:] not in there})
    assert not lost, f"Links to nothing on the page: {lost}"


def expect_ordered_headings(tree) -> None:
    levels = [HEADINGS.index(node.tag) + 1 for node in elements(tree) if node.tag in HEADINGS]
    assert levels.count(1) == 1, f"{levels.count(1)} headings of the first level"
    assert levels[0] == 1, f"The first heading is of level {levels[0]}"
    for before, after in pairwise(levels):
        assert after <= before + 1, f"A heading of level {after} follows one of level {before}: {levels}"
