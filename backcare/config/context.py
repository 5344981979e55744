"""Values that every template may use."""

from django.conf import settings

from backcare.core.clinic import Clinic
from factsheets.approvals import check_is_open


def clinic(request) -> dict:
    """The clinic's details. Takes nothing from the request: public pages are the same for every reader."""
    return {"clinic": Clinic(), "base_url": settings.BASE_URL, "check_is_open": check_is_open}
