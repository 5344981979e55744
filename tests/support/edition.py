"""A small edition of the content in its own folder, which a test changes and then loads as an owner would."""

from io import StringIO
from pathlib import Path

import yaml
from django.conf import settings
from django.core.management import call_command

from factsheets.models import Claim, FactSheet, InstalledRecord, SearchQuestions, Statement, Synonym

SHEET, PART = "sheets/a-sheet.yaml", "a-sheet"


class Edition:
    """With `alone`, the content that the site has installed is deleted first, because each load reads all of it and rebuilds every
    sheet. What every sheet needs stays: the red flags, their words and the drawings.
    """

    def __init__(self, folder, *, alone: bool = False):
        if alone:
            for model in [FactSheet, Statement, Claim, SearchQuestions, Synonym, InstalledRecord]:
                model.objects.all().delete()
        self.folder = folder
        (folder / "sheets").mkdir()
        self.files = {
            "topics.yaml": [entry("topic", slug="a-topic", title="A topic", question="Why does a test need one?")],
            "sources.yaml": [source("EDA"), source("EDB")],
            "statements.yaml": [statement("claim")],
            SHEET: [
                sheet(PART, "A sheet"),
                section("first", position=10, heading="First", body="The first words. [@EDA]\n"),
                section("second", position=20, heading="Second", body="The second words. [@EDB]\n"),
                section("proof", position=30, kind="evidence", heading="Proof", body=""),
                statement_use("claim"),
                entry("relatedsheet", sheet=[PART], to=["b-sheet"], position=10, reason="It says more."),
            ],
            "sheets/b-sheet.yaml": [
                sheet("b-sheet", "Another sheet"),
                section("only", owner="b-sheet", heading="Only", body="Some words.\n"),
            ],
        }

    def fields(self, slug: str) -> dict:
        """The fields of the entry with this slug or key, to be changed in place."""
        [found] = [
            each["fields"]
            for entries in self.files.values()
            for each in entries
            if slug in {each["fields"].get("slug"), each["fields"].get("key")}
        ]
        return found

    def drop(self, slug: str) -> None:
        """Removes the section with this slug, or the statement with this key from the sheet that shows it."""
        for entries in self.files.values():
            entries[:] = [
                each
                for each in entries
                if each["fields"].get("slug") != slug and each["fields"].get("statement") != [slug]
            ]

    def write(self) -> None:
        for name, entries in self.files.items():
            text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False)
            (self.folder / name).write_text(text, encoding="utf-8")

    def load(self, *options: str) -> str:
        """Writes the edition, runs the command and returns what it said. Raises CommandError."""
        self.write()
        return run("--folder", str(self.folder), *options)


def release(folder: Path, code: str, **changes) -> None:
    """Installs a release in which this red flag has other words."""
    entries = yaml.safe_load((settings.BASE_DIR / "fixtures/safety_advice.yaml").read_text(encoding="utf-8"))
    [fields] = [each["fields"] for each in entries if each["fields"]["code"] == code]
    fields.update(changes)
    (folder / "safety_advice.yaml").write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    call_command("load_content", folder=folder, verbosity=0)


def run(*options: str) -> str:
    said = StringIO()
    call_command("load_content", *options, stdout=said)
    return said.getvalue()


def entry(model: str, **fields) -> dict:
    return {"model": f"factsheets.{model}", "fields": fields}


def source(key: str, **changes) -> dict:
    fields = {"key": key, "kind": "trial", "title": f"The study {key}", "year": 2020, "doi": f"10.1000/{key}"}
    return entry("source", **fields | changes)


def sheet(slug: str, title: str, **changes) -> dict:
    fields = {
        "slug": slug,
        "topic": ["a-topic"],
        "title": title,
        "summary": "A sheet that a test made.",
        "audience": "For tests.",
        "key_points": "- One thing.\n- Another thing.\n- A third thing.\n",
        "state": "published",
    }
    return entry("factsheet", **fields | changes)


def section(slug: str, owner: str = PART, **changes) -> dict:
    fields = {"sheet": [owner], "slug": slug, "kind": "text", "view": "neither", "heading": "", "figure": None}
    return entry("section", **fields | changes)


def statement(key: str, **changes) -> dict:
    fields = {
        "key": key,
        "treatment": f"heat-{key}",
        "condition": "recent-pain",
        "comparison": "",
        "claim": "Heat for recent pain",
        "detail": "It may help. [@EDA]\n",
        "grade": "G2",
        "direction": "may_help",
        "nice_position": "",
        "sources": [["EDA"]],
    }
    return entry("statement", **fields | changes)


def statement_use(key: str, owner: str = PART) -> dict:
    return entry("statementuse", section=[owner, "proof"], statement=[key], position=10)
