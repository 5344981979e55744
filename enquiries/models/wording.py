"""The clinic's own wording: emails and pages that an owner has changed, and reply templates. Every save is kept."""

from django.conf import settings
from django.db import models
from django.utils import timezone

MAX_REPLY = 4000  # characters, in a template or a reply
MAX_SUBJECT = 120  # characters


class SavedWords(models.Model):
    """Wording as saved and read by the claims guard: who, when, and the reason to keep what the guard found."""

    kept_because = models.CharField(max_length=200, blank=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False, help_text="The name as it was, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class WordingEdition(SavedWords):
    """One text as saved. Never changed; the newest with its `key` is in force.

    `parts` holds the edited parts by name (`enquiries/mail/wordings.py`), or nothing if the default was restored.
    """

    key = models.CharField(max_length=40, editable=False)
    number = models.PositiveIntegerField(editable=False, help_text="Of two people who save at once, one is refused.")
    parts = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["-number"]
        verbose_name = "wording"
        verbose_name_plural = "wording of emails and pages"
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="wording_number_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.number}"


class ReplyTemplateQuerySet(models.QuerySet["ReplyTemplate"]):
    def offered(self) -> "ReplyTemplateQuerySet":
        return self.filter(in_use=True)


class ReplyTemplate(models.Model):
    """A reply to start from. `enquiries/mail/replies.py` fills in the braces."""

    name = models.CharField(
        max_length=60, unique=True, help_text="Staff choose it by this name. Patients never see it."
    )
    subject = models.CharField(
        "email subject",
        max_length=MAX_SUBJECT,
        blank=True,
        help_text="May be read on a locked screen, so name no condition or treatment. "
        "Leave it empty for “A message from” and the clinic’s name.",
    )
    text = models.TextField("message", max_length=MAX_REPLY)
    after_missed_calls = models.BooleanField(
        "offer it after three calls without an answer", default=False, help_text="Beside the telephone number."
    )
    in_use = models.BooleanField(
        default=True, help_text="Untick this to stop offering it. Its history is kept, and you can bring it back."
    )
    kept_because = models.CharField(
        "why you keep the wording that the claims guard found",
        max_length=200,
        blank=True,
        help_text="Only if the guard found something and you are sure that it may be said.",
    )

    objects = ReplyTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "reply template"

    def __str__(self) -> str:
        return self.name


class ReplyTemplateEdition(SavedWords):
    """A template as saved. Never changed, so that the clinic can tell what its replies said, and from when."""

    template = models.ForeignKey(ReplyTemplate, on_delete=models.CASCADE, related_name="editions", editable=False)
    name = models.CharField(max_length=60, editable=False)
    subject = models.CharField(max_length=MAX_SUBJECT, blank=True, editable=False)
    text = models.TextField(editable=False)
    in_use = models.BooleanField(default=True, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "earlier version"

    def __str__(self) -> str:
        return f"{self.name}, {self.actor}"
