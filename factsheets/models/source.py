from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.text import Truncator

from factsheets.models.natural import NaturalKeyModel

NAMED_BY = 90  # characters of its title


class Source(NaturalKeyModel):
    """A guideline, study or page that a claim rests on. Identifiers are given only where somebody has seen them."""

    class SourceKind(models.TextChoices):
        GUIDELINE = "guideline", "guideline"
        HEALTH_SERVICE = "health_service", "health service page"
        REVIEW = "review", "review of studies"
        TRIAL = "trial", "trial"
        STUDY = "study", "study"
        REGULATOR = "regulator", "regulator"
        LAW = "law", "law"
        REPORT = "report", "report"
        BOOK = "book", "book"

    class Verification(models.TextChoices):
        VERIFIED = "verified", "checked"
        PART_VERIFIED = "part_verified", "checked in part"
        TO_VERIFY = "to_verify", "still to be checked"

    natural_key_fields = ("key",)

    key = models.CharField(
        "short name",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9-]+\Z", "Use capital letters, numbers and hyphens only.")],
        help_text="The short name that authors cite: [@NG59].",
    )
    kind = models.CharField(max_length=20, choices=SourceKind)
    authors = models.CharField(max_length=300, blank=True, help_text="As printed, such as Vickers AJ et al.")
    title = models.CharField(max_length=400)
    container = models.CharField("journal or series", max_length=200, blank=True)
    publisher = models.CharField(max_length=200, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Leave empty when it is not known.")
    detail = models.CharField("volume, issue and pages", max_length=200, blank=True)
    identifier = models.CharField(max_length=120, blank=True, help_text="Such as NG59 or CD013814.")
    isbn = models.CharField(
        "ISBN",
        max_length=13,
        blank=True,
        validators=[
            RegexValidator(r"^(?:97[89]\d{10}|\d{9}[\dX])\Z", "Enter the 10 or 13 characters of the ISBN only.")
        ],
        help_text="Of a book, without hyphens or spaces.",
    )
    doi = models.CharField(
        "DOI",
        max_length=120,
        blank=True,
        validators=[
            RegexValidator(r"^10\.[0-9.]+/\S+\Z", "A DOI begins with 10. and has a slash, such as 10.1136/bmj.l689.")
        ],
        help_text="Without https://doi.org/",
    )
    pmid = models.CharField(
        "PubMed number",
        max_length=20,
        blank=True,
        validators=[RegexValidator(r"^[0-9]+\Z", "A PubMed number has digits only, such as 30867144.")],
    )
    pmcid = models.CharField("PubMed Central number", max_length=20, blank=True)
    url = models.URLField("web address", max_length=400, blank=True)
    accessed = models.DateField(
        "last read on",
        null=True,
        blank=True,
        help_text="When somebody last read the page or a copy of it. Needed where the source itself gives no year.",
    )
    verification = models.CharField("read by us", max_length=20, choices=Verification, default=Verification.TO_VERIFY)
    to_check = models.TextField(
        blank=True, help_text="What somebody still has to look up before this can be relied on."
    )

    class Meta:
        ordering = ["key"]

    def __str__(self):
        """Its title first, which people know it by, and the short name that tells two of one title apart."""
        return f"{Truncator(self.title).chars(NAMED_BY)} ({self.key})"

    @property
    def address(self) -> str:
        """Where a reader can find it: the DOI first, because publishers keep those."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        if self.pmcid:
            return f"https://pmc.ncbi.nlm.nih.gov/articles/{self.pmcid}/"
        return self.url

    @property
    def lacks(self) -> list[str]:
        """What is still missing for a reader to find the source and judge its age. A sheet may cite it once this is empty.

        An ISBN is enough without a link: it names one edition, and no bookseller or catalogue is ours to choose.
        """
        lacks = []
        if not (self.address or self.isbn):
            lacks.append("a link or an ISBN")
        if not (self.year or self.accessed):
            lacks.append("a year or the date when it was read")
        return lacks

    @property
    def citation(self) -> str:
        """One line, as in a reference list: who, what, where, when."""
        where = " ".join(part for part in (self.container, f"{self.year or ''}".strip()) if part)
        if self.detail:
            where = f"{where}; {self.detail}" if where else self.detail
        parts = [self.authors or self.publisher, self.title, where]
        if self.authors and self.publisher:
            parts.append(self.publisher)
        if self.identifier:
            parts.append(self.identifier)
        if self.isbn:
            parts.append(f"ISBN {self.isbn}")
        if self.accessed and not self.year:
            parts.append(f"Accessed {date_format(self.accessed, 'F Y')}")
        return " ".join(f"{part.strip().rstrip('.')}." for part in parts if part.strip())


class SourceUse(NaturalKeyModel):
    """What one sheet cites a study for. Another sheet may cite the same study for something else."""

    natural_key_fields = ("sheet", "source")
    plain_texts = ("finding",)

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="source_uses")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="uses")
    finding = models.TextField(
        "what it found",
        help_text="One plain sentence on what this sheet cites it for. Shown in the list of sources of the sheet’s "
        "PDF, plain text and JSON.",
    )

    class Meta:
        ordering = ["source__key"]
        constraints = [
            models.UniqueConstraint(
                fields=["sheet", "source"],
                name="source_use_once_in_a_sheet",
                violation_error_message="What this source found is said in the sheet already.",
            ),
            models.CheckConstraint(condition=~models.Q(finding=""), name="source_use_has_finding"),
        ]

    def __str__(self):
        return f"{self.sheet}: {self.source.title}"


class LinkOutcome(models.TextChoices):
    FINE = "fine", "leads where it should"
    MOVED = "moved", "moved for good"
    GONE = "gone", "gone"
    CHANGED = "changed", "changed since somebody read it"
    UNREACHABLE = "unreachable", "could not be reached"


class SourceLink(models.Model):
    """What `check_links` last found at the address of a source, or at one that texts link to (factsheets/link_check.py)."""

    source = models.OneToOneField(
        "factsheets.Source", on_delete=models.CASCADE, null=True, related_name="link", editable=False
    )
    address = models.CharField(max_length=500, editable=False, help_text="What was asked for.")
    checked_at = models.DateTimeField(editable=False)
    outcome = models.CharField(max_length=12, choices=LinkOutcome, default=LinkOutcome.FINE, editable=False)
    status = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Of HTTP; 0 for no answer.")
    fault = models.CharField(max_length=200, blank=True, editable=False, help_text="Why it could not be reached.")
    failed_days = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="On how many days, one after the other, it could not be reached."
    )
    opened_on = models.DateField(
        null=True, editable=False, help_text="When somebody last opened it, though the host answered the check so."
    )
    moved_to = models.CharField(max_length=1000, blank=True, editable=False, help_text="Its new address.")
    # The page as somebody last read it, and as it is now if it has changed.
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=60, blank=True, editable=False)
    digest = models.CharField(max_length=32, blank=True, editable=False)
    new_etag = models.CharField(max_length=200, blank=True, editable=False)
    new_last_modified = models.CharField(max_length=60, blank=True, editable=False)
    new_digest = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        ordering = ["source__key", "address"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(source=None), name="source_link_of_texts_once_an_address"
            ),
            models.CheckConstraint(condition=Q(outcome__in=LinkOutcome.values), name="source_link_known_outcome"),
        ]

    def __str__(self):
        return f"{self.source.key if self.source else self.address}: {self.get_outcome_display()}"
