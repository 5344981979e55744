"""The colours that a clinic may choose from, for its pages, emails and PDFs.

Every colour keeps the contrast of WCAG 2.2 AA (4.5 to 1 for text) on every ground that the style sheet puts it on, in the light and
in the dark scheme: tests/core/test_palette.py measures it. Red is for emergencies and is not among them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    label: str
    strong: str  # buttons, links, the foot of a page; also in emails and PDFs
    tint: str  # the ground of the clinic's own card
    mist: str  # the ground of a hero and of table heads
    dark_strong: str  # the same three in the dark scheme
    dark_tint: str
    dark_mist: str

    @property
    def stylesheet(self) -> str:
        """What the colour changes of the style sheet's variables (static/css/site.css)."""
        light = f"--pine: {self.strong}; --deep: {self.strong}; --sage: {self.tint}; --mist: {self.mist};"
        dark = f"--pine: {self.dark_strong}; --sage: {self.dark_tint}; --mist: {self.dark_mist};"
        return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


DEFAULT = "pine"
PALETTE = {
    "pine": Colours("Pine", "#1F5A54", "#CFE3DA", "#E9F1EA", "#8FD0C2", "#2B4A45", "#1E332F"),
    "navy": Colours("Navy", "#1E4B7A", "#D3E0EE", "#E9F0F7", "#9CC8F0", "#263F58", "#1B2C3C"),
    "plum": Colours("Plum", "#643567", "#E8D7E8", "#F4ECF4", "#DDB5E0", "#4A3150", "#302338"),
    "moss": Colours("Moss", "#3E5A1E", "#DDE7C8", "#F0F4E4", "#B9D68F", "#3B4A28", "#28331C"),
    "slate": Colours("Slate", "#3A4A5E", "#DAE0E6", "#EDF0F3", "#B7C7DA", "#384452", "#262F39"),
}


def sheet_of(colour: str) -> str:
    """The style sheet that a page needs beside its own. Empty for the colour that is its own."""
    return "" if colour == DEFAULT or colour not in PALETTE else f"css/colour-{colour}.css"
