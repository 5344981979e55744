from django.db import models

from factsheets.models.natural import ByNaturalKey, NaturalKeyModel


class Tier(models.TextChoices):
    EMERGENCY = "emergency", "emergency: 999 or A&E"
    URGENT = "urgent", "urgent: 111 or GP today"
    ROUTINE = "routine", "see a GP"


class SafetyAdvice(NaturalKeyModel):
    """One red flag. The only place where red flags live: sheets, search, the self-assessment, PDF and mail read it.

    Tiers and wording facts follow the ledger's red flags (NHS "Back pain", GIRFT cauda equina pathway, NICE NG12, NG65, NG234).
    """

    natural_key_fields = ("code",)

    code = models.CharField(max_length=10, unique=True, help_text="The ledger's number, such as RF-E1.")
    tier = models.CharField(max_length=10, choices=Tier)
    position = models.PositiveSmallIntegerField(default=0)
    text = models.CharField(max_length=400, help_text="One line in plain words. Say “pee” and “poo”.")
    short_text = models.CharField(
        max_length=120, blank=True, help_text="For the compact card. Leave empty to stay off it."
    )
    action = models.CharField(max_length=240, blank=True, help_text="What to do beyond the tier's advice.")
    why = models.CharField(max_length=300, blank=True, help_text="Which serious problem it can mean. For staff.")
    sources = models.ManyToManyField("factsheets.Source", blank=True)
    in_assessment = models.BooleanField(default=False, help_text="Asked as a question in the self-assessment.")
    claim_refs = models.JSONField("claim ledger rows", default=list, blank=True)

    objects = ByNaturalKey()

    class Meta:
        ordering = ["position", "code"]
        verbose_name = "safety advice"
        verbose_name_plural = "safety advice"
        constraints = [
            models.CheckConstraint(condition=models.Q(tier__in=Tier.values), name="safety_known_tier"),
            models.CheckConstraint(condition=~models.Q(text=""), name="safety_has_text"),
        ]

    def __str__(self):
        return f"{self.code}: {self.text}"
