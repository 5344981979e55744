import math
import re
from pathlib import Path
from xml.etree import ElementTree

from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from factsheets.models.natural import NaturalKeyModel

DRAWING = r"^figures/[a-z0-9-]+\.svg\Z"


class Figure(NaturalKeyModel):
    """A drawing of our own or an uploaded picture, with what somebody who cannot see it needs."""

    plain_texts = ("title", "alt", "long_description", "credit")

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    alt = models.CharField(
        "text alternative", max_length=300, help_text="One sentence, read out instead of the drawing."
    )
    long_description = models.TextField(
        help_text="Every fact and label in the drawing, in two to five plain sentences."
    )
    drawing = models.CharField(
        max_length=200,
        blank=True,
        validators=[RegexValidator(DRAWING, "Name a drawing such as figures/spine.svg.")],
        help_text="The file in static/, such as figures/spine-24-bones.svg.",
    )
    picture = models.ForeignKey(
        "factsheets.Picture", on_delete=models.PROTECT, null=True, blank=True, related_name="figures", editable=False
    )
    credit = models.CharField(
        max_length=200, blank=True, help_text="Who made the picture, and what allows us to use it. Shown below it."
    )
    width = models.PositiveSmallIntegerField(default=400, validators=[MinValueValidator(1)])
    height = models.PositiveSmallIntegerField(default=300, validators=[MinValueValidator(1)])
    claim_refs = models.JSONField("claims it rests on", default=list, blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=(~Q(drawing="") & Q(picture__isnull=True)) | (Q(drawing="") & Q(picture__isnull=False)),
                name="figure_drawing_or_picture",
            ),
        ]

    def __str__(self):
        return self.title

    def clean(self):
        """Rejects, with a reason, what the database would refuse."""
        if self.drawing and self.picture:
            raise ValidationError(
                {
                    "drawing": "A figure shows a drawing or a picture, not both. Choose “No drawing”, or remove the picture."
                }
            )
        if not self.drawing and not self.picture:
            raise ValidationError({"drawing": "Choose a drawing, or upload a picture."})

    @property
    def path(self) -> Path | None:
        """The drawing's file, for the PDF. None when it is missing, or when the figure is a picture."""
        found = finders.find(self.drawing) if self.drawing else None
        return Path(found) if found else None

    @property
    def picture_widths(self) -> list[int]:
        """The widths, in pixels, in which each format of the picture is available."""
        if self.picture is None:
            return []
        files = self.picture.files.filter(format="jpg")
        return list(files.order_by("width").values_list("width", flat=True))

    def size_of_file(self) -> tuple[int, int]:
        """Width and height as the picture, or the drawing's viewBox, has them. Raises ValueError when they cannot be read."""
        if self.picture:
            return self.picture.width, self.picture.height
        if self.path is None:
            raise ValueError(f"The drawing {self.drawing} is missing.")
        try:
            root = ElementTree.parse(self.path).getroot()  # noqa: S314 - a file of our own, no upload
            _, _, width, height = map(float, root.get("viewBox", "").replace(",", " ").split())
        except (ElementTree.ParseError, ValueError) as error:
            raise ValueError(f"The drawing {self.drawing} does not say how large it is in its viewBox.") from error
        if not (math.isfinite(width) and math.isfinite(height) and min(width, height) >= 1):
            raise ValueError(f"The drawing {self.drawing} has no size.")
        return round(width), round(height)


def drawings() -> list[str]:
    """The drawings that a figure can show, such as figures/spine.svg: those in static/figures/."""
    folder = Path(finders.find("figures") or "")
    names = sorted(path.name for path in folder.glob("*.svg"))
    return [f"figures/{name}" for name in names if re.match(DRAWING, f"figures/{name}")]
