"""What every template may use."""

from django.conf import settings


def clinic(request) -> dict:
    """The clinic's details. Takes nothing from the request: public pages are the same for every reader."""
    return {"clinic": settings.CLINIC, "base_url": settings.BASE_URL}
