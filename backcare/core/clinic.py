"""The clinic as readers see it: the settings, hours and reply promise that are set on the staff desk.

They are read once for a version of the content and a day, and remembered in the process: every change of them gives the content a
new version in the same transaction. A page therefore asks the database for the version, and for nothing else that is here.
"""

import logging
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import Error
from django.utils import timezone

from backcare.core.models import ClinicSettings

FROM_THE_DESK: dict[str, Any] = {
    "hours": "",
    "promise": "",
    "closures": [],
    "people": [],
    "notice": None,
    "logo": None,
    "is_nameless": False,
    "has_long_word": False,
}
# Letters in the longest word that fits beside the menu on a phone of 320 px, in the usual size.
MAX_WORD = 9

logger = logging.getLogger(__name__)
_last_known: dict[str, Any] = {}
_remembered: dict[tuple[str, date], dict[str, Any]] = {}
_sources: list[Callable[[], dict[str, Any]]] = []
_people: list[Callable[[], dict[str, Any]]] = []
_versions: list[Callable[[], str]] = []


def read_desk_with(source: Callable[[], dict[str, Any]]) -> None:
    """Called at start-up by the app that has the hours. `source` gives the values of FROM_THE_DESK, and may raise Error."""
    _sources[:] = [source]


def read_people_with(source: Callable[[], dict[str, Any]]) -> None:
    """Called at start-up by the app that has the people. `source` gives `people`, `notice` and `logo`."""
    _people[:] = [source]


def versioned_by(version: Callable[[], str]) -> None:
    """Called at start-up by the app that has the version. It is empty while nothing may be cached, and may raise Error."""
    _versions[:] = [version]


class Clinic(dict[str, Any]):
    """The details by name, read when a page first asks for one.

    With `asks` off the database is not asked: they are the last that this process knew, for a page that says that the database is
    in trouble.
    """

    def __init__(self, *, asks: bool = True) -> None:
        super().__init__()
        self.asks = asks

    def __missing__(self, name: str) -> Any:
        if self:
            raise KeyError(name)
        self.update(details() if self.asks else last_known())
        return self[name]


def details() -> dict[str, Any]:
    """All details at once, for a page, a PDF or an email. If the database is away, the last that this process knew.

    The columns of ClinicSettings, with `prices` and `acupuncture_prices` as lists. `hours`: "Monday to Friday, 9am to 5pm, except
    bank holidays", or empty when the clinic has none. `promise`: how soon it replies, in a sentence or two. `closures`: a
    sentence for each closure within two weeks. `people`: who works here, each with `title`, `linked_line` (HTML) and `portrait`.
    `notice`: what every page says just now, with `text` and `is_important`, or None. `logo`: its `address`, `width`, `height` and
    `digest`, and whether it `is_wide` and so stands for the name, or None. `is_nameless`: whether nobody has set the clinic up
    yet. `has_long_word`: whether its name needs smaller letters on a phone. No word of them names a time of today, so they hold
    for the whole day.
    """
    try:
        return current()
    except Error as error:
        logger.error("The clinic's settings cannot be read: %s", type(error).__name__)
        return last_known()


def prices_of(treatment: str) -> list[str]:
    """The price list, by line, for this treatment (`Statement.treatment`)."""
    prices: list[str] = details()["acupuncture_prices" if treatment == "acupuncture" else "prices"]
    return prices


def current() -> dict[str, Any]:
    """The details as they are now. Raises Error if they cannot be read. For work that must not use old ones, such as erasing."""
    # Reads the version first, because anything read before it could be older than it says.
    version = _versions[0]() if _versions else ""
    key = (version, timezone.localdate())
    found = _remembered.get(key) if version else None
    if found is None:
        row = ClinicSettings.stored()
        found = row.values() | FROM_THE_DESK | {"is_nameless": row.is_nameless}
        found["has_long_word"] = max(map(len, re.split(r"[\s-]", row.name))) > MAX_WORD
        for source in (*_sources, *_people):
            found |= source()
        _remembered.clear()
        _remembered[key] = found
        _last_known.update(found)
    return dict(found)


def last_known() -> dict[str, Any]:
    """The details without the database. If this process never had one, those of a clinic without a phone number."""
    return ClinicSettings().values() | FROM_THE_DESK | _last_known | {"notice": None}
