"""Whether this machine's keys can decrypt the words in a database."""

from dataclasses import dataclass, field

from backcare.core import encryption
from backcare.core.encryption import CannotDecrypt, decrypt
from backcare.ops.backups.database import Opened

SAMPLE = 20  # values for each column and key


@dataclass
class Opening:
    columns: int = 0
    opened: int = 0
    # Column and key id of what cannot be decrypted, but never a value.
    shut: list[str] = field(default_factory=list)


def key_ids(database: Opened) -> list[int]:
    """The ids of the keys that encrypt anything in this database."""
    return sorted({number for _, _, _, found in _columns(database) for number in found})


def try_sample(database: Opened) -> Opening:
    """Decrypts random values of every encrypted column, for every key used there."""
    result = Opening()
    for model, each, table, numbers in _columns(database):
        result.columns += 1
        for number in numbers:
            rows = database.execute(
                f'SELECT "{model._meta.pk.column}", "{each.column}" FROM "{table}"'  # noqa: S608 - names of our own models
                f' WHERE substr("{each.column}", 2, 1) = {database.literal(bytes([number]))} ORDER BY random() LIMIT {SAMPLE}'
            )
            for pk, value in rows:
                try:
                    decrypt(bytes(value), context=each.context_for(model(pk=model._meta.pk.to_python(pk))))
                    result.opened += 1
                except CannotDecrypt:
                    result.shut.append(f"{table}.{each.column}, key {number}")
    return result


def _columns(database: Opened):
    """The database's encrypted columns, each with the ids of the keys used in it."""
    tables = set(database.tables())
    for model, fields in encryption.sealed_columns().items():
        table = model._meta.db_table
        if table not in tables:
            continue  # a backup from before this table was made
        present = database.columns(table)
        for each in (each for each in fields if each.column in present):
            found = database.execute(
                f'SELECT DISTINCT substr("{each.column}", 2, 1) FROM "{table}" WHERE "{each.column}" IS NOT NULL'  # noqa: S608 - our own
            )
            yield model, each, table, sorted(bytes(byte)[0] for (byte,) in found if byte)
