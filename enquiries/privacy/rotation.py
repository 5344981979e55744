"""Moves every encrypted value, and the keyed hashes that find it, to the newest key while the site runs.

Each value shows which key encrypted it, and whether it was padded. So there is no list of what is done: a rotation that was
killed goes on where it stopped, and is over when every value begins as one that is written now. A row and its hashes change in
one transaction, so that a row whose values are new has new hashes; until then it is found by its old ones
(`blind_index.email_keys` and its like).
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import connection, models, transaction
from django.db.models import Q

from backcare.core import blind_index, encryption
from backcare.core.encryption import CannotDecrypt, Ciphertext, EncryptedTextField, decrypt, encrypt, written_now
from enquiries.models import Enquiry, SearchToken

Fields = list[EncryptedTextField]  # of one model

AT_ONCE = 100  # rows in a transaction: some 10 ms during which SQLite has no other writer
PATIENCE = 60  # seconds to wait for rows that others hold


@dataclass
class Rotated:
    rows: int = 0
    stuck: set[str] = field(default_factory=set)  # "table row", for values that no key can decrypt


def left() -> dict[str, int]:
    """Rows, by table, with a value that was encrypted with another key than the writing one, or not padded."""
    return {
        model._meta.db_table: _old(model, fields).count()
        for model, fields in sorted(encryption.sealed_columns().items(), key=_name)
    }


def rotate(*, at_once: int = AT_ONCE, progress: Callable[[int, str], None] = lambda rows, table: None) -> Rotated:
    """Encrypts everything again with the writing key. `progress` is told how many rows each transaction sealed, and of which table.

    A row that somebody holds is left for the next round. What no key opens is left as it is and named in the result.
    """
    result = Rotated()
    tried_until = time.monotonic() + PATIENCE
    while True:
        before = result.rows
        for model, fields in sorted(encryption.sealed_columns().items(), key=_name):
            _go_through(model, fields, at_once, result, progress)
        if sum(left().values()) <= len(result.stuck) or time.monotonic() > tried_until:
            return result
        if result.rows == before:
            time.sleep(0.2)


def _name(item: tuple[type[models.Model], Fields]) -> str:
    return str(item[0]._meta.db_table)


def _old(model: type[models.Model], fields: Fields) -> models.QuerySet[models.Model]:
    current = written_now()
    # "none" is for a column that was added later and is still empty.
    others = Q(pk__in=[])
    rows: models.QuerySet[models.Model] = model._base_manager.annotate(
        **{f"start_of_{each.name}": encryption.StartOfSealed(each.name) for each in fields}
    )
    for each in fields:
        others |= Q(**{f"{each.name}__isnull": False}) & ~Q(**{f"start_of_{each.name}": current})
    return rows.filter(others)


def _go_through(
    model: type[models.Model], fields: Fields, at_once: int, result: Rotated, progress: Callable[[int, str], None]
) -> None:
    last = None
    while True:
        with transaction.atomic():
            rows = _old(model, fields).order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            if connection.features.has_select_for_update_skip_locked:
                # Neither waits for others nor makes them wait. On SQLite this transaction is the only writer.
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            taken = list(rows[:at_once])
            done = sum(_reseal(row, fields, result) for row in taken)
        if not taken:
            return
        last = taken[-1].pk
        progress(done, model._meta.db_table)


def _reseal(row: models.Model, fields: Fields, result: Rotated) -> int:
    """1 if any value of the row was encrypted again."""
    was, becomes = {}, {}
    for each in fields:
        stored = row.__dict__[each.attname]
        if not isinstance(stored, Ciphertext) or stored.startswith(written_now()):
            continue
        try:
            words = decrypt(stored, context=each.context_for(row))
        except CannotDecrypt:
            result.stuck.add(f"{row._meta.db_table} {row.pk}")
            continue
        was[each.name], becomes[each.name] = stored, Ciphertext(encrypt(words, context=each.context_for(row)))
    if not becomes:
        return 0
    # The values that were read are a condition, so anything written in the meantime stays and has its turn later.
    if not row._meta.model._base_manager.filter(pk=row.pk, **was).update(**becomes):
        return 0
    if isinstance(row, Enquiry):
        _reindex(row)
    result.rows += 1
    return 1


def _reindex(enquiry: Enquiry) -> None:
    """A value that cannot be decrypted cannot be hashed again, so it keeps its hash."""
    for name, column, key in (
        ("email", "email_key", blind_index.email_key),
        ("phone", "phone_key", blind_index.phone_key),
    ):
        try:
            Enquiry.objects.filter(pk=enquiry.pk).update(**{column: key(getattr(enquiry, name))})
        except CannotDecrypt:
            continue
    with suppress(CannotDecrypt):
        SearchToken.write(enquiry)
