from django import template
from django.utils import timezone

from backcare.ops import health

register = template.Library()


@register.inclusion_tag("admin/_health_line.html")
def health_line():
    """For the first page of the desk: a red line when mail does not go out, and the way to the whole page."""
    now = timezone.now()
    parts = [check(now) for check in health.LOUD.values()]
    return {"silent": [part for part in parts if part.level == health.TROUBLE]}
