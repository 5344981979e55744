import html

from django import template

register = template.Library()


@register.simple_block_tag
def words(content: str) -> str:
    """The words between the tags on one line, to be kept with “as”: a page's title stands in several places of its head.

    They are plain text again, so that the template escapes them for wherever it puts them.
    """
    return " ".join(html.unescape(content).split())
