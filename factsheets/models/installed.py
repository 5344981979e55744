from django.db import models


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
