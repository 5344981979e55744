from django import template
from django.utils import timezone

from enquiries.admin.dashboard import blocks

register = template.Library()


@register.inclusion_tag("admin/enquiries/_dashboard.html", takes_context=True)
def dashboard(context):
    """The first page of the desk, for who is signed in."""
    return {"request": context["request"], **blocks(context["request"].user, timezone.now())}
