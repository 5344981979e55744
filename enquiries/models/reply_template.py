"""Replies that the clinic writes once and uses often."""

from django.db import models

from enquiries.models.wording import SavedWords

MAX_REPLY = 4000  # characters, of a template as of a reply
MAX_SUBJECT = 120  # characters


class ReplyTemplateQuerySet(models.QuerySet["ReplyTemplate"]):
    def offered(self) -> "ReplyTemplateQuerySet":
        return self.filter(in_use=True)


class ReplyTemplate(models.Model):
    """A reply to start from. `enquiries/mail/replies.py` fills in what stands in braces."""

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
    """A template as somebody saved it. Written once, so that the clinic can tell what its replies said, and from when."""

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
