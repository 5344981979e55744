"""Words: those that the glossary explains, and the lists that the red flags' patterns name."""

from django.core.exceptions import ValidationError
from django.db import models

from factsheets.models.natural import NaturalKeyModel


class GlossaryTerm(NaturalKeyModel):
    """A hard word and what it means. Sheets explain it where they first use it."""

    plain_texts = ("term", "meaning")

    slug = models.SlugField(max_length=80, unique=True)
    term = models.CharField(max_length=120)
    also = models.JSONField("also called", default=list, blank=True)
    meaning = models.TextField(help_text="One or two plain sentences.")
    explain_in_text = models.BooleanField(
        default=True,
        help_text="Explain it where a sheet first uses it. Switch off for words that most people know.",
    )

    class Meta:
        ordering = ["term"]

    def __str__(self):
        return self.term


def check_words(lines) -> None:
    """Raises ValidationError unless `lines` is a list of lines of words, joined by “|”, that can be read."""
    from factsheets.search.redflags.lines import LineError, read_list

    if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines):
        raise ValidationError("Write at least one word on each line.")
    # Whether the other lists exist is known only once all are loaded. The word-pattern check names any that are missing.
    names = _Any()
    for line in lines:
        try:
            read_list([line], names)
        except LineError as error:
            raise ValidationError(str(error)) from error


class _Any:
    def __contains__(self, name):
        return True


class WordList(NaturalKeyModel):
    """Words that mean the same, such as those for peeing. The red flags' word patterns name the list: {pee}."""

    natural_key_fields = ("name",)

    name = models.CharField(
        max_length=40, unique=True, help_text="The name that patterns use, in small letters: {pee}, {wet myself}."
    )
    note = models.CharField(max_length=200, blank=True, help_text="What its words have in common.")
    lines = models.JSONField(
        "words", default=list, validators=[check_words], help_text="Words and phrases, with “|” between them."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    def used_by(self) -> list[str]:
        """The codes of the red flags whose patterns name this list, or a list that includes it."""
        from factsheets.models.safety import SafetyAdvice

        names, others = {self.name}, list(WordList.objects.values_list("name", "lines"))
        while more := {name for name, lines in others if name not in names and _name_any(lines, names)}:
            names |= more
        flags = SafetyAdvice.objects.values_list("code", "patterns")
        return [code for code, patterns in flags if _name_any(patterns, names)]


def _name_any(lines: list[str], names: set[str]) -> bool:
    return any(f"{{{name}}}" in line for line in lines for name in names)
