from django import template
from django.urls import reverse

from backcare.staff import first_steps

register = template.Library()


@register.inclusion_tag("admin/_set_up.html", takes_context=True)
def what_is_missing(context):
    """For an owner's first page of the desk, until nothing is missing."""
    if not context["request"].user.is_superuser:
        return {"steps": []}
    steps = [*first_steps.missing_steps(), *first_steps.missing_details(), *first_steps.missing_approvals()]
    left = first_steps.is_left()
    return {"request": context["request"], "steps": steps, "left": left, "reminds": left or first_steps.reminder()}


@register.inclusion_tag("admin/_set_up_line.html", takes_context=True)
def set_up_line(context):
    """What an owner still has to set up, on each page that does not already say so."""
    request = context.get("request")
    if request is None or not request.user.is_superuser or request.path == reverse("admin:index"):
        return {}
    found = first_steps.reminder()
    if any(stage.address == request.path for stage in found):
        return {}
    return {
        "done": sum(stage.is_done for stage in found),
        "number": len(found),
        "following": next((stage for stage in found if not stage.is_done), None),
    }


@register.inclusion_tag("admin/_set_up_step.html", takes_context=True)
def set_up_step(context, here):
    """Which of the four steps of the first set-up a page is, and the way to the others. Nothing once they are done."""
    is_account = here == first_steps.ACCOUNT
    shown = first_steps.is_alone() if is_account else context["request"].user.is_superuser
    stages = first_steps.stages(here) if shown else []
    number = next((at for at, stage in enumerate(stages, start=1) if stage.is_here), 0)
    here_done = any(stage.is_here and stage.is_done for stage in stages)
    following = next((stage for stage in stages if not stage.is_done), None) if here_done else None
    return {"stages": stages, "number": number, "can_go": not is_account, "following": following}
