"""The colours that a clinic may choose from, for its pages, emails and PDFs, and for its staff desk.

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

    @property
    def desk(self) -> tuple[dict[str, str], dict[str, str]]:
        """What the colour changes of the desk's variables (static/css/desk.css), in the light and in the dark scheme."""
        deep, lifted = _mixed(self.strong, "#000000", 0.3), _mixed(self.strong, "#FFFFFF", 0.12)
        light = {
            **dict.fromkeys(("primary", "secondary", "header-bg", "link-fg", "button-bg"), self.strong),
            **dict.fromkeys(("breadcrumbs-bg", "link-hover-color", "button-hover-bg"), deep),
            "selected-bg": self.mist,
        }
        dark = {
            **dict.fromkeys(("primary", "secondary"), self.dark_tint),
            "header-bg": "#0E1716",
            "breadcrumbs-bg": self.dark_mist,
            "link-fg": self.dark_strong,
            "link-hover-color": _mixed(self.dark_strong, "#FFFFFF", 0.3),
            "button-bg": self.strong,
            "button-hover-bg": lifted,
            "selected-bg": self.dark_mist,
        }
        return light, dark

    @property
    def desk_stylesheet(self) -> str:
        light, dark = (" ".join(f"--{name}: {value};" for name, value in each.items()) for each in self.desk)
        chosen = f'html[data-theme="dark"] {{ {dark} }}'
        return (
            f':root, html[data-theme="light"] {{ {light} }}\n'
            f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{chosen}\n"
        )


def _mixed(colour: str, other: str, share: float) -> str:
    """The colour with that share of the other in it."""
    pairs = ((int(each[start : start + 2], 16) for each in (colour, other)) for start in (1, 3, 5))
    return "#" + "".join(f"{round(one + (two - one) * share):02X}" for one, two in pairs)


DEFAULT = "pine"
PALETTE = {
    "pine": Colours("Pine", "#1F5A54", "#CFE3DA", "#E9F1EA", "#8FD0C2", "#2B4A45", "#1E332F"),
    "navy": Colours("Navy", "#1E4B7A", "#D3E0EE", "#E9F0F7", "#9CC8F0", "#263F58", "#1B2C3C"),
    "plum": Colours("Plum", "#643567", "#E8D7E8", "#F4ECF4", "#DDB5E0", "#4A3150", "#302338"),
    "moss": Colours("Moss", "#3E5A1E", "#DDE7C8", "#F0F4E4", "#B9D68F", "#3B4A28", "#28331C"),
    "slate": Colours("Slate", "#3A4A5E", "#DAE0E6", "#EDF0F3", "#B7C7DA", "#384452", "#262F39"),
}


def sheet_of(colour: str, *, kind: str = "colour") -> str:
    """The style sheet that a page needs beside its own, or with `kind` "desk" one of the desk. Empty for the colour of both."""
    return "" if colour == DEFAULT or colour not in PALETTE else f"css/{kind}-{colour}.css"
