"""Whatever script, sign or accident an editor pastes in, all four outputs still come."""

import io
import json

import pytest
from pypdf import PdfReader

from factsheets import actions
from factsheets.models import FactSheet
from factsheets.safety import HEADINGS
from tests.support.html import text
from tests.support.linked_data import block
from tests.support.reading import packed, page
from tests.support.statements import of_sheet

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]

TEXTS = {
    "Arabic": "ألم الظهر شائع جدا وعادة ما يتحسن",
    "Hebrew": "כאבי גב הם נפוצים מאוד",
    "Arabic among English": "The word ألم (alam) means pain, 7 of 10 people",
    "Chinese": "腰痛很常见，通常会好转。針灸",
    "Japanese": "腰痛はよくあることです。カタカナ",
    "Korean": "허리 통증은 매우 흔합니다",
    "Hindi": "पीठ दर्द बहुत आम है और आमतौर पर ठीक हो जाता है",
    "Bengali": "পিঠে ব্যথা খুব সাধারণ",
    "Tamil": "முதுகு வலி மிகவும் பொதுவானது",
    "Thai": "อาการปวดหลังเป็นเรื่องปกติมาก",
    "Vietnamese": "Đau lưng rất phổ biến và thường đỡ dần",
    "Greek and Cyrillic": "Ο πόνος στη μέση. Боль в спине",
    "emoji with joiners": "👩🏽‍⚕️ 👨‍👩‍👧‍👦 🏳️‍🌈 🇬🇧 1️⃣ ❤️‍🔥",
    "letters with many marks": "p̷̡̛͍̯̘a̶̢̛̛̤̯i̸̧̛̖̯̇n̵̨̛̗̯̈́ " + "e" + "\u0301" * 200,
    "private use": "logo \ue000\uf8ff\U0010fffd end",
    "codes that are no characters": "end \ufffe\uffff\ufdd0\U0001ffff of plane",
    "not yet assigned": "later \u0378\U000e0fff \U0003ffff",
    "rare scripts": "𓀀 𒀀 𐎀 ꧁ ᚠ ᠮᠣᠩᠭᠣᠯ ꦗꦮ ⠃⠗",
    "bidirectional controls": "abc \u202egnirts\u202c def \u2066x\u2069 \u200f",
    "spaces and joiners of every kind": "a\u00a0b\u2007c\u2009d\u200be\u200cf\u2060g\u3000h\ufeffi\u00adj",
    "line separators": "one\u2028two\u2029three\x0bfour\x0cfive\x85six",
    "control characters": "bell\x07 escape\x1b[31m delete\x7f null-like\x01",
    "a word of 5,000 letters": "a" * 5000,
    "5,000 Chinese letters": "痛" * 5000,
    "Typst code": '#panic("x") #import "x" $ x^2 $ @label <label> \\ #{ } `raw` = Heading // gone /* gone */ ~ -- ---',
    "template code": "{{ 7|add:7 }} {% debug %} ${x} %s %(x)s {0.__class__}",
    "HTML": "<script>alert(1)</script> &amp; </title> <!-- --> ]]> \" '",
    "mathematical letters": "𝐛𝐨𝐥𝐝 𝒔𝒄𝒓𝒊𝒑𝒕 ﷽ ﬁ ½ ℃ ㎏",
}
# Scripts that our fonts have.
PRINTED = {"Arabic", "Hebrew", "Chinese", "Hindi", "Tamil", "Thai", "Greek and Cyrillic"}
# What no font has is printed as a box, and code as words.
PRINTED_AS = {"private use": "logo□□□end", "Typst code": '#panic("x")#import"x"$x^2$@label'}


def put_everywhere(sheet: FactSheet, typed: str) -> None:
    """Into every field of the sheet that an editor writes, as the admin saves them."""
    line = " ".join(typed.split("\n"))
    sheet.title, sheet.summary, sheet.audience = line[:120], line[:300], line[:300]
    sheet.key_points = f"- One {line}\n- **{line.replace('*', '')}**\n- Three\n"
    sheet.save()
    section = sheet.sections.filter(kind="text").first()
    section.heading = line[:160]
    section.body = (
        f"{line}\n\n### {line[:500]}\n\n- {line}\n\n| {line[:200].replace('|', '')} | b |\n|---|---|\n| {line} | d |\n"
    )
    section.save()
    statement = of_sheet(sheet.slug).first()
    statement.claim, statement.detail, statement.nice_position = line[:240], line, f"NICE {line}"[:300]
    statement.save()
    related = sheet.related.first()
    related.reason = line[:240]
    related.save()
    source = statement.sources.first()
    source.title = line[:400]
    source.save()
    sheet.source_uses.update_or_create(source=source, defaults={"finding": line})
    figure = sheet.sections.filter(kind="figure").first().figure
    figure.alt, figure.long_description, figure.title = f"Alt {line}"[:300], line, line[:200]
    figure.save()
    actions.refresh(sheet=sheet)


@pytest.fixture
def acupuncture(db):
    """The sheet with one section of each kind that matters here: it is printed many times."""
    sheet = FactSheet.objects.get(slug="acupuncture-for-back-pain")
    kept = [sheet.sections.filter(kind=kind).first().pk for kind in ("text", "figure", "evidence")]
    sheet.sections.exclude(pk__in=kept).delete()
    return sheet


@pytest.mark.parametrize("name", TEXTS)
def test_all_four_outputs_come_whatever_is_typed(client, acupuncture, name):
    typed = TEXTS[name]
    put_everywhere(acupuncture, typed)
    address = f"/fact-sheets/{acupuncture.slug}/"
    tree = page(client, address)
    [title] = tree.iter("h1")
    assert text(title) == " ".join(acupuncture.title.split())
    assert len(list(tree.iter("script"))) == 1
    assert block(tree)["name"] == acupuncture.title
    for output in ("text/", "json/", "pdf/", "pdf/full/"):
        response = client.get(address + output)
        assert response.status_code == 200, output
        if output == "json/":
            assert json.loads(response.content)["title"] == acupuncture.title
        if output == "text/":
            assert HEADINGS["emergency"] in response.content.decode()
    reader = PdfReader(io.BytesIO(response.content), strict=True)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    # Taking the words out of all pages takes long.
    pages = reader.pages if name in PRINTED or name in PRINTED_AS else [*reader.pages[:2], reader.pages[-1]]
    words = [each.extract_text() for each in pages]
    assert packed(HEADINGS["emergency"]) in packed("".join(words[:2]))
    assert "Aboutthispage" in packed(words[-1]), "The PDF goes on to its end."
    assert PRINTED_AS.get(name, "") in packed("".join(words))
    if name in PRINTED:
        expect_own_letters(typed, "".join(words))
        assert reader.metadata.title == typed
    assert " ".join(acupuncture.title.split()) in text(page(client, "/fact-sheets/"))


def expect_own_letters(typed: str, printed: str) -> None:
    """Not boxes: the letters can be copied out of the PDF again."""
    letters = {letter for letter in typed if letter.isalpha()}
    assert len(letters - set(printed)) <= len(letters) // 3, "Joined letters may come out as their joined forms."
    assert "□" not in printed
