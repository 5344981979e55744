from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Subject(models.TextChoices):
    """The two approvals, each by a named clinician, without which the self-assessment is not shown."""

    QUESTIONS = "questions", "questions of “Check your symptoms”"
    RED_FLAGS = "red_flags", "red flags"


class Register(models.TextChoices):
    """The UK statutory registers whose members see people with back pain, and so may answer for clinical wording."""

    GMC = "GMC", "General Medical Council (GMC)"
    HCPC = "HCPC", "Health and Care Professions Council (HCPC)"
    NMC = "NMC", "Nursing and Midwifery Council (NMC)"
    GOSC = "GOsC", "General Osteopathic Council (GOsC)"
    GCC = "GCC", "General Chiropractic Council (GCC)"
    GPHC = "GPhC", "General Pharmaceutical Council (GPhC)"


# Where patients can look up a number, as the sheets on manual therapy and acupuncture say.
REGISTER_PAGES = {
    Register.GMC: "https://www.gmc-uk.org/",
    Register.HCPC: "https://www.hcpc-uk.org/",
    Register.GOSC: "https://www.osteopathy.org.uk/",
    Register.GCC: "https://www.gcc-uk.org/",
}
# No fact sheet names these, so an owner looks at the address before it is saved.
SUGGESTED_PAGES = {Register.NMC: "https://www.nmc.org.uk/", Register.GPHC: "https://www.pharmacyregulation.org/"}
# For other professional bodies, by a word in the name.
BODY_PAGES = {
    "bacc": "https://acupuncture.org.uk/",
    "british acupuncture council": "https://acupuncture.org.uk/",
}


class Decision(models.TextChoices):
    APPROVED = "approved", "approved"
    WITHDRAWN = "withdrawn", "approval withdrawn"


class Approval(models.Model):
    """A clinician's decision about one subject, as it stood at that moment. Rows are added and never changed.

    `digest` identifies the words that were approved. Once patients are shown other words, the approval no longer counts, and nobody
    has to remember to withdraw it. `factsheets.approvals` says which one counts.
    """

    subject = models.CharField(max_length=12, choices=Subject, editable=False)
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.APPROVED, editable=False)
    version = models.CharField(max_length=120, editable=False, help_text="What the approved words were called.")
    digest = models.CharField("hash", max_length=64, editable=False, help_text="SHA-256 of what was approved.")
    name = models.CharField("clinician", max_length=150, blank=True, editable=False)
    register = models.CharField(max_length=5, choices=Register, blank=True, editable=False)
    number = models.CharField("registration number", max_length=20, blank=True, editable=False)
    reason = models.CharField(max_length=500, blank=True, editable=False, help_text="Why it was withdrawn.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField("signed in as", max_length=150, editable=False)
    at = models.DateTimeField("when", default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["subject", "-at"], name="approval_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=Subject.values), name="approval_known_subject"),
            models.CheckConstraint(condition=~Q(actor="") & ~Q(digest=""), name="approval_has_actor_and_hash"),
            models.CheckConstraint(
                condition=(
                    Q(decision="approved", register__in=Register.values, reason="") & ~Q(name="") & ~Q(number="")
                )
                | (Q(decision="withdrawn", name="", register="", number="") & ~Q(reason="")),
                name="approval_is_whole",
            ),
        ]

    def __str__(self):
        return f"{self.get_subject_display()}: {self.get_decision_display()} on {timezone.localdate(self.at):%-d %B %Y}"

    def save(self, *args, **options):
        if self.pk:
            raise TypeError("An approval is never changed. Add another decision.")
        super().save(*args, **options)

    def delete(self, *args, **options):
        raise TypeError("An approval is never deleted. Add a decision that withdraws it.")

    @property
    def clinician(self) -> str:
        """As patients read it, such as “Dr Ada Example (GMC 1234567)”."""
        return f"{self.name} ({self.register} {self.number})"
