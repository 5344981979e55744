import re

from django.core.exceptions import ValidationError
from django.db import models

from factsheets.models.natural import ByNaturalKey, NaturalKeyModel
from factsheets.models.words import WordList

SHORT_WORDS = 12  # ledger, part 2, §1


class Tier(models.TextChoices):
    EMERGENCY = "emergency", "emergency: 999 or A&E"
    URGENT = "urgent", "urgent: 111 or GP today"
    ROUTINE = "routine", "see a GP"


def check_short(text: str) -> None:
    """A short text completes the tier's stem: 12 words at most, and no sentence inside. Raises ValidationError."""
    if len(text.split()) > SHORT_WORDS:
        raise ValidationError(f"Use {SHORT_WORDS} words or fewer: this has {len(text.split())}.")
    if re.search(r"[.!?]", text):
        raise ValidationError("Leave out full stops: it completes the sentence “… if you have back pain and:”.")


def check_joined(text: str) -> None:
    """Nobody can tell what a sentence that begins with “And” or “Or” belongs to. Raises ValidationError."""
    if found := re.search(r"(?:^|[.!?]\s+|\n\s*)(and|or)\b", text, re.IGNORECASE):
        word = found[1].lower()
        raise ValidationError(f"Join the sentence that begins with “{word.capitalize()}” to the one before it.")


def check_patterns(lines) -> None:
    """Raises ValidationError unless each line is a pattern that can be read with the word lists there are."""
    from factsheets.search.redflags.lines import LineError, read_line
    from factsheets.search.redflags.wording import SMALL

    if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines):
        raise ValidationError("Write one word pattern on each line.")
    names = set(WordList.objects.values_list("name", flat=True))
    faults = []
    for number, line in enumerate(lines, start=1):
        try:
            read_line(line, names, SMALL)
        except LineError as error:
            faults.append(f"Line {number}: {error}")
    if faults:
        raise ValidationError(faults)


class SafetyAdvice(NaturalKeyModel):
    """One red flag. The only place where red flags live: sheets, search, the self-assessment, PDF and mail read it.

    Tiers and wording facts follow the ledger's red flags (NHS "Back pain", GIRFT cauda equina pathway, NICE NG12, NG65, NG234).
    """

    natural_key_fields = ("code",)

    code = models.CharField(max_length=10, unique=True, help_text="The ledger's number, such as RF-E1.")
    tier = models.CharField(max_length=10, choices=Tier)
    position = models.PositiveSmallIntegerField(default=0)
    text = models.CharField(
        max_length=400,
        validators=[check_joined],
        help_text="In full, in plain words. Say “pee” and “poo”. Join what belongs together with “and” or “or”.",
    )
    short_text = models.CharField(
        max_length=120,
        validators=[check_short, check_joined],
        help_text=f"{SHORT_WORDS} words or fewer that complete “… if you have back pain and:”. No full stop.",
    )
    on_compact_card = models.BooleanField(
        default=False, help_text="Stands on the short emergency card at the top of every fact sheet."
    )
    action = models.CharField(
        max_length=240, blank=True, validators=[check_joined], help_text="What to do beyond the tier's advice."
    )
    why = models.CharField(max_length=300, blank=True, help_text="Which serious problem it can mean. For staff.")
    sources = models.ManyToManyField("factsheets.Source", blank=True)
    in_assessment = models.BooleanField(default=False, help_text="Asked as a question in the self-assessment.")
    claim_refs = models.JSONField("claim ledger rows", default=list, blank=True)
    patterns = models.JSONField(
        "word patterns",
        default=list,
        blank=True,
        validators=[check_patterns],
        help_text="What people type, one a line.",
    )

    objects = ByNaturalKey()

    class Meta:
        ordering = ["position", "code"]
        verbose_name = "red flag"
        verbose_name_plural = "red flags"
        constraints = [
            models.CheckConstraint(condition=models.Q(tier__in=Tier.values), name="safety_known_tier"),
            models.CheckConstraint(condition=~models.Q(text=""), name="safety_has_text"),
            models.CheckConstraint(condition=~models.Q(short_text=""), name="safety_has_short_text"),
        ]

    def __str__(self):
        return f"{self.code}: {self.text}"
