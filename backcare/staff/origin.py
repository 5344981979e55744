"""The same-origin check of every post, stricter on the staff desk.

A public form is taken from a browser that does not say where it was sent from, because it does only what anybody may do. A form of
the desk acts with somebody's rights, so it must say so: every browser of recent years sends Origin or Sec-Fetch-Site with a post
(OWASP, Cross-Site Request Forgery Prevention, "Fetch Metadata headers").
"""

import logging

from modern_csrf.middleware import ModernCsrfViewMiddleware

from backcare.staff import signed_out
from backcare.staff.sign_in import page

logger = logging.getLogger(__name__)

SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
SAYS_WHERE_FROM = {"HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"}


class SameOriginMiddleware(ModernCsrfViewMiddleware):
    def process_view(self, request, callback, callback_args, callback_kwargs):
        silent = request.method not in SAFE and not SAYS_WHERE_FROM & set(request.META)
        of_our_tests = getattr(request, "_dont_enforce_csrf_checks", False)  # Django's test client
        if silent and request.path_info.startswith("/admin/") and not of_our_tests:
            logger.warning("Staff desk: refused a post without Origin and Sec-Fetch-Site")
            return refused(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)


def refused(request):
    """What was typed is on the page, to be copied. No button sends it from here: another website may have typed it."""
    values = signed_out.typed(request) if signed_out.may_be_read(request) else []
    response = page(
        request,
        "admin/no_origin.html",
        "Your browser did not say where this form came from",
        status=403,
        values=[each for each in values if each["written"]],
    )
    response["Cache-Control"] = "no-store"
    return response.render()
