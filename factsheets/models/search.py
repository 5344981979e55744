"""The search index, in ordinary tables so that SQLite and PostgreSQL give the same results, and what editors keep for it."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from factsheets.models.natural import NaturalKeyModel


class SearchEntry(models.Model):
    """One thing that can be found: a sheet, a word of the glossary, or a page of the frame such as booking.

    A sheet's state is not copied here. The query asks the sheet itself, so that retiring one needs no new index.
    """

    class Kind(models.TextChoices):
        SHEET = "sheet", "fact sheet"
        TERM = "term", "glossary"
        PAGE = "page", "page"

    key = models.CharField(max_length=120, unique=True, help_text="What it was made from, such as term:sciatica.")
    kind = models.CharField(max_length=5, choices=Kind)
    sheet = models.OneToOneField(
        "factsheets.FactSheet", on_delete=models.CASCADE, null=True, blank=True, related_name="search_entry"
    )
    address = models.CharField(max_length=200, blank=True, help_text="Empty for a sheet, which knows its own.")
    title = models.CharField(max_length=160)
    digest = models.CharField(max_length=32, help_text="Of what was indexed, to leave alone what did not change.")

    class Meta:
        verbose_name_plural = "search entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="sheet", sheet__isnull=False, address="")
                | (Q(kind__in=["term", "page"], sheet__isnull=True) & ~Q(address="")),
                name="search_entry_sheet_or_address",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return self.sheet.get_absolute_url() if self.sheet else self.address


class SearchPassage(models.Model):
    """A piece of an entry that can be linked to and quoted: a section, the key points, one evidence statement."""

    entry = models.ForeignKey(SearchEntry, on_delete=models.CASCADE, related_name="passages", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Order in the entry.")
    anchor = models.CharField(max_length=80, blank=True, help_text="The place on the page. Empty: the page's top.")
    heading = models.CharField(max_length=240, blank=True)
    text = models.TextField(blank=True)
    traditional = models.BooleanField(default=False, help_text="Shown with the label of the traditional view.")

    class Meta:
        ordering = ["entry", "number"]
        constraints = [models.UniqueConstraint(fields=["entry", "number"], name="search_passage_once")]

    def __str__(self):
        return self.heading or self.text[:60]


class SearchPosting(models.Model):
    """That an entry has a word, how much the word says about the entry, and in which passages it stands."""

    stem = models.CharField(max_length=40)
    entry = models.ForeignKey(SearchEntry, on_delete=models.CASCADE, related_name="postings", db_index=False)
    weight = models.PositiveSmallIntegerField(help_text="factsheets/search/index.py says how it is counted.")
    places = models.TextField(help_text="Passages and weights, such as t.100,3.31,7.2.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "stem"], name="search_posting_once")]
        # Holds all that ranking reads, best first: a word that is everywhere costs no more than its best entries.
        indexes = [models.Index(fields=["stem", "-weight", "entry"], name="search_posting_best")]

    def __str__(self):
        return f"{self.stem}: {self.weight}"


class SearchWord(models.Model):
    """A word as it stands in an indexed text, for “did you mean”. Words are added, never taken away: who suggests one looks."""

    word = models.CharField(max_length=40, unique=True)

    def __str__(self):
        return self.word


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


class SearchMiss(models.Model):
    """A search that found nothing, counted so that nobody can be read out of it. How: `search/failed_searches.py`."""

    KEPT_FROM = 5  # times; a rarer search is a number without words

    digest = models.CharField(max_length=64, unique=True, editable=False)
    times = models.PositiveIntegerField(default=1, editable=False)
    days = models.PositiveIntegerField(default=1, editable=False, help_text="On how many different days.")
    text = models.CharField("what was searched for", max_length=60, blank=True, editable=False)
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
