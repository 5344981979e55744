"""The whole sheet in large print: 18 point, the same words, and as accessible as the ordinary PDF."""

import io

import pytest
from pypdf import PdfReader

from factsheets.models import FactSheet, SafetyAdvice
from tests.factsheets.rendering.test_outputs_pdf import FOOTER
from tests.support.reading import packed
from tests.support.statements import of_sheet

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]


def large(client, slug: str) -> PdfReader:
    response = client.get(f"/fact-sheets/{slug}/pdf/full/large/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{slug}-full-large-print.pdf"'
    return PdfReader(io.BytesIO(response.content), strict=True)


def letters_by_size(reader: PdfReader) -> dict[float, int]:
    """How many letters are printed at each size, in points."""
    sizes: dict[float, int] = {}

    def seen(text, cm, tm, font, size):
        points = round(abs(size * tm[3] * cm[3]), 1)
        if text.strip() and font and points:  # none is measured for a word that a drawing turns upright
            sizes[points] = sizes.get(points, 0) + len(text.strip())

    for each in reader.pages:
        each.extract_text(visitor_text=seen)
    return sizes


# The one with most tables, and one with a traditional view: taking the words out of so many pages takes long.
@pytest.mark.parametrize("slug", ["tests-and-treatments", "traditional-chinese-medicine-view"])
def test_it_is_in_eighteen_point_tagged_and_whole(client, slug):
    reader = large(client, slug)
    root = reader.trailer["/Root"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data(), "The maker checked it as PDF/UA-1."
    assert root["/Lang"] == "en-GB"
    sheet = FactSheet.objects.get(slug=slug)
    assert reader.metadata.title == sheet.title
    sizes = letters_by_size(reader)
    assert max(sizes, key=sizes.get) == 18.0, sizes
    # Sources and tables are a little smaller, the head and foot of a page smaller still, the raised numbers of sources smallest.
    assert sum(count for size, count in sizes.items() if size < 16) < 0.15 * sum(sizes.values()), sizes
    assert sum(count for size, count in sizes.items() if size < 13) < 0.03 * sum(sizes.values()), sizes
    said = packed("".join(FOOTER.sub("", each.extract_text()).removeprefix(sheet.title) for each in reader.pages[1:]))
    said = packed(FOOTER.sub("", reader.pages[0].extract_text())) + said
    at = 0
    for heading in [sheet.title, sheet.audience, *sheet.sections.values_list("heading", flat=True)]:
        assert packed(heading) in said[at:], heading
        at = said.index(packed(heading), at)
    for advice in SafetyAdvice.objects.all():
        assert packed(advice.text.rstrip(".")) in said, advice.code
    for statement in of_sheet(sheet.slug):
        assert packed(statement.nice_position) in said, statement.key


def test_it_is_made_once_and_kept_until_the_content_changes(client, sheet, django_assert_num_queries):
    path = f"{sheet.get_absolute_url()}pdf/large/"
    first = client.get(path)
    with django_assert_num_queries(1):
        again = client.get(path)
    assert again.content == first.content
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    sheet.title = "Another title"
    sheet.save()
    assert client.get(path)["ETag"] != first["ETag"]


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_nobody_gets_it_before_it_is_published_or_after_it_is_retired(client, sheet, state):
    FactSheet.objects.filter(pk=sheet.pk).update(state=state)
    answer = client.get(f"{sheet.get_absolute_url()}pdf/large/")
    assert answer.status_code == {"draft": 404, "retired": 410}[state]
    assert not answer["Content-Type"].startswith("application/pdf")
