"""The pictures that stand beside a link, and the icons: drawn by us, small, always the same, and nothing ever runs over."""

import io
import unicodedata
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont, features

from factsheets.glyphs import FONTS, REPLACEMENT
from factsheets.machines import cards, drawing, icons, lettering
from factsheets.machines.lettering import BOLD, LINE, fit
from factsheets.models import FactSheet
from tests.html import parse
from tests.reading import SLUGS, page

ABOUT = "/fact-sheets/about-back-pain/card.png"
MOST_BYTES = 60 * 1024
BOX = {"font": BOLD, "width": 754, "height": 300, "sizes": range(84, 19, -2), "most_lines": 4}
TITLES = {
    "short": "Back pain",
    "120 letters": "What to do in the first days of back pain, and when to worry about pain that goes down your leg past the knee"[
        :120
    ],
    "120 wide letters": "W" * 120,
    "one long word": "Pneumonoultramicroscopicsilicovolcanoconiosis",
    "long words": " ".join(["Sakroiliakalgelenkentzündung"] * 4),
    "an address": "https://example.com/" + "a-very-long-path/" * 6,
    "Arabic": "آلام أسفل الظهر: ما الذي يساعد وما الذي لا يساعد",
    "Hebrew": "כאבי גב תחתון: מה עוזר ומה לא",
    "Hindi": "पीठ दर्द के लिए क्या मदद करता है और क्या नहीं",
    "Thai": "อาการปวดหลังส่วนล่าง สิ่งที่ช่วยได้และสิ่งที่ช่วยไม่ได้",
    "Chinese": "背痛" * 60,
    "Korean": "허리 통증에 도움이 되는 것과 도움이 되지 않는 것",
    "Vietnamese": "Đau lưng: điều gì giúp ích, điều gì không",
    "emoji": "Lift 🏋️‍♀️ and rest 😴 " * 6,
    "flags and families": "👨‍👩‍👧‍👦🇬🇧" * 20,
    "marks": "Z̷̢̧̛̛̲̯͙͖͕͈̮͇̺͈̗̪̖̰͕͒̏̀̿̔̈́̏̇͊̓̓̿̈́͋̔̊̂̌̿͘͝ͅalgo " * 8,
    "no font has it": "\U00012000\U0001f9ff\ue000 and \ufffe back",
    "controls": "Back\x00\x07\u202e pain\n\r\t\u2028again",
    "spaces": "   ",
    "nothing": "",
}
every_title = pytest.mark.parametrize("words", TITLES.values(), ids=TITLES)


def opened(data: bytes) -> Image.Image:
    assert len(data) < MOST_BYTES, len(data)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("PNG", cards.SIZE)
    return image.convert("RGB")


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The box around everything on a card that an empty card does not have. Colours are rounded a little."""
    return ImageChops.difference(image, cards._backdrop()).convert("L").point([0] * 25 + [255] * 231).getbbox()


@every_title
def test_a_title_never_runs_over(words):
    image = opened(cards._card("A topic", words))
    left, top, right, bottom = ink(image)
    assert left >= cards.LEFT - 6  # a slanted letter leans a little out
    assert right <= cards.RIGHT + 4
    assert top >= 0
    assert bottom <= cards.BOTTOM + 12


@every_title
def test_a_title_is_set_in_one_to_four_lines_as_large_as_they_fit(words):
    made = fit(words, **BOX)
    assert len(made.lines) <= 4
    assert made.height <= 300
    for line in made.lines:
        assert lettering.measured(line, BOLD, made.size) <= 754
    kept, given = ("".join("".join(each).split()) for each in (made.lines, lettering.cleaned(words)))
    assert kept == given or kept.endswith("…")
    if made.size < 84 and kept == given:
        larger = fit(words, **{**BOX, "sizes": range(made.size + 2, made.size + 1, -2)})
        assert "…" in larger.lines[-1], "It would have fitted in larger letters."


def test_lines_break_between_words_and_are_even():
    made = fit("Looking after your back while you work", **{**BOX, "sizes": range(84, 83, -2)})
    assert " ".join(made.lines) == "Looking after your back while you work"
    widths = [lettering.measured(line, BOLD, made.size) for line in made.lines]
    assert min(widths) > max(widths) * 0.55
    assert made.height == round(len(made.lines) * 84 * LINE)


def test_what_cannot_fit_is_cut_off_and_says_so():
    made = fit("word " * 40, **{**BOX, "sizes": range(84, 79, -2)})
    assert made.size == 80
    assert made.lines[-1].endswith("…")
    assert lettering.measured(made.lines[-1], BOLD, 80) <= 754


@every_title
def test_every_letter_comes_from_a_font_that_has_it(words):
    text = lettering.cleaned(words)
    runs = lettering._runs(text, BOLD)
    if unicodedata.bidirectional(text[:1] or "a") == "L":
        assert "".join(run for _, run in runs) == text
    for name, run in runs:
        assert (FONTS / name).exists()
        for letter in run:
            assert letter == REPLACEMENT or lettering._has(name, letter), (letter, name)


@pytest.mark.skipif(not features.check("raqm"), reason="This machine cannot join letters.")
def test_arabic_letters_are_joined():
    """Joined, the letters of a word are narrower than one by one."""
    face = ImageFont.truetype(str(FONTS / "NotoSansArabic-Regular.ttf"), 60, layout_engine=ImageFont.Layout.BASIC)
    assert lettering.measured("الظهر", BOLD, 60) != sum(face.getlength(letter) for letter in "الظهر")


def test_the_same_words_give_the_same_bytes_and_other_words_others():
    first = cards._card("Understand", "About back pain")
    lettering.measured.cache_clear()
    cards._backdrop.cache_clear()
    assert cards._card("Understand", "About back pain") == first
    assert cards._card("Understand", "About back pains") != first
    assert cards._card("Understood", "About back pain") != first


def test_the_card_is_drawn_in_the_sites_own_colours():
    css = (settings.BASE_DIR / "static/css/site.css").read_text(encoding="utf-8")
    light = css.partition("prefers-color-scheme")[0]
    for colour in (cards.PAPER, cards.INK, cards.PINE, cards.CLAY, cards.MIST):
        assert f": {colour};" in light
    shown = {colour for _, colour in opened(cards.general()).getcolors(1000)}
    assert {ImageColor.getrgb(each) for each in (cards.PAPER, cards.INK, cards.PINE, cards.CLAY, cards.MIST)} <= shown


@pytest.mark.django_db
@pytest.mark.parametrize("slug", SLUGS)
def test_every_sheet_has_its_card(client, slug):
    response = client.get(f"/fact-sheets/{slug}/card.png")
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    opened(response.content)
    assert response["Cache-Control"] == "public, no-cache"
    assert not response.cookies


@pytest.mark.django_db
def test_a_card_is_kept_until_the_title_changes(client, sheet, django_assert_num_queries):
    first = client.get(ABOUT)
    with django_assert_num_queries(1):
        assert client.get(ABOUT, headers={"If-None-Match": first["ETag"]}).status_code == 304
    sheet.title = "Another title"
    sheet.save()
    after = client.get(ABOUT)
    assert after.content != first.content
    assert "Content-Encoding" not in client.get(ABOUT, headers={"Accept-Encoding": "br"})


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "status"), [("draft", 404), ("in_review", 404), ("retired", 410)])
def test_the_card_of_what_is_not_published_is_for_staff_alone(staff_client, sheet, state, status):
    FactSheet.objects.filter(pk=sheet.pk).update(state=state)
    for _ in range(2):
        preview = staff_client.get(ABOUT)
        assert preview["Content-Type"] == "image/png"
        assert "no-store" in preview["Cache-Control"]
        refused = Client().get(ABOUT)
        assert refused.status_code == status
        assert refused["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_card_that_moved_leads_to_where_it_is(client, sheet):
    sheet.former_addresses.create(slug="an-older-name")
    response = client.get("/fact-sheets/an-older-name/card.png")
    assert (response.status_code, response["Location"]) == (301, ABOUT)


@pytest.mark.django_db
def test_the_general_card_has_the_clinics_name(client, settings):
    first = client.get("/card.png")
    opened(first.content)
    settings.CLINIC = {**settings.CLINIC, "name": "Another Clinic With a Rather Long Name for Backs and Necks"}
    after = client.get("/card.png")
    assert opened(after.content) and after.content != first.content


# --- icons ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_old_browsers_and_phones_find_their_icons(client):
    favicon = client.get("/favicon.ico")
    assert (favicon.status_code, favicon["Content-Type"]) == (200, "image/x-icon")
    with Image.open(io.BytesIO(favicon.content)) as image:
        assert image.format == "ICO"
        assert image.info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    assert len(favicon.content) < 4096
    [link] = [node for node in page(client, "/").iter("link") if node.get("rel") == "apple-touch-icon"]
    touch = client.get(link.get("href"))
    with Image.open(io.BytesIO(touch.content)) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (180, 180), "RGB")
    for answer in (favicon, touch):
        assert answer["Cache-Control"] == "public, no-cache"
        assert client.get(answer.request["PATH_INFO"], headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_the_icons_are_the_mark(browser):
    """Chromium draws mark.svg; our own drawing of it may differ by the softness of an edge."""
    svg = (icons.FOLDER / "mark.svg").read_text(encoding="utf-8").replace("<svg ", '<svg width="48" height="48" ')
    screen = browser.new_page(viewport={"width": 48, "height": 48})
    screen.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
    theirs = Image.open(io.BytesIO(screen.screenshot(omit_background=True))).convert("RGBA")
    screen.close()
    with Image.open(icons.FOLDER / "favicon.ico") as ours:
        assert ours.size == (48, 48)
        white = Image.new("RGBA", ours.size, "white")
        both = [Image.alpha_composite(white, each.convert("RGBA")).convert("RGB") for each in (ours, theirs)]
    difference = ImageChops.difference(*both)
    assert max(high for _, high in difference.getextrema()) < 90
    assert sum(difference.convert("L").histogram()[32:]) < 48 * 48 * 0.02


def test_the_touch_icon_leaves_room_for_the_corners_that_phones_cut_off():
    with Image.open(icons.FOLDER / "touch.png") as image:
        paper = image.getpixel((0, 0))
        left, top, right, bottom = ImageChops.difference(image, Image.new("RGB", image.size, paper)).getbbox()
    assert min(left, top, 180 - right, 180 - bottom) >= 30


def test_the_icons_are_as_mark_svg_has_them(tmp_path, monkeypatch):
    call_command("icons", "--check")
    for name in ("mark.svg", *icons.ICONS):
        (tmp_path / name).write_bytes((icons.FOLDER / name).read_bytes())
    for module in ("factsheets.machines.icons", "factsheets.management.commands.icons"):
        monkeypatch.setattr(f"{module}.FOLDER", Path(tmp_path))
    call_command("icons", "--check")
    svg = (tmp_path / "mark.svg").read_text(encoding="utf-8")
    (tmp_path / "mark.svg").write_text(svg.replace("#1F5A54", "#9B1C1C"), encoding="utf-8")
    with pytest.raises(CommandError, match=r"favicon\.ico"):
        call_command("icons", "--check")
    call_command("icons")
    call_command("icons", "--check")


def test_a_bar_has_smooth_edges_and_the_size_it_says():
    half = [0] * 128 + [255] * 128  # an edge between two points colours both a little
    mask = drawing.stencil((40, 20), [drawing.bar(5, 5, 30, 10, 5, 0, (0, 0))])
    assert mask.point(half).getbbox() == (5, 5, 35, 15)
    assert len(set(mask.tobytes())) > 4
    assert mask.getpixel((20, 10)) == 255
    upright = drawing.stencil((40, 40), [drawing.bar(5, 15, 30, 10, 5, 90, (20, 20))])
    assert upright.point(half).getbbox() == (15, 5, 25, 35)


def test_the_page_names_no_icon_that_is_not_there(client, db):
    tree = parse(client.get("/"))
    for link in tree.iter("link"):
        if link.get("rel") in {"icon", "apple-touch-icon"}:
            answer = client.get(link.get("href"))
            assert answer.status_code == 200
            assert b"".join(answer)


def test_drawing_a_line_from_right_to_left_stays_where_it_was_put():
    image = Image.new("L", (400, 100))
    lettering.draw(ImageDraw.Draw(image), (50, 70), "שלום abc", font=BOLD, size=40, fill="#FFFFFF")
    left, _, right, _ = image.getbbox()
    assert left >= 48
    assert right <= 50 + lettering.measured("שלום abc", BOLD, 40) + 2
