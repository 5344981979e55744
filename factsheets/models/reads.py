from django.db import models


class SheetReads(models.Model):
    """How often a sheet's page was opened on one day. Nothing here says by whom, from where or at what time."""

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="reads")
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "sheet reads"
        constraints = [models.UniqueConstraint(fields=["sheet", "day"], name="reads_one_count_a_day")]

    def __str__(self):
        return f"{self.sheet}, {self.day}: {self.count}"
