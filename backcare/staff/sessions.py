"""How long staff stay signed in: 15 minutes without doing anything, 12 hours in all (OWASP ASVS 5.0, 7.3.1 and 7.3.2).

Checked on the server with each request to the desk. A form that comes too late is answered with a page that holds everything that
was typed and sends it again from there.
"""

import time
from datetime import UTC, datetime

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"  # in the session, in seconds since 1970
MAX_SESSION_SECONDS = 12 * 60 * 60  # seconds
NOTED_EVERY = 20  # seconds between writes of SEEN_AT, so an idle session may end that much early

# Why somebody was signed out, as the sign-in page's address names it.
REASONS = {
    "idle": "You were signed out because you were not active for a while.",
    "long": "You were signed out because you signed in 12 hours ago.",
    "changed": "Your password is changed, and you are signed out on every device.",
    "ended": "You are no longer signed in. You signed out, your password or second factor changed, your time ran out, "
    "or your account was deactivated; ask an owner.",
}


def started(request) -> None:
    """Call this right after a sign-in."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())


def expired(request) -> str:
    """Signs out a user whose time is over, and says why: "idle" or "long". Empty for everybody else."""
    now, session = int(time.time()), request.session
    if SIGNED_IN_AT not in session or SEEN_AT not in session:
        started(request)  # signed in before there were limits: their time begins now
    if now - session[SIGNED_IN_AT] >= MAX_SESSION_SECONDS:
        why = "long"
    elif now - session[SEEN_AT] >= settings.STAFF_IDLE_MINUTES * 60:
        why = "idle"
    else:
        # Polling pages do not count as activity.
        by_itself = request.headers.get("X-Requested-With") == "pulse"
        if not by_itself and now - session[SEEN_AT] >= NOTED_EVERY:
            session[SEEN_AT] = now
        return ""
    logout(request)
    return why


def end_all(*, user: User, but: str | None = None) -> int:
    """Ends every session of the user, on every device, at once. `but` is the key of one that stays. Returns how many ended.

    Only staff have sessions, and the hourly purge removes old ones, so there are few to look through.
    """
    ended = [
        row.session_key
        for row in Session.objects.all()
        if row.session_key != but and row.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(pk__in=ended).delete()[0]


def last_seen() -> dict[int, datetime]:
    """When each user with a session was last at the desk, to NOTED_EVERY seconds."""
    seen: dict[int, datetime] = {}
    for row in Session.objects.filter(expire_date__gt=timezone.now()):
        held = row.get_decoded()
        if SESSION_KEY in held and SEEN_AT in held:
            user, at = int(held[SESSION_KEY]), datetime.fromtimestamp(held[SEEN_AT], UTC)
            seen[user] = max(at, seen.get(user, at))
    return seen


class SessionLimitsMiddleware:
    """On the staff desk only, because no other page knows who is asking."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        # Imported here, because these pages import the sign-in, which imports this module.
        from backcare.staff import signed_out

        path = request.path_info
        if not path.startswith(reverse("admin:index")) or path.startswith(reverse("admin:login")):
            return None
        if request.user.is_authenticated:
            why = expired(request)
        else:
            why = "ended" if settings.SESSION_COOKIE_NAME in request.COOKIES else ""
        if not admin.site.has_permission(request) and request.resolver_match.url_name != "logout":
            return signed_out.answer(request, why)
        return None
