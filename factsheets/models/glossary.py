from django.db import models

from factsheets.models.natural import NaturalKeyModel


class GlossaryTerm(NaturalKeyModel):
    slug = models.SlugField(max_length=80, unique=True)
    term = models.CharField(max_length=120)
    also = models.JSONField("also called", default=list, blank=True)
    meaning = models.TextField(help_text="One or two plain sentences.")
    explain_in_text = models.BooleanField(
        default=True,
        help_text="Explain it where a sheet first uses it. Switch off for words that most people know.",
    )

    class Meta:
        ordering = ["term"]

    def __str__(self):
        return self.term
