"""What tests of pages share: a page read as a strict parser reads it, and the questions they ask of it."""

from itertools import pairwise

import html5lib

HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


def parsed(html: str):
    """The tree of a whole page. Fails on the first error of HTML5 syntax."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def fragment(html: str):
    """The tree of a piece of a page."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html, container="div")


def page(client, path: str, status: int = 200):
    """The tree of the page at `path`."""
    response = client.get(path)
    assert response.status_code == status, f"{path} answered {response.status_code}"
    return parsed(response.content.decode())


def elements(tree) -> list:
    """Every element in the order of the page."""
    return [node for node in tree.iter() if isinstance(node.tag, str)]


def words(node) -> str:
    """The words of an element with single spaces, as a reader would copy them."""
    return squeezed("".join(node.itertext()))


def squeezed(text: str) -> str:
    return " ".join(text.split())


def ids(tree) -> list[str]:
    return [node.get("id") for node in elements(tree) if node.get("id") is not None]


def links(tree) -> list[str]:
    return [node.get("href") for node in elements(tree) if node.tag == "a" and node.get("href") is not None]


def with_class(tree, name: str) -> list:
    return [node for node in elements(tree) if name in (node.get("class") or "").split()]


def with_id(tree, name: str):
    [found] = [node for node in elements(tree) if node.get("id") == name]
    return found


def expect_links_on_the_page_to_lead_somewhere(tree) -> None:
    there = ids(tree)
    twice = sorted({each for each in there if there.count(each) > 1})
    assert not twice, f"Ids that are on the page twice: {twice}"
    lost = sorted({link for link in links(tree) if link.startswith("#") and link[1:] not in there})
    assert not lost, f"Links to nothing on the page: {lost}"


def expect_ordered_headings(tree) -> None:
    levels = [HEADINGS.index(node.tag) + 1 for node in elements(tree) if node.tag in HEADINGS]
    assert levels.count(1) == 1, f"{levels.count(1)} headings of the first level"
    # The first heading of a page may stand in its header; after it, a level may only go one step deeper.
    for before, after in pairwise(levels):
        assert after <= before + 1, f"A heading of level {after} follows one of level {before}: {levels}"
