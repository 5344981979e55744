"""The result as a tagged PDF (PDF/UA-1). It is made when it is asked for, and kept nowhere.

The file's name, title and date say nothing about the person.
"""

from datetime import UTC, datetime, time
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from enquiries.assessment.questions import DATED
from factsheets import safety
from factsheets.pdf import compiled

TEMPLATE = Path(__file__).resolve().parent / "typst" / "result.typ"


def pdf(result: dict, *, large_print: bool = False) -> bytes:
    """The PDF of a result as `result.shown` gives it. Raises PdfError and SafetyAdviceMissing."""
    emergency = safety.tiers()[0]
    today = timezone.localdate()
    data = {
        "result": result,
        "clinic": settings.CLINIC,
        "emergency": {
            "heading": emergency["heading"],
            "signs": [item["short_text"] for item in emergency["items"] if item["short_text"]],
            "after": emergency["after"],
        },
        "address": f"{settings.BASE_URL}{reverse('enquiries:check')}",
        "made_on": f"{today.day} {today:%B %Y}",
        "large_print": large_print,
    }
    made = datetime.combine(DATED, time.min, UTC)
    return compiled({"main.typ": TEMPLATE}, data, name="self-assessment result", timestamp=made)
