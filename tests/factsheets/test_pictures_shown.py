"""A figure's picture as readers get it: its files, the page, and the other outputs."""

import io
import re

import pytest
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from factsheets import pictures
from tests.config.test_request_guard import expect_doors
from tests.factsheets.rendering.test_outputs_pdf import alternatives
from tests.support.pictures import figure_of_a_sheet, show
from tests.support.reading import page, squeezed

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def figure():
    return figure_of_a_sheet()


def test_each_file_may_be_kept_for_ever_and_has_its_doors_shut(figure):
    picture = show(figure, (450, 300))
    for width in (400, 450):
        for name, kind in (("webp", "image/webp"), ("jpg", "image/jpeg")):
            address = pictures.address(picture.digest, width, name)
            assert address == f"/pictures/{picture.digest}-{width}.{name}"
            answer = Client().get(address)
            assert (answer.status_code, answer["Content-Type"]) == (200, kind)
            assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
            assert not answer.cookies
            assert "Vary" not in answer.headers
            expect_doors(answer)
            assert Image.open(io.BytesIO(answer.content)).width == width
            head = Client().head(address)
            assert (head.status_code, head.content) == (200, b"")
            assert head["Content-Length"] == str(len(answer.content))
    assert Client().post(address).status_code == 405


def test_a_picture_that_is_not_there_is_the_page_that_says_so(figure):
    picture = show(figure)
    numbers = [f"{'9' * digits}.jpg" for digits in (30, 3_000)]
    for rest in ["401.jpg", "400.gif", "400.JPG", "400", "0.jpg", "-400.jpg", *numbers]:
        for digest in (picture.digest, "f" * 32):
            answer = Client().get(f"/pictures/{digest}-{rest}")
            assert answer.status_code == 404, rest
            assert b"We cannot find that page" in answer.content


@pytest.mark.once
def test_the_page_offers_every_size_and_its_place_is_kept_free(figure):
    picture = show(figure, (900, 600), credit="Photo: <A. Example>")
    document = page(Client(), "/fact-sheets/about-back-pain/")
    [shown] = [each for each in document.iter("picture") if picture.digest in str(each[-1].get("src"))]
    source, image = shown
    assert source.get("type") == "image/webp"
    offered = [each.split() for each in source.get("srcset").split(", ")]
    assert offered == [[pictures.address(picture.digest, w, "webp"), f"{w}w"] for w in (400, 800, 900)]
    assert "100vw" in source.get("sizes")
    assert image.get("src") == pictures.address(picture.digest, 900, "jpg")
    assert (image.get("width"), image.get("height"), image.get("loading")) == ("900", "600", "lazy")
    assert image.get("alt") == figure.alt
    [around] = [each for each in document.iter("figure") if shown in set(each.iter())]
    words = squeezed("".join(around.itertext()))
    assert words.index(figure.title) < words.index("Picture credit: Photo: <A. Example>")
    assert squeezed(figure.long_description) in words


@pytest.mark.once
def test_a_drawing_s_page_is_as_before(client, figure):
    document = page(client, "/fact-sheets/about-back-pain/")
    [image] = [each for each in document.iter("img") if each.get("alt") == figure.alt]
    assert re.match(rf"/static/{figure.drawing.removesuffix('.svg')}(\.\w+)?\.svg", image.get("src"))
    assert "Picture credit" not in "".join(document.itertext())


@pytest.mark.once
def test_text_and_json_carry_its_words_its_credit_and_its_address(figure, settings):
    picture = show(figure, credit="Photo: A. Example, with permission")
    said = squeezed(Client().get("/fact-sheets/about-back-pain/text/").content.decode())
    for words in (figure.title, figure.long_description, "Picture credit: Photo: A. Example, with permission"):
        assert squeezed(words) in said
    data = Client().get("/fact-sheets/about-back-pain/json/").json()
    [told] = [each["figure"] for each in data["sections"] if each.get("figure", {}).get("slug") == figure.slug]
    assert (told["title"], told["long_description"]) == (figure.title, figure.long_description)
    assert told["credit"] == "Photo: A. Example, with permission"
    assert told["picture"]["address"] == f"{settings.BASE_URL}{pictures.address(picture.digest, 400, 'jpg')}"


@pytest.mark.parametrize("size", [(400, 300), (400, 1_150)], ids=["wide", "tall"])
@pytest.mark.long
@pytest.mark.once
def test_the_pdf_shows_the_jpeg_itself_with_its_text_alternative_on_one_page(figure, size):
    picture = show(figure, size, credit="Photo: A. Example")
    response = Client().get("/fact-sheets/about-back-pain/pdf/full/")
    assert response.status_code == 200
    reader = PdfReader(io.BytesIO(response.content), strict=True)
    assert b"pdfuaid:part" in reader.trailer["/Root"]["/Metadata"].get_data()
    assert figure.alt in alternatives(reader.trailer["/Root"]["/StructTreeRoot"])
    found = [(number, image) for number, each in enumerate(reader.pages) for image in each.images]
    [(number, image)] = found
    assert pictures.jpeg(picture.digest) in response.content
    assert image.image.size == size
    beside = squeezed(reader.pages[number].extract_text())
    assert "What the picture shows:" in beside, "The picture leaves no room for its words."
    assert "Photo: A. Example" in beside + squeezed(reader.pages[number + 1].extract_text())
