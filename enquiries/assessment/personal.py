"""The personal report on paper, as one PDF/UA-1 file: a page or two of summary, and the addresses of the fact sheets it recommends.

It is made when it is asked for, and kept nowhere. The name and the answers are on its pages only: from outside (title,
author, dates, the file's own id) every report looks the same.
"""

from backcare.core import clinic
from enquiries.assessment import printed
from enquiries.assessment.result import PARTS
from factsheets import safety
from factsheets.pdf import compiled

# The questions in a few words, as they stand before their answers on the summary. Reviewed with the questions: what is
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


def pdf(result: dict, *, name: str, answers: list[dict], sheets: list[dict], large_print: bool = False) -> bytes:
    """The report of one person. A4, 10.5 pt on the summary and 12 pt behind it; all of it in 18 pt in large print.

    `result` is what `result.shown` gives and `answers` what `result.played_back` gives. `name` is printed as it was typed,
    in any script. `sheets` are the title and address of each, in the order of the table. Raises PdfError and SafetyAdviceMissing.
    """
    data = {
        **printed.summary(result, safety.tiers()),
        "clinic": clinic.details(),
        "large_print": large_print,
        "name": name,
        "told": _told(answers, result),
        "sheets": sheets,
    }
    return compiled(printed.template("personal.typ"), data, name="personal report", timestamp=printed.MADE)


def _told(answers: list[dict], result: dict) -> list[dict[str, str]]:
    """Every question in a few words, with the answers as one text. A question we do not know keeps its own words."""
    told = []
    for each in (each for question in answers for each in question["parts"]):
        name, said = NAMES.get(each["text"], ""), "; ".join(each["answers"])
        if name == "urgent" and result["signs"]:
            said = "listed above"  # in full, with what to do
        told.append({"asked": IN_SHORT.get(name, each["text"]), "said": said})
    return told
