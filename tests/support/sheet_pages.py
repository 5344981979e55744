"""What tests of sheets in pages share."""

from factsheets import actions
from factsheets.models import FactSheet, Section
from tests.support.reading import LATER, SLUGS, with_class

SPLIT = [slug for slug in SLUGS if LATER[slug]]
ACUPUNCTURE = "/fact-sheets/acupuncture-for-back-pain/"


def lines(tree) -> set[str]:
    """The places in the list of contents, for links from before the sheet had pages. They lead on, and are no places."""
    return {line.get("id") for box in with_class(tree, "contents") for line in box.iter("li") if line.get("id")}


def in_two_pages(sheet: FactSheet) -> FactSheet:
    """Makes it a sheet of two short chapters, “start” and “rest”, each on a page of its own."""
    sheet.sections.all().delete()
    FactSheet.objects.filter(pk=sheet.pk).update(key_points="- One. [@NG59]\n- Two.\n- Three.\n", first_page_title="")
    Section.objects.create(
        sheet=sheet, slug="start", position=10, heading="Start", body="An MRI of the start. [@NG59]\n"
    )
    Section.objects.create(
        sheet=sheet,
        slug="rest",
        position=20,
        heading="Rest",
        page_title="The rest",
        body="An MRI again. [@MU20; @NG59]\n",
    )
    sheet.refresh_from_db()
    actions.refresh(sheet=sheet)
    return sheet
