"""Error pages. They read nothing from the request, so that a broken request cannot break them too."""

from http import HTTPStatus

from django.http import HttpResponse
from django.template.loader import render_to_string

from backcare.context import clinic


def page(status: int, title: str, paragraphs: list[str]) -> HttpResponse:
    context = {**clinic(None), "title": title, "paragraphs": paragraphs, "phone_first": status >= 500}
    response = HttpResponse(render_to_string("error.html", context), status=status)
    response["Cache-Control"] = "no-store"
    return response


def plain(status: HTTPStatus, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def bad_request(request, exception=None):
    return page(
        400,
        "We could not read that",
        [
            "Something in what your browser sent could not be read.",
            "Go back, check what you typed, and send it again.",
        ],
    )


def forbidden(request, exception=None):
    return page(403, "You cannot open this page", ["This page is for clinic staff with the right role."])


def csrf_failure(request, reason=""):
    return page(
        403,
        "We could not accept that",
        [
            "The form was sent from another website, so we did not accept it. Nothing was saved.",
            "Open the form on this website and send it from there. Your browser's back button may still hold what you typed.",
        ],
    )


def not_found(request, exception=None):
    return page(
        404,
        "We cannot find that page",
        ["The address may be mistyped, or the page may have moved.", "All our fact sheets are in one list."],
    )


def too_large(request):
    return page(
        413,
        "That is too much to send at once",
        [
            "What you sent is far larger than our forms. Nothing was saved.",
            "Shorten what you typed and send it again.",
        ],
    )


def server_error(request):
    return page(
        500,
        "Something went wrong on our side",
        [
            "We could not finish what you asked for.",
            "If you were sending a form, please assume that we did not get it.",
        ],
    )


def unavailable(request):
    response = page(
        503,
        "We could not save that just now",
        ["Your details were not saved.", "Wait a minute, go back and send the form again."],
    )
    response["Retry-After"] = "60"
    return response
