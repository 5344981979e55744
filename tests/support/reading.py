"""What tests of the reading path share: pages as a strict parser reads them, and the questions asked of every page."""

import re
from itertools import pairwise
from pathlib import Path

import html5lib

from tests.support.html import parse, text

SLUGS = sorted(path.stem for path in (Path(__file__).parents[2] / "fixtures" / "sheets").glob("*.yaml"))


def _later_pages(slug: str) -> list[str]:
    """The names of the sheet's pages but the first, in their order: the sections that start one."""
    text = (Path(__file__).parents[2] / "fixtures" / "sheets" / f"{slug}.yaml").read_text(encoding="utf-8")
    return re.findall(r"^    slug: (\S+)\n(?:    \w+: .*\n)*?    page_title: \S", text, flags=re.MULTILINE)


LATER = {slug: _later_pages(slug) for slug in SLUGS}
# Every page that a reader of the sheets can turn to.
SHEET_PAGES = [f"/fact-sheets/{slug}/{page}" for slug in SLUGS for page in ("", *(f"{each}/" for each in LATER[slug]))]
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


def everything(slug: str) -> str:
    """The address where all of a sheet stands on one page."""
    return f"/fact-sheets/{slug}/whole/" if LATER[slug] else f"/fact-sheets/{slug}/"


def page(client, path: str, status: int = 200):
    """The tree of the page at `path`."""
    response = client.get(path)
    assert response.status_code == status, f"{path} answered {response.status_code}"
    return parse(response)


def fragment(html: str):
    """The tree of a piece of a page. Fails on the first error of HTML5 syntax."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html, container="div")


def elements(tree) -> list:
    """Every element in the order of the page."""
    return [node for node in tree.iter() if isinstance(node.tag, str)]


def squeezed(words: str) -> str:
    """The words with single spaces: outputs break lines where they like."""
    return " ".join(words.split())


def packed(words: str) -> str:
    """The words without spaces: a PDF places letters, and where its words end is a guess."""
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
