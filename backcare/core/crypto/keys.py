"""Whether the keys we were given are those that this database was written with.

With a wrong key nothing could be read, and what is written would be lost to whoever has the right one. So the database keeps a
check value of each key that wrote into it, and the web server, the mail worker and every first write of a process look at it.
"""

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import F, Func, Value

from backcare.core.crypto.encryption import CannotDecrypt, check_value, decrypt, key_of, key_ring, writing_key

if TYPE_CHECKING:
    from backcare.core.crypto.fields import EncryptedTextField

logger = logging.getLogger(__name__)

LOST = ""  # in place of the check value of a key that is gone for good
TRIED = 5  # values of a key that are tried, where the database has no check value of it yet

_seen = {"right": False}  # of this process


class WrongKey(Exception):
    """FIELD_ENCRYPTION_KEYS does not fit this database. The text is one sentence for the operator, and names no key."""


class Start(Func):
    """The first two bytes of a sealed column: how it was sealed, and the id of the key."""

    function = "SUBSTR"
    output_field = models.BinaryField()

    def __init__(self, column: str):
        super().__init__(F(column), Value(1), Value(2))


def sealed_columns() -> "dict[type[models.Model], list[EncryptedTextField]]":
    """Every model that has encrypted columns, with those columns. Found, not listed: a new column cannot be forgotten."""
    from backcare.core.crypto.fields import EncryptedTextField

    found = {}
    for model in apps.get_models(include_auto_created=True):
        fields = [field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedTextField)]
        if fields and model._meta.managed and not model._meta.proxy:
            found[model] = fields
    return found


def verify() -> None:
    """Raises WrongKey when the keys are not those of this database, and remembers the writing key when all is well."""
    ring = key_ring()
    known = dict(_checks().values_list("pk", "check_value"))
    found = {} if known else _ids_in_use()
    for number in sorted({*known, *found}):
        if known.get(number) == LOST:
            continue
        if number not in ring:
            raise WrongKey(
                f"FIELD_ENCRYPTION_KEYS lacks key {number}, and this database holds text that only key {number} opens; "
                "nothing was changed: put that key back (docs/operations.md, “If a key is lost or wrong”)."
            )
        fits = known[number] == check_value(ring[number]) if number in known else _opens(found[number])
        if not fits:
            raise WrongKey(
                f"Key {number} in FIELD_ENCRYPTION_KEYS is not the key {number} that this database was written with; "
                "nothing was changed: put the right key back (docs/operations.md, “If a key is lost or wrong”)."
            )
    for number in {writing_key(), *found} - {*known}:
        with transaction.atomic():
            row, new = _checks().get_or_create(pk=number, defaults={"check_value": check_value(ring[number])})
        if not new and row.check_value != check_value(ring[number]):
            raise WrongKey(
                f"Another process writes with another key {number}: give both the same FIELD_ENCRYPTION_KEYS."
            )
    _seen["right"] = True


def guard() -> None:
    """Before the first write of a process: WrongKey rather than text that nobody will be able to read."""
    if _seen["right"]:
        return
    try:
        with transaction.atomic():
            verify()
    except DatabaseError:
        # No table yet, in the middle of a migration. What is wrong with the database itself, the write will say.
        logger.info("The keys could not be compared with the database yet.")


def at_start() -> None:
    """For the start of a server. A database that is away just now is no reason to stay down: `guard` asks again."""
    try:
        verify()
    except DatabaseError as error:
        logger.warning("The keys were not compared with the database: %s", type(error).__name__)


def forget(number: int) -> None:
    """No longer asks for this key: nothing is sealed with it any more."""
    _checks().filter(pk=number).delete()


def give_up(number: int) -> bool:
    """No longer asks for this key although something is sealed with it. False when it was not asked for."""
    return bool(_checks().filter(pk=number).exclude(check_value=LOST).update(check_value=LOST))


def _checks() -> models.Manager[Any]:
    """The check values, in a table of enquiries: a model of ours would be made of fields that ask us."""
    return apps.get_model("enquiries", "KeyCheck")._default_manager


def _ids_in_use() -> dict[int, list[tuple[bytes, str]]]:
    """The key ids in the database, with some values of each: (sealed, context)."""
    found: dict[int, list[tuple[bytes, str]]] = {}
    for model, fields in sealed_columns().items():
        for field in fields:
            rows = model._base_manager.filter(**{f"{field.name}__isnull": False}).annotate(start=Start(field.name))
            for start in list(rows.order_by().values_list("start", flat=True).distinct()):
                for row in rows.filter(start=bytes(start)).order_by()[:TRIED]:
                    sealed = row.__dict__[field.attname]
                    if number := key_of(sealed):
                        found.setdefault(number, []).append((sealed, field.context_for(row)))
    return found


def _opens(samples: list[tuple[bytes, str]]) -> bool:
    """Whether any opens: one that was tampered with is no sign of a wrong key."""
    for sealed, context in samples:
        try:
            decrypt(sealed, context=context)
        except CannotDecrypt:
            continue
        return True
    return False
