"""What search uses beside the sheets: patients' questions, words that mean the same, and searches that found nothing."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from factsheets.models.natural import NaturalKeyModel

MAX_SYNONYMS = 12
MAX_PHRASE_LENGTH = 60  # characters


class Synonym(NaturalKeyModel):
    """Words that mean the same to a reader. Somebody who searches for one of them also finds the others."""

    slug = models.SlugField(max_length=80, unique=True, help_text="A name for this group.")
    words = models.CharField(
        max_length=600,
        help_text="Words or short phrases, separated by commas: slipped disc, slipped disk, disc bulge. "
        "Whoever searches for one of them also finds the others.",
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self):
        return self.words

    @property
    def phrases(self) -> list[str]:
        return [" ".join(phrase.split()) for phrase in self.words.split(",") if phrase.strip()]

    def clean(self):
        phrases = self.phrases
        if len({phrase.casefold() for phrase in phrases}) < 2:
            raise ValidationError(
                {"words": "Write at least two different words or phrases, with a comma between them."}
            )
        if len(phrases) > MAX_SYNONYMS:
            raise ValidationError({"words": f"Write at most {MAX_SYNONYMS}. A longer group makes search slow."})
        for phrase in phrases:
            if len(phrase) > MAX_PHRASE_LENGTH or not re.search(r"[^\W_]{2}", phrase):
                raise ValidationError({"words": f"“{phrase[:MAX_PHRASE_LENGTH]}” is not a word or a short phrase."})


MAX_QUESTIONS = 60
MAX_QUESTION_LENGTH = 160  # characters


class SearchQuestions(NaturalKeyModel):
    """Questions in patients' words that one place on our pages answers. Search tries these before anything else."""

    natural_key_fields = ("place",)

    place = models.CharField(
        "where the answer is",
        max_length=160,
        unique=True,
        help_text="The sheet and the section that answers these questions, or a page of the site.",
    )
    questions = models.JSONField(
        "questions in patients' words",
        default=list,
        help_text="One per line, as people type them: whole sentences, single words, worries, regional words and "
        "misspellings. For example “will a slipped disk heal on its own” or “dodgy back cant sleep”.",
    )

    class Meta:
        ordering = ["place"]
        verbose_name = "questions of patients"
        verbose_name_plural = "questions of patients"

    def __str__(self):
        return self.place

    def clean(self):
        if not isinstance(self.questions, list) or not all(isinstance(each, str) for each in self.questions):
            raise ValidationError({"questions": "Write one question on each line."})
        self.questions = list(dict.fromkeys(filter(None, (" ".join(each.split()) for each in self.questions))))
        if not self.questions:
            raise ValidationError({"questions": "Write at least one question."})
        if len(self.questions) > MAX_QUESTIONS:
            raise ValidationError({"questions": f"Write at most {MAX_QUESTIONS} questions for one place."})
        for question in self.questions:
            if len(question) > MAX_QUESTION_LENGTH or not re.search(r"[^\W_]{2}", question):
                raise ValidationError(
                    {
                        "questions": f"“{question[:60]}” cannot be a question. Write up to {MAX_QUESTION_LENGTH} characters."
                    }
                )


class DraftQuestions(models.Model):
    """Patients' questions as a section of a draft has them. Search uses them once the draft is published."""

    section = models.OneToOneField(
        "factsheets.Section", on_delete=models.CASCADE, related_name="draft_questions", editable=False
    )
    place = models.CharField(max_length=160, editable=False)  # where the live ones were when the draft was begun
    before = models.JSONField(default=list, editable=False)  # the live ones then
    questions = models.JSONField(default=list, editable=False)

    def __str__(self):
        return self.place


class SearchMiss(models.Model):
    """A search that found nothing, counted without identifying anybody (`search/failed_searches.py`)."""

    KEPT_FROM = 5  # times; a rarer search is a number without words

    digest = models.CharField(max_length=64, unique=True, editable=False)
    times = models.PositiveIntegerField(default=1, editable=False)
    days = models.PositiveIntegerField(default=1, editable=False, help_text="On how many different days.")
    text = models.CharField("what was searched for", max_length=60, blank=True, editable=False)
    wanted = models.PositiveIntegerField(
        "told us", default=0, editable=False, help_text="How many pressed “Tell us what you looked for”."
    )
    last_on = models.DateField("last searched for", default=timezone.localdate, editable=False)

    class Meta:
        ordering = ["-times", "text"]
        verbose_name = "search without results"
        verbose_name_plural = "searches without results"
        constraints = [
            # 5 is KEPT_FROM: a class body's names are not seen in here.
            models.CheckConstraint(condition=Q(text="") | Q(times__gte=5), name="miss_text_only_when_often"),
        ]

    def __str__(self):
        return self.text or "not yet asked often enough to be shown"
