"""robots.txt, and security.txt as RFC 9116 wants it."""

from datetime import UTC, date, datetime, time
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from backcare.core.clinic import details

# Nothing there is for a search engine: staff pages, what people typed into the search box, their way through the questions.
DISALLOWED = ["/admin/", "/search/?", "/check/", "/report/summary/", "/request/"]
MONTHS_VALID = 6


def robots() -> str:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in DISALLOWED)]
    return "\n".join([*lines, "", f"Sitemap: {settings.BASE_URL}{reverse('factsheets:sitemap')}", ""])


def security() -> str:
    """Where to report a vulnerability."""
    lines = [
        f"Contact: {_contact()}",
        f"Expires: {expires(timezone.localdate()):%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.BASE_URL}{reverse('factsheets:security')}",
        "Preferred-Languages: en",
    ]
    return "\n".join([*lines, ""])


def expires(today: date) -> datetime:
    """The first day of the sixth month after this one (RFC 9116, 2.5.5: less than a year ahead).

    The contacts are the clinic's own settings, so the file is right for as long as the site runs. It changes once a month, and a
    kept page lives for a day at most, so no cache ever holds one that has expired.
    """
    months = today.year * 12 + today.month - 1 + MONTHS_VALID
    return datetime.combine(date(months // 12, months % 12 + 1, 1), time(), tzinfo=UTC)


def _contact() -> str:
    # The field is required. A site whose clinic gives no address still has its form.
    if email := details()["email"]:
        return f"mailto:{quote(email, safe='@+')}"
    return f"{settings.BASE_URL}{reverse('enquiries:question')}"
