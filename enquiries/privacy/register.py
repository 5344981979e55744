"""Reads and checks the register of personal data (`register.yaml`): what each column of the database holds about whom."""

from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from django.apps import apps
from django.conf import settings
from django.db import models

from backcare.core import clinic
from enquiries.actions.erasure import STOPPED_MONTHS
from enquiries.actions.outbox import SUMMARY_DAYS
from enquiries.privacy import retention
from factsheets.search.failed_searches import KEPT_FOR

FILE = Path(__file__).with_name("register.yaml")
PEOPLE = {"patients", "staff", "readers", "nobody"}


@dataclass(frozen=True)
class Column:
    name: str
    what: str  # in words that patients read
    why: str
    basis: str
    how: str
    protection: str  # "encrypted", "hashed" or "plain"
    ends: str  # with the names of periods in braces
    people: str  # whose it is, if a table's columns are about different people


@dataclass(frozen=True)
class Table:
    name: str
    people: str
    title: str = ""
    about: str = ""
    plain: tuple[str, ...] = ()
    personal: dict[str, Column] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        return {*self.plain, *self.personal}

    @property
    def model(self) -> type[models.Model]:
        """Raises KeyError for a table without a model, such as Django's migrations."""
        return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}[self.name]


@cache
def tables() -> dict[str, Table]:
    """Raises KeyError or ValueError if the file is not sound."""
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: _table(name, entry, given) for name, entry in given["tables"].items()}


def _table(name: str, entry: dict[str, Any], given: dict[str, Any]) -> Table:
    if entry["people"] not in PEOPLE:
        raise ValueError(f"{name}: people is “{entry['people']}”, and must be one of {', '.join(sorted(PEOPLE))}.")
    personal = {}
    for column, said in entry.get("personal", {}).items():
        why = given["why"][said["why"]]
        personal[column] = Column(
            name=column,
            what=said["what"],
            why=why["words"],
            basis=given["basis"][why["basis"]],
            how=given["how"][said["how"]],
            protection=said["how"],
            ends=given["ends"][said["ends"]],
            people=said.get("people", entry["people"]),
        )
    if bool(personal) == (entry["people"] == "nobody"):
        raise ValueError(f"{name}: a table about {entry['people']} has {len(personal)} personal columns.")
    return Table(name, entry["people"], entry.get("title", ""), entry.get("about", ""), tuple(entry["plain"]), personal)


def about(people: str) -> list[Table]:
    return [table for table in tables().values() if table.people == people]


def periods() -> dict[str, str]:
    """The periods in force, in words."""
    return {
        "draft_days": _count(retention.DRAFT_DAYS, "day"),
        "report_days": _count(clinic.details()["report_retention_days"], "day"),
        "enquiry_months": _count(clinic.details()["enquiry_retention_months"], "month"),
        "absence_days": _count(retention.ABSENCE_DAYS, "day"),
        "spam_days": _count(retention.SPAM_DAYS, "day"),
        "outbox_days": _count(retention.OUTBOX_DAYS, "day"),
        "record_years": _count(retention.RECORD_YEARS, "year"),
        "summary_days": _count(SUMMARY_DAYS, "day"),
        "stop_months": _count(STOPPED_MONTHS, "month"),
        "search_days": _count(KEPT_FOR.days, "day"),
        "session_time": _time(settings.SESSION_COOKIE_AGE),
    }


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _time(seconds: int) -> str:
    return _count(seconds // 60, "minute") if seconds % 3600 else _count(seconds // 3600, "hour")


def in_words(table: Table) -> list[dict[str, str]]:
    """The personal columns for a page: those with the same purpose, protection and end together, in the register's order."""
    named, rows = periods(), []
    own = [each for each in table.personal.values() if each.people == table.people]
    for (why, how, ends, basis), columns in groupby(own, lambda each: (each.why, each.how, each.ends, each.basis)):
        first, *others = dict.fromkeys(each.what for each in columns)
        what = "; ".join([first, *(each[0].lower() + each[1:] for each in others)])
        rows.append({"what": what, "why": why, "how": how, "ends": ends.format(**named), "basis": basis})
    return rows
