from pathlib import Path

from django.contrib.staticfiles import finders
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from factsheets.models.natural import NaturalKeyModel


class Figure(NaturalKeyModel):
    """A drawing of our own or an uploaded picture, with what somebody who cannot see it needs."""

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
        validators=[RegexValidator(r"^figures/[a-z0-9-]+\.svg\Z", "Name a drawing such as figures/spine.svg.")],
        help_text="The file in static/, such as figures/spine-24-bones.svg.",
    )
    picture = models.ForeignKey(
        "factsheets.Picture", on_delete=models.PROTECT, null=True, blank=True, related_name="figures", editable=False
    )
    credit = models.CharField(
        max_length=200, blank=True, help_text="Who made the picture, and by what right we show it. Shown under it."
    )
    width = models.PositiveSmallIntegerField(default=400, validators=[MinValueValidator(1)])
    height = models.PositiveSmallIntegerField(default=300, validators=[MinValueValidator(1)])
    claim_refs = models.JSONField("claim ledger rows", default=list, blank=True)

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

    @property
    def dark_drawing(self) -> str:
        return self.drawing.removesuffix(".svg") + ".dark.svg"

    @property
    def path(self) -> Path | None:
        """The drawing's file, for the PDF. None when it is missing."""
        found = finders.find(self.drawing)
        return Path(found) if found else None
