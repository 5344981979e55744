"""Plain text that somebody wrote, as HTML for an email."""

import re

from django import template
from django.utils.html import escape, format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe

from backcare.core.clinic import details

register = template.Library()

ADDRESS = re.compile(r"https?://[^\s<>\"“”]+")
AFTER = ".,;:!?)]}’'"  # belongs to the sentence when it stands at the end of an address
IN_MAIL, ON_PAGE = '<a href="{0}"><font color="{1}">{0}</font></a>', '<a href="{0}">{0}</a>'


@register.filter
def linked(text: str) -> SafeString:
    """Paragraphs, in which each web address is a link. What the text holds of HTML is shown as text."""
    return mark_safe(linebreaks(linked_line(text), autoescape=False))  # noqa: S308 - each part was escaped


def _link(address: str, *, mail: bool) -> SafeString:
    return format_html(IN_MAIL, address, details()["colours"]["strong"]) if mail else format_html(ON_PAGE, address)


def linked_line(text: str, *, mail: bool = True) -> SafeString:
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(AFTER)
        parts += [escape(text[end : found.start()]), _link(address, mail=mail)]
        end = found.start() + len(address)
    parts.append(escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped
