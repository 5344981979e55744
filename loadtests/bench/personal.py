"""What a personal report costs: another person each time, in a process that printed its sheets before."""

import time
from functools import partial
from io import BytesIO
from itertools import cycle
from statistics import median

from pypdf import PdfReader

from tests.support.assessment import answers

ROUNDS = 24
LIMIT = 100  # milliseconds at the median
SELF_CARE = {"age": "45_54", "duration": "1_to_3", "triggers": ["sitting"], "tried": ["painkillers"], "limits": "some"}
SEE_A_GP = {"checked": "worse", "reach": "past_knee", "duration": "3_to_6", "tried": ["exercise"]}
EVERYTHING = {
    **SEE_A_GP,
    "duration": "over_12",
    "triggers": ["sitting", "stress"],
    "mood": "a_lot",
    "tell": ["pregnant"],
}
CASES = {
    "self-care": [SELF_CARE],
    "see a GP": [SEE_A_GP],
    "the longest": [EVERYTHING],
    "all outcomes in turn": [SELF_CARE, SEE_A_GP, {"urgent": ["RF-U4"]}, EVERYTHING, {"age": "under_18"}],
}


def reporting() -> None:
    """Each report against a bare PDF of the words of its sheets, both with a name that was not there before.

    Both have their fonts read already. The bare one is all in one paragraph, without tags, pictures or links.
    """
    import typst

    fonts = typst.Fonts()
    for case, people in CASES.items():
        times, bare = [], []
        reports = [Report(given, fonts) for given in people]
        pages = [len(PdfReader(BytesIO(report.printed())).pages) for report in reports]
        for number, report in zip(range(ROUNDS), cycle(reports), strict=False):
            name = f"Person {number}, {case}"
            times.append(milliseconds(partial(report.printed, name)))
            bare.append(milliseconds(partial(report.bare, name)))
        print(  # noqa: T201
            f"{f'personal report: a bare PDF ÷ {case}':<58} {median(bare) / median(times):>7.3f}   "
            f"(median {median(times):.0f} ms against {median(bare):.0f} ms, {min(pages)} to {max(pages)} pages; "
            f"{'' if median(times) < LIMIT else 'NOT '}under {LIMIT} ms)"
        )


def milliseconds(work) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


class Report:
    def __init__(self, given: dict, fonts):
        from enquiries.assessment.evaluate import evaluate
        from enquiries.assessment.flags import flags
        from enquiries.assessment.result import played_back, shown
        from factsheets.models import FactSheet
        from factsheets.rendering.text import text

        self.fonts = fonts
        known, found = flags(), {sheet.slug: sheet for sheet in FactSheet.objects.published()}
        self.result, self.told = shown(answers(**given), known), played_back(answers(**given), known)
        self.sheets = [found[slug] for slug in evaluate(answers(**given)).sheets]
        self.words = "\n".join(text(sheet) for sheet in self.sheets)

    def printed(self, name: str = "Somebody") -> bytes:
        from enquiries.assessment.personal import pdf

        return pdf(self.result, name=name, answers=self.told, sheets=self.sheets)

    def bare(self, name: str = "Somebody") -> None:
        import typst

        typst.compile(b"#sys.inputs.words", sys_inputs={"words": f"{name}\n{self.words}"}, font_paths=self.fonts)
