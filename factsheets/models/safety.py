import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from factsheets.models.draft import ContentDraft, DraftEvent, by_somebody, open_until_it_ends
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
    """Raises ValidationError for a sentence that begins with “And” or “Or”, because nobody can tell what it belongs to."""
    if found := re.search(r"(?:^|[.!?]\s+|\n\s*)(and|or)\b", text, re.IGNORECASE):
        word = found[1].lower()
        raise ValidationError(f"Join the sentence that begins with “{word.capitalize()}” to the one before it.")


def check_patterns(lines) -> None:
    """Raises ValidationError unless each line is a valid pattern that names only existing word lists."""
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
    """One red flag. Sheets, search, the self-assessment, PDFs and emails all take their red flags from these records.

    Tiers and wording facts follow the ledger's red flags (NHS "Back pain", GIRFT cauda equina pathway, NICE NG12, NG65, NG234).
    """

    natural_key_fields = ("code",)
    plain_texts = ("text", "short_text", "action")

    code = models.CharField(max_length=10, unique=True, help_text="Its number in the list of claims, such as RF-E1.")
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
        default=False, help_text="Shown on the short emergency card at the top of every fact sheet."
    )
    action = models.CharField(
        max_length=240, blank=True, validators=[check_joined], help_text="What to do in addition to the tier’s advice."
    )
    why = models.CharField(
        max_length=300, blank=True, help_text="The serious problem it can point to. Only staff see this."
    )
    sources = models.ManyToManyField("factsheets.Source", blank=True)
    in_assessment = models.BooleanField(default=False, help_text="Asked as a question in the self-assessment.")
    claim_refs = models.JSONField("claims it rests on", default=list, blank=True)
    patterns = models.JSONField(
        "word patterns",
        default=list,
        blank=True,
        validators=[check_patterns],
        help_text="What people type, one pattern per line.",
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
        return f"{self.text} ({self.code})"


class SafetyDraft(ContentDraft):
    """All red flags as they will read after the next approval. At most one draft is open; closed drafts are kept."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="safety_draft_one_open"),
            *open_until_it_ends("safety_draft"),
        ]

    def __str__(self):
        return f"Draft of the red flags, {self.get_state_display()}"


class SafetyDraftEvent(DraftEvent):
    draft = models.ForeignKey(SafetyDraft, on_delete=models.CASCADE, related_name="events", editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = by_somebody("safety_draft_event")


class SafetyStep(models.TextChoices):
    INSTALLED = "installed", "installed with the site’s content"
    PUBLISHED = "published", "approved and published"


class SafetyEdition(models.Model):
    """All red flags as patients saw them from this moment on: who published them, and what changed since the edition before.

    The unit is the whole set: that is what a clinician approves and what the self-assessment asks.
    """

    number = models.PositiveIntegerField(unique=True, editable=False)
    step = models.CharField(max_length=10, choices=SafetyStep, editable=False)
    content = models.JSONField(editable=False, help_text="The set as factsheets.safety_revisions.snapshot makes it.")
    changes = models.JSONField(default=list, editable=False, help_text="What changed, a line each, made by us.")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the authors’ words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, blank=True, editable=False, help_text="The name, for when accounts go.")
    authors = models.CharField(max_length=500, blank=True, editable=False, help_text="Who wrote what was approved.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=Q(step__in=SafetyStep.values), name="safety_edition_known_step"),
            # Only the content installed with the site has no author.
            models.CheckConstraint(condition=Q(step="installed") | ~Q(actor=""), name="safety_edition_has_actor"),
        ]

    def __str__(self):
        return f"Red flags, edition {self.number}"
