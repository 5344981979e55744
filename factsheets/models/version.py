import secrets

from django.db import models


class ContentVersion(models.Model):
    """One row that changes whenever any content does, in the same transaction. Kept pages hold for one token only.

    A random token and not a number: a database put back from a backup must never look like a state that was seen before.
    """

    token = models.CharField(max_length=16)

    def __str__(self):
        return self.token

    @classmethod
    def now(cls) -> str:
        """The token of the content as it stands. Empty before anything was loaded."""
        return cls.objects.filter(pk=1).values_list("token", flat=True).first() or ""

    @classmethod
    def changed(cls) -> None:
        token = secrets.token_hex(8)
        if not cls.objects.filter(pk=1).update(token=token):
            cls.objects.bulk_create([cls(pk=1, token=token)], ignore_conflicts=True)


class InstalledRecord(models.Model):
    """What `load_content` last installed for one fixture entry, to tell a staff edit from an older edition."""

    label = models.CharField(max_length=80, help_text="The model, such as factsheets.section.")
    natural_key = models.CharField(max_length=300)
    fields = models.JSONField(help_text="The field values as they were installed.")
    offered = models.JSONField(
        default=dict, help_text="What the newest fixtures say in fields that staff changed, until it is settled."
    )
    installed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "natural_key"], name="installed_once"),
        ]

    def __str__(self):
        return f"{self.label} {self.natural_key}"
