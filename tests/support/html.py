"""Reads our pages as a browser does, parsed and never compared as strings."""

from copy import deepcopy
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib

from tests.support.plain_html import read_plain

CONTROLS = {"input", "textarea", "select"}


def parse(response) -> Element:
    """The parsed document of a response. Fails on markup that a browser would have to repair."""
    document, errors = _parsed(response.content)
    assert not errors, f"The page is not well-formed: {errors[:5]}"
    return deepcopy(document)


def tree(response) -> Element:
    """The document as a browser repairs it: Django's own admin pages are not well-formed everywhere."""
    return deepcopy(_parsed(response.content)[0])


@lru_cache(maxsize=64)
def _parsed(content: bytes) -> tuple[Element, list[str]]:
    """Parses a page once, however many tests look at it."""
    page = content.decode("utf-8")
    if (plain := read_plain(page)) is not None:
        return plain, []
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(page)
    # What a person typed may hold NULs and other characters that are errors in HTML and shown as "�".
    typed = {"invalid-codepoint", "invalid-codepoint-in-attribute-value"}
    return document, [f"{code} at {place}" for place, code, _ in parser.errors if code not in typed]


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def by_id(document: Element, name: str) -> Element:
    found = [element for element in document.iter() if element.get("id") == name]
    assert len(found) == 1, f"{len(found)} elements have the id “{name}”; a link or a label needs exactly one."
    return found[0]


def form_at(document: Element, address: str) -> Element:
    found = [form for form in document.iter("form") if form.get("action") == address]
    assert len(found) == 1, f"{len(found)} forms are sent to {address}."
    assert found[0].get("method") == "post"
    return found[0]


def controls(form: Element) -> list[Element]:
    return [element for element in form.iter() if element.tag in CONTROLS and element.get("name")]


def is_hidden(form: Element, control: Element) -> bool:
    if control.get("type") == "hidden":
        return True
    return any(control in set(part.iter()) for part in form.iter() if part.get("aria-hidden") == "true")


def visible(form: Element) -> list[Element]:
    return [control for control in controls(form) if not is_hidden(form, control)]


def value(control: Element) -> str:
    """What the control would send. A text area loses a line break at the start of its text, as in a browser."""
    if control.tag == "textarea":
        return control.text or ""
    if control.tag == "select":
        chosen = [option for option in control.iter("option") if option.get("selected") is not None]
        return (chosen or list(control.iter("option")))[0].get("value", "")
    return control.get("value", "")


def sent(form: Element) -> dict[str, list[str]]:
    """What a browser would send if the form were submitted as it is."""
    data: dict[str, list[str]] = {}
    for control in controls(form):
        if control.get("type") in {"checkbox", "radio"} and control.get("checked") is None:
            continue
        data.setdefault(control.get("name"), []).append(value(control))
    return data


def described(document: Element, control: Element) -> str:
    """What a screen reader says about the control after its label: its own description, or its group's."""
    ids = control.get("aria-describedby")
    if ids is None:
        for group in document.iter("fieldset"):
            if control in set(group.iter()):
                ids = group.get("aria-describedby")
    return " ".join(text(by_id(document, part)) for part in (ids or "").split())


def label(document: Element, control: Element) -> str:
    return " ".join(text(found) for found in document.iter("label") if found.get("for") == control.get("id"))


def title(document: Element) -> str:
    return text(next(document.iter("title")))


def summary(form: Element) -> Element | None:
    """The error summary: the part of the form that takes the focus."""
    found = [part for part in form.iter() if part.get("autofocus") is not None and part.get("tabindex") == "-1"]
    return found[0] if found else None
