"""Invented sheets in any number, put together from the sections of the real ones, for measuring how search grows."""

import random

from django.db import transaction

from factsheets.models import FactSheet, State

SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "zu"]
SECTIONS = 27  # of one sheet, as many as the longest real ones have
AT_ONCE = 500  # sheets in one transaction
OWN_WORDS = 40  # words of a sheet that are not from the real ones, some common and most rare


class Corpus:
    """Grows the database's published sheets to a wanted number. The same numbers give the same sheets, on any machine."""

    def __init__(self):
        self.chance = random.Random(1)  # noqa: S311 - the same at every run, no secret
        self.real = list(FactSheet.objects.published())
        self.sections = [section for sheet in self.real for section in sheet.document["sections"]]
        self.words = ["".join(self.chance.choices(SYLLABLES, k=3 + number % 2)) for number in range(20_000)]
        self.count = FactSheet.objects.count()

    def grow(self, count: int) -> None:
        while self.count < count:
            upto = min(count, self.count + AT_ONCE)
            with transaction.atomic():
                FactSheet.objects.bulk_create([self._sheet(number) for number in range(self.count, upto)])
            self.count = upto

    def _sheet(self, number: int) -> FactSheet:
        pattern = self.chance.choice(self.real)
        own = [self._word() for _ in range(OWN_WORDS)]
        title = f"{own[0].title()} and {own[1]}, sheet {number}"
        sections = [{**section, "slug": f"part-{place}"} for place, section in enumerate(self._some_sections())]
        block = {"type": "paragraph", "content": [{"type": "text", "text": " ".join(own)}]}
        sections[0] = {**sections[0], "blocks": [*sections[0]["blocks"], block]}
        document = {**pattern.document, "title": title, "sections": sections, "references": []}
        return FactSheet(
            slug=f"invented-{number}",
            topic_id=pattern.topic_id,
            title=title,
            summary=pattern.summary,
            audience=pattern.audience,
            key_points=pattern.key_points,
            state=State.PUBLISHED,
            document=document,
        )

    def _some_sections(self) -> list[dict]:
        return self.chance.choices(self.sections, k=SECTIONS)

    def _word(self) -> str:
        """Few words are in many sheets and most in few, as in any language."""
        return self.words[min(int(self.chance.paretovariate(0.6)), len(self.words)) - 1]
