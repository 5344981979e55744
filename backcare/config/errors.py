"""Error pages. They read only the request's method, so that a broken request cannot break them too.

The exception is a public form sent from another website: enquiries/request_forms/form_state.py gives back what was typed,
where it can be read, and never raises.
"""

import sys

from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string

from backcare.config.context import clinic
from backcare.core.clinic import Clinic
from backcare.ops.logs import REQUEST
from enquiries.links import NotOurs
from enquiries.request_forms.form_state import rebuild_form
from factsheets.approvals import check_is_open


def page(status: int, title: str, paragraphs: list[str], **more) -> HttpResponse:
    # Only the page for stale links may use the database, because the others must neither break nor cost anything.
    shown = check_is_open() if status == 404 else not settings.CHECK_NEEDS_APPROVAL
    context = {**clinic(None), "check_is_open": shown}
    context |= {"title": title, "paragraphs": paragraphs, "phone_first": status >= 500, "status": status}
    context |= more
    if status >= 500:
        # The database may be the problem, and nobody should have to wait for it again.
        context["clinic"] = Clinic(asks=False)
        context["reference"] = REQUEST.get()
    response = HttpResponse(render_to_string("error.html", context), status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request, exception=None):
    return page(
        400,
        "We could not read that",
        [
            "We could not read part of what your browser sent, so nothing was saved.",
            "Go back, check what you typed, and send it again.",
        ],
    )


def forbidden(request, exception=None):
    return page(
        403,
        "You cannot open this page",
        [
            "This page is for clinic staff with the right role.",
            "If you need it for your work, ask the owner of the clinic.",
        ],
        for_staff=True,
    )


def csrf_failure(request, reason=""):
    """Honest people see this too, because a page read through a translation service sends its form from there."""
    form = rebuild_form(request)
    if form:
        return page(
            403,
            "Check this, and send it from here",
            [
                "The form was sent from another website, so we did not accept it. Nothing was saved.",
                "What was typed is in the form below. If it is yours, check it and press the button. If not, close this page.",
            ],
            form=form,
        )
    return page(
        403,
        "We could not accept that",
        [
            "The form was sent from another website, so we did not accept it. Nothing was saved.",
            "Open the form on this website and send it from there. If you go back, your browser may still have what you typed.",
        ],
    )


def not_found(request, exception=None):
    if isinstance(exception, NotOurs):
        return page(
            404,
            "This link does not work",
            [
                "Part of it may be missing. Did you copy it from our email? Check that you copied all of it.",
                "If it still does not work, tell us what you want to do, and we will do it for you.",
            ],
            phone_first=True,
        )
    return page(
        404,
        "We cannot find that page",
        ["The address may be mistyped, or the page may have moved.", "You can find all our fact sheets in one list."],
    )


def wrong_method(allowed: str):
    response = page(
        405,
        "You cannot do that on this page",
        [
            "Your browser asked for something that this page cannot do. Nothing was saved.",
            "Open the page and try again.",
        ],
    )
    response["Allow"] = allowed
    return response


SHORTEN = "Go back, because your browser may still have what you typed. Shorten it and send it again."
SMALLER_PICTURE = (
    "Choose a picture of less than 10 MB, or content of less than 20 MB. "
    "If you go back, your browser may still have what you typed."
)


def too_large(request, advice: str = SHORTEN):
    return page(
        413,
        "That is too much to send at once",
        ["What you sent is too large for our forms. Nothing was saved.", advice],
    )


def length_required(request):
    return page(
        411,
        "We could not receive what you sent",
        [
            "Your browser, or a program between it and us, sent the form in a way that we cannot read. Nothing was saved.",
            "Go back, because your browser may still have what you typed. Try another browser or another network, or phone us.",
        ],
        phone_first=True,
    )


def long_address(request):
    return page(
        414,
        "That is too long",
        [
            "What your browser asked for is longer than we can read.",
            "If you were searching, use fewer words. If you followed a link, start from the home page instead.",
        ],
    )


def too_slow(request):
    return page(
        408,
        "The connection was too slow",
        [
            "What you sent did not reach us in time. Nothing was saved.",
            "Go back, because your browser may still have what you typed. Send it again, or phone us.",
        ],
        phone_first=True,
    )


def is_database_trouble(error: BaseException | None) -> bool:
    """The database is locked, full, read-only, broken or unreachable. It is not the request's fault, and ends once fixed."""
    # PostgreSQL says "read-only" with an InternalError, SQLite "malformed" with a bare DatabaseError.
    return isinstance(error, OperationalError | InterfaceError | InternalError) or type(error) is DatabaseError


def server_error(request):
    # Django calls this while it handles the error. DatabaseTroubleMiddleware deals with what a view raised; this is for the
    # middleware's own trouble, such as a session that cannot be saved.
    if is_database_trouble(sys.exc_info()[1]):
        return unavailable(request)
    return page(
        500,
        "Something went wrong on our side",
        [
            "We could not finish what you asked for.",
            "If you were sending a form, please assume that we did not get it.",
        ],
    )


def unavailable(request):
    if request.method == "POST":
        title = "We could not save that just now"
        advice = ["Your details were not saved.", "Wait a minute, go back and send the form again."]
    else:
        title = "This page is not available just now"
        advice = ["The problem is on our side.", "Wait a minute and open the page again."]
    response = page(503, title, advice)
    response["Retry-After"] = "60"
    return response
