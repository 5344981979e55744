"""The typefaces for browser tests, whatever fonts a machine has: one of ours, and a narrow and a wide one made from it.

Where words wrap, and so what fits, depends on the typeface, and readers see that of their own system. Carlito, which replaces
Calibri, is about as narrow as ours at 93 %, and DejaVu Sans is as wide as ours at 115 %.
"""

from pathlib import Path

from fontTools.ttLib import TTFont

OURS = Path(__file__).resolve().parents[2] / "factsheets" / "fonts"
FACE = "Atkinson Hyperlegible"
WIDTHS = {"Narrow": 0.93, "Wide": 1.15}
CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{ours}</dir>
  <dir>{folder}</dir>
  <!-- Our style sheets name it, and it would stand in the place of the face that a test asks for. -->
  <selectfont><rejectfont><glob>*/NotoSans-Regular.ttf</glob></rejectfont></selectfont>
  <cachedir>{folder}/cache</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last" binding="strong"><string>{face}</string></edit>
  </match>
</fontconfig>
"""


def font_environment(folder: Path) -> dict[str, str]:
    """The environment in which a browser has only these typefaces. Makes them in `folder`."""
    for name, width in WIDTHS.items():
        for style in ("400Regular", "700Bold"):
            stretched(OURS / f"AtkinsonHyperlegible_{style}.ttf", name, width).save(folder / f"{name}-{style}.ttf")
    file = folder / "fonts.conf"
    file.write_text(CONFIGURATION.format(ours=OURS, folder=folder, face=FACE))
    return {"FONTCONFIG_FILE": str(file)}


def use_face(page, name: str) -> None:
    """Draws the present page in the narrow or wide typeface. The browser context must bypass our content policy."""
    page.add_style_tag(content=f":root {{ --sans: 'Tests {name}' !important; --serif: 'Tests {name}' !important; }}")


def stretched(path: Path, name: str, width: float) -> TTFont:
    font = TTFont(path, recalcTimestamp=False)
    outlines = font["glyf"]
    for each in font.getGlyphOrder():
        glyph = outlines[each]
        if glyph.isComposite():
            for part in glyph.components:
                part.x = round(part.x * width)
        elif glyph.numberOfContours:
            glyph.coordinates.scale((width, 1))
            glyph.coordinates.toInt()
        glyph.recalcBounds(outlines)
        glyph.removeHinting()
        font["hmtx"][each] = (round(font["hmtx"][each][0] * width), getattr(glyph, "xMin", 0))
    for table in {"GPOS", "GSUB", "fpgm", "prep", "cvt ", "gasp"} & set(font.keys()):
        del font[table]
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = (
                record.toUnicode().replace("Atkinson Hyperlegible", f"Tests {name}").replace("Atkinson", name)
            )
    return font
