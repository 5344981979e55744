"""Why people come to the home page, in their words, and the place that answers them."""

from dataclasses import dataclass

from django.urls import reverse

from factsheets.models import FactSheet


@dataclass(frozen=True)
class Situation:
    """`sheet` is the address of a sheet, or `page` the name of another page of ours; `place` is a section or a sign on it."""

    words: str
    answer: str = ""
    sheet: str = ""
    place: str = ""
    page: str = ""

    def url(self, published: dict[str, FactSheet]) -> str:
        """Where it leads: to the whole sheet if an editor has removed the section. Empty if the sheet is not published."""
        if self.page:
            return reverse(self.page) + (f"#{self.place}" if self.place else "")
        sheet = published.get(self.sheet)
        if sheet is None:
            return ""
        has_place = any(
            self.place in {section["slug"], section.get("question"), *section.get("also", [])}
            for section in sheet.document.get("sections", [])
        )
        return sheet.place_url(self.place) if self.place and has_place else sheet.get_absolute_url()


# The six most common worries, then those that replace one whose sheet is not published.
CARDS = [
    Situation(
        "Is it serious?", "Rarely. The signs that matter", sheet="about-back-pain", place="serious-causes-are-rare"
    ),
    Situation(
        "It goes down my leg",
        "Sciatica, and what to do",
        sheet="about-back-pain",
        place="pain-down-one-leg",
    ),
    Situation("I cannot sleep", "Ways to get comfortable", sheet="posture-and-lifting", place="sleeping"),
    Situation("What can I take?", "Medicines, and their risks", sheet="tests-and-treatments", place="medicines"),
    Situation(
        "I am waiting for treatment", "What to do until then", sheet="looking-after-your-back", place="while-you-wait"
    ),
    Situation("I am pregnant", "Who to ask, and when", page="factsheets:get_help_now", place="pregnant"),
    Situation("It has lasted months", "Why pain stays, what helps", sheet="long-term-pain"),
    Situation("What can I do today?", "Keep moving, ease the pain", sheet="looking-after-your-back"),
]
SHOWN = 6
QUESTIONS = [
    Situation("Which treatments help?", page="factsheets:treatments"),
    Situation("Do I need a scan or another test?", sheet="tests-and-treatments"),
    Situation("How long will it last?", sheet="about-back-pain", place="how-long-it-lasts"),
    Situation("When should I see a GP?", sheet="about-back-pain", place="when-to-see-a-gp"),
    Situation("How should I sit, stand and lift?", sheet="posture-and-lifting"),
    Situation("Is stress making it worse?", sheet="stress-and-back-pain"),
    Situation("Is acupuncture worth trying?", sheet="acupuncture-for-back-pain"),
    Situation("Would massage or manipulation help?", sheet="manual-therapy-for-back-pain"),
    Situation("What does Chinese medicine say?", sheet="traditional-chinese-medicine-view"),
]


def listed(situations: list[Situation], sheets: list[FactSheet]) -> list[dict]:
    """Those that lead somewhere, with their words, answer and address."""
    published = {sheet.slug: sheet for sheet in sheets}
    found = [(each, each.url(published)) for each in situations]
    return [{"words": each.words, "answer": each.answer, "url": url} for each, url in found if url]


def cards(sheets: list[FactSheet]) -> list[dict]:
    """The six on the home page, or fewer if too few sheets are published."""
    return listed(CARDS, sheets)[:SHOWN]


def questions(sheets: list[FactSheet]) -> list[dict]:
    """Other questions, beginning with those that have no card."""
    return listed(CARDS, sheets)[SHOWN:] + listed(QUESTIONS, sheets)
