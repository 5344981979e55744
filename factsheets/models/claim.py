from django.db import models
from django.db.models import Q

from factsheets.models.natural import NaturalKeyModel


class ClaimStatus(models.TextChoices):
    KEEP = "keep", "keep"
    CORRECT = "correct", "publish corrected"
    CONTEXTUALISE = "contextualise", "publish with its qualifier"
    DROP = "drop", "do not publish"
    ADDED = "added", "added"


class Claim(NaturalKeyModel):
    """A row of the claim ledger: what the sheets may say about one fact, and on what it rests.

    Sections and evidence statements name the rows they cover in `claim_refs`, so that any sentence can be traced.
    """

    natural_key_fields = ("ref",)

    ref = models.CharField("row", max_length=12, unique=True)
    status = models.CharField(max_length=14, choices=ClaimStatus)
    sheets = models.JSONField(default=list, blank=True, help_text="Addresses of the sheets that should cover it.")
    statement = models.TextField("what to say today")
    sources = models.JSONField("source keys", default=list, blank=True)
    to_check = models.BooleanField(
        "rests on general knowledge", default=False, help_text="Some detail still has to be looked up."
    )

    class Meta:
        ordering = ["ref"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ClaimStatus.values), name="claim_known_status"),
        ]

    def __str__(self):
        return f"{self.ref}: {self.statement[:80]}"
