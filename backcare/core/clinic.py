"""The clinic as readers see it: its details from the environment, its hours and its promise from the staff desk."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error

FROM_THE_DESK: dict[str, Any] = {"hours": "", "promise": "", "closures": []}

logger = logging.getLogger(__name__)
_last_known: dict[str, Any] = {}
_sources: list[Callable[[], dict[str, Any]]] = []


def read_desk_with(source: Callable[[], dict[str, Any]]) -> None:
    """For the app that keeps the hours, when it is ready: `source` gives the values of FROM_THE_DESK, and may raise Error."""
    _sources[:] = [source]


class Clinic(dict[str, Any]):
    """The details by name. What staff set on the desk is read when a page first asks for it.

    With `asks` off the database is not asked: its hours are the last that this process knew, for a page that says that the
    database is in trouble.
    """

    def __init__(self, *, asks: bool = True) -> None:
        super().__init__(settings.CLINIC)
        self.asks = asks

    def __missing__(self, name: str) -> Any:
        if name not in FROM_THE_DESK:
            raise KeyError(name)
        self.update(_from_the_desk() if self.asks else FROM_THE_DESK | _last_known)
        return self[name]


def details() -> dict[str, Any]:
    """All details at once, for a PDF or a mail.

    `hours`: "Monday to Friday, 9am to 5pm, except bank holidays", or empty when the clinic has none. `promise`: how soon it
    replies, in a sentence or two. `closures`: a sentence for each closure within two weeks. None of them names a time of today,
    so they hold for the whole day.
    """
    return {**settings.CLINIC, **_from_the_desk()}


def _from_the_desk() -> dict[str, Any]:
    try:
        found = _sources[0]() if _sources else dict(FROM_THE_DESK)
    except Error as error:
        logger.error("The clinic's hours cannot be read: %s", type(error).__name__)
        return FROM_THE_DESK | _last_known
    _last_known.update(found)
    return found
