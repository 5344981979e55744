import html

from django import template
from django.urls import reverse
from django.utils.html import format_html

register = template.Library()


@register.simple_block_tag
def words(content: str) -> str:
    """The words between the tags on one line, to be kept with “as”: a page's title is in several places of its head.

    They are plain text again, so that the template escapes them for wherever it puts them.
    """
    return " ".join(html.unescape(content).split())


@register.simple_tag(takes_context=True)
def menu_link(context: template.Context, address_name: str, text: str) -> str:
    """A link of the site's menus, marked where it is the page being read or one above it."""
    address = reverse(address_name)
    path = getattr(context.get("request"), "path", "")
    current = "page" if path == address else "true" if path.startswith(address) else ""
    return format_html(
        '<a href="{}"{}>{}</a>', address, format_html(' aria-current="{}"', current) if current else "", text
    )
