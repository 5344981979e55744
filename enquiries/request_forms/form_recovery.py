"""What a person typed into a form that we could not take: given back in a form of ours, to be sent from there.

Is it safe to show what another website may have typed? A press of the button does what anybody may do from that page anyway: our
public forms know nobody, so nobody's rights are lent. The one exception is the answers of a self-assessment in the browser's
cookie: the choice to include them is never given back, and the report's own page asks afresh. The words stand in fields only,
escaped. No frame may hold the page, no cache keeps it, nothing is sent without a press, and the page says where the words came
from. The staff desk's forms do act with somebody's rights, so they are never given back.
"""

import logging

from django.forms import Form
from django.urls import reverse

from enquiries.forms import FORMS
from enquiries.request_forms import draft as drafts

logger = logging.getLogger(__name__)

# The trap for robots, which people cannot see, and consent, which is given on the page that explains it.
NOT_GIVEN_BACK = {"website", "include_answers"}


def rebuild_form(request) -> Form | None:
    """The public form with what was typed, neither checked nor saved; None when there is none, or it cannot be read.

    Asks no database, and raises nothing: an error page must not break.
    """
    try:
        return _filled_in(request) if request.method == "POST" else None
    except Exception as error:  # noqa: BLE001 - a body that cannot be read, a form that is broken: the plain page says enough
        logger.info("A form cannot be given back: %s", type(error).__name__)
        return None


def _filled_in(request) -> Form | None:
    kind = next((kind for kind in FORMS if request.path_info == reverse(f"enquiries:{kind}")), None)
    if kind is None:
        return None
    draft = drafts.posted(request, FORMS[kind], alone=True)
    for name in NOT_GIVEN_BACK:
        draft.without(name)
    if not set(draft.typed) - {"sheet"}:
        return None
    form = FORMS[kind](prefix=kind, action=request.path_info, initial=draft.initial(FORMS[kind]))
    step = form.step_named(request.POST.get(f"{kind}-{drafts.AT}", ""))
    if step:  # its page: what was typed before it goes along, and is shown again before anything is sent
        form.show(step, draft.hidden(kind, step))
    return form
