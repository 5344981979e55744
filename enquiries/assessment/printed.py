"""The result as a tagged PDF (PDF/UA-1). It is made when it is asked for, and kept nowhere.

The file's name, title and date say nothing about the person.
"""

from datetime import UTC, datetime, time
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from backcare.core import clinic
from enquiries.assessment.questions import DATED
from factsheets import safety
from factsheets.pdf import compiled

TEMPLATES = Path(__file__).resolve().parent / "typst"
# When each file says it was made: the day of the questions, the same for everybody.
MADE = datetime.combine(DATED, time.min, UTC)


def pdf(result: dict, *, large_print: bool = False) -> bytes:
    """The PDF of a result as `result.shown` gives it. Raises PdfError and SafetyAdviceMissing."""
    data = {**summary(result, safety.tiers()), "clinic": clinic.details(), "large_print": large_print}
    return compiled(template("result.typ"), data, name="self-assessment result", timestamp=MADE)


def summary(result: dict, tiers: list[dict]) -> dict:
    """What every paper with a result on it says: the result, the emergency card in short, the day and the address."""
    emergency, today = tiers[0], timezone.localdate()
    return {
        "result": result,
        "emergency": {
            "heading": emergency["heading"],
            "signs": safety.compact(tiers),
            "after": emergency["after"],
        },
        "address": f"{settings.BASE_URL}{reverse('enquiries:check')}",
        "made_on": f"{today.day} {today:%B %Y}",
    }


def template(name: str) -> dict[str, Path]:
    """The files of one of our papers, for `factsheets.pdf.compiled`."""
    return {"main.typ": TEMPLATES / name, "result-parts.typ": TEMPLATES / "result-parts.typ"}
