"""Counts of a sheet's readers: how often it is opened, and what they answer. Nothing here identifies them."""

from django.db import models
from django.db.models import Q


class Answer(models.TextChoices):
    """Answers to “Was this useful?” at the end of a sheet."""

    YES = "yes", "Yes"
    PARTLY = "partly", "Partly"
    NO = "no", "No"


class Reason(models.TextChoices):
    TOO_LONG = "too-long", "It is too long"
    NOT_FOUND = "not-what-i-looked-for", "It is not what I looked for"
    HARD = "hard-to-understand", "It is hard to understand"
    WORRIED = "still-worried", "I am still worried"


class SheetFeedback(models.Model):
    """How many readers gave one answer about a sheet in one week. Nothing here says who they were, or on which day.

    The row without a reason counts everybody who gave the answer. The others count those of them who then said why.
    """

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="feedback")
    week = models.DateField(help_text="Its Monday.")
    answer = models.CharField(max_length=6, choices=Answer)
    reason = models.CharField(max_length=24, choices=Reason, blank=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "sheet feedback"
        constraints = [
            models.UniqueConstraint(fields=["sheet", "week", "answer", "reason"], name="feedback_one_count_a_week"),
            models.CheckConstraint(condition=Q(answer__in=Answer.values), name="feedback_known_answer"),
            models.CheckConstraint(
                condition=Q(reason="") | Q(answer__in=["partly", "no"], reason__in=Reason.values),
                name="feedback_known_reason",
            ),
        ]

    def __str__(self):
        return f"{self.sheet}, week of {self.week}: {self.answer} {self.reason}".rstrip()


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
