"""The answer to a request for the desk from someone who is signed out, or not signed in yet.

A page is asked for again after signing in. A form is answered with a page that holds everything that was typed, and sends it again
from there. It came from our own page (the same-origin check comes first), it is shown to who sent it, and it is kept nowhere.
"""

from urllib.parse import urlencode

from django.conf import settings
from django.shortcuts import redirect
from django.urls import reverse

from backcare.staff.sessions import REASONS
from backcare.staff.sign_in import half_signed_in, page

FILLED_IN = "shown"  # with what an enquiry's page was filled in, for its drafts (enquiries/admin/autosave.py)
SHORT = 40  # characters: longer values, and those with a space, are what a person wrote


def answer(request, why: str):
    if request.method in {"GET", "HEAD"} or not may_be_read(request):
        user, _ = half_signed_in(request)
        if user:
            return redirect("admin:code")
        query = {"next": request.get_full_path()} | ({"why": why} if why else {})
        return redirect(f"{reverse('admin:login')}?{urlencode(query)}")
    values = typed(request)
    response = page(
        request,
        "admin/signed_out.html",
        "You are not signed in, so nothing was saved",
        status=403,
        why=REASONS.get(why, ""),
        address=request.get_full_path(),
        values=values,
        secret=_holds_password(request),
        written=any(each["written"] for each in values),
        many_parts=request.content_type == "multipart/form-data",
        files=bool(request.FILES),
    )
    response["Cache-Control"] = "no-store"
    return response


def typed(request) -> list[dict]:
    """What was posted, value by value. Nothing if it includes a password, which is never written into a page."""
    if _holds_password(request):
        return []
    sent = dict(request.POST.lists())
    sent.pop("csrfmiddlewaretoken", None)
    return [_value(name, each) for name, listed in sent.items() for each in listed]


def may_be_read(request) -> bool:
    """Enough for what a person typed. A stranger's upload is not read."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)  # RequestGuardMiddleware has looked at it
    return length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _holds_password(request) -> bool:
    return any("password" in name for name in request.POST)


def _value(name: str, value: str) -> dict:
    written = name != FILLED_IN and (len(value) > SHORT or any(sign.isspace() for sign in value.strip()))
    return {"name": name, "label": _label(name), "value": value, "written": written}


def _label(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().capitalize()
