from django import template

from backcare.staff import first_steps

register = template.Library()


@register.inclusion_tag("admin/_set_up.html", takes_context=True)
def what_is_missing(context):
    """For an owner's first page of the desk, until nothing is."""
    if not context["request"].user.is_superuser:
        return {"steps": []}
    return {"steps": first_steps.missing_steps(), "clinician": first_steps.waits_for_a_clinician()}
