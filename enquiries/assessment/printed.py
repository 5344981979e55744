"""The result as a tagged PDF (PDF/UA-1). It is made when it is asked for, and kept nowhere.

The file's name, title and date say nothing about the person.
"""

from datetime import UTC, datetime, time
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from enquiries.assessment.questions import DATED
from enquiries.assessment.result import PARTS
from factsheets import safety
from factsheets.pdf import compiled
from factsheets.rendering.printed import letterhead

TEMPLATES = Path(__file__).resolve().parent / "typst"
# Each file gives the date of the questions as its own, so it is the same for everyone.
MADE = datetime.combine(DATED, time.min, UTC)


def pdf(result: dict, *, large_print: bool = False) -> bytes:
    """The PDF of a result as `result.shown` gives it. Raises PdfError and SafetyAdviceMissing."""
    data = {**summary(result, safety.tiers()), "clinic": letterhead(), "large_print": large_print}
    return compiled(template("result.typ"), data, name="self-assessment result", timestamp=MADE)


def summary(result: dict, tiers: list[dict]) -> dict:
    """What every printed result says: the result, the short emergency card, the date and the address."""
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
    """The files that one of our documents needs, for `factsheets.pdf.compiled`."""
    return {"main.typ": TEMPLATES / name, "result-parts.typ": TEMPLATES / "result-parts.typ"}


# The personal report on paper, as one PDF/UA-1 file: a page or two of summary, and the addresses of the fact sheets it recommends.
#
# It is made when it is asked for, and kept nowhere. The name and the answers are on its pages only: from outside (title,
# author, dates, the file's own id) every report looks the same.

# The questions in a few words, as the summary shows them before their answers. Reviewed with the questions: what is
# left out must not change what the answer means.
IN_SHORT = {
    "emergency": "Emergency signs",
    "urgent": "Urgent signs",
    "age": "Age",
    "first": "First ever back pain",
    "duration": "Lasted",
    "checked": "Clinician checked it",
    "reach": "Pain reaches",
    "walking": "Legs ache, feel heavy or go numb when you walk or stand, and ease when you sit or lean",
    "stiff": "Stiff for over 30 minutes in the morning and better once you move, or woken late at night",
    "before_45": "Started before you were 45",
    "both_sides": "Both shoulders or hips stiff in the morning",
    "triggers": "Sets it off or makes it worse",
    "limits": "How much it stops you",
    "mood": "Low, very worried or afraid to move in the last two weeks",
    "tried": "Tried so far",
    "tell": "A therapist should know",
}
NAMES = {each.text: name for name, each in PARTS.items()}


def personal_pdf(
    result: dict, *, name: str, answers: list[dict], sheets: list[dict], large_print: bool = False
) -> bytes:
    """The report of one person. A4, 10.5 pt on the summary and 12 pt behind it; all of it in 18 pt in large print.

    `result` is what `result.shown` gives and `answers` what `result.played_back` gives. `name` is printed as it was typed,
    in any script. `sheets` are the title and address of each, in the order of the table. Raises PdfError and SafetyAdviceMissing.
    """
    data = {
        **summary(result, safety.tiers()),
        "clinic": letterhead(),
        "large_print": large_print,
        "name": name,
        "told": _told(answers, result),
        "sheets": sheets,
    }
    return compiled(template("personal.typ"), data, name="personal report", timestamp=MADE)


def _told(answers: list[dict], result: dict) -> list[dict[str, str]]:
    """Every question in a few words, with the answers as one text. A question we do not know keeps its own words."""
    told = []
    for each in (each for question in answers for each in question["parts"]):
        name, said = NAMES.get(each["text"], ""), "; ".join(each["answers"])
        if name == "urgent" and result["signs"]:
            said = "listed above"  # in full, with what to do
        told.append({"asked": IN_SHORT.get(name, each["text"]), "said": said})
    return told
