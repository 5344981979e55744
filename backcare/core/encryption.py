"""Encryption at rest for what patients tell us.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D). The associated data is `table:row:column`, so a value copied to
another row or column does not open there. Keys are the clinic's own, apart from SECRET_KEY, so either can change alone.

What the database keeps is padded to steps before it is encrypted, so that the length of a stored value says little about its text.

A key is `<id>:<32 bytes in base64>`. FIELD_ENCRYPTION_KEYS lists them, newest first: the first writes, all read.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Value
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    TextField = models.Field[str, str]
else:
    TextField = models.Field

logger = logging.getLogger(__name__)

UNPADDED, PADDED = b"\x01", b"\x02"  # the first byte of a sealed value
NONCE_BYTES, TAG_BYTES = 12, 16
STEP = 64  # bytes in the shortest padded text. Each further step is twice as long
END = b"\x80"  # marks the end of the text; zeros follow (ISO/IEC 7816-4)

LOST = ""  # replaces the check value of a key that is lost for ever
TRIED = 5  # values to try for a key without a check value in the database
_keys_seen = {"right": False}  # in this process


class CannotDecrypt(Exception):
    """The stored value was changed, moved, or encrypted with a key that is not in FIELD_ENCRYPTION_KEYS."""


def new_key(beside: Iterable[str] = ()) -> str:
    """A new key in the format of FIELD_ENCRYPTION_KEYS, with a random id from 1 to 255 that none of `beside` has."""
    taken = {key.strip().partition(":")[0] for key in beside}
    free = [number for number in range(1, 256) if str(number) not in taken]
    return f"{secrets.choice(free)}:{base64.b64encode(os.urandom(32)).decode()}"


@lru_cache(maxsize=8)
def _parse(keys: tuple[str, ...], django_secret: str) -> dict[int, bytes]:
    ring: dict[int, bytes] = {}
    for position, key in enumerate(keys, start=1):
        # Messages never contain the key itself, because they end up in logs.
        where = f"Key {position} in FIELD_ENCRYPTION_KEYS"
        number, _, encoded = key.strip().partition(":")
        if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 255:
            raise ImproperlyConfigured(f"{where} does not start with an id from 1 to 255 and a colon.")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ImproperlyConfigured(f"{where} is not valid base64.") from None
        if len(secret) != 32:
            raise ImproperlyConfigured(f"{where} is {len(secret)} bytes long. It must be 32.")
        if django_secret in {key.strip(), encoded, secret.decode("latin-1")}:
            # Anyone who learnt one would have the other.
            raise ImproperlyConfigured(f"{where} is the same as SECRET_KEY. Each must be a secret of its own.")
        if int(number) in ring:
            raise ImproperlyConfigured(f"{where} has the same id as another key.")
        ring[int(number)] = secret
    if not ring:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is missing, so nothing a patient sends could be kept.")
    return ring


def key_ring() -> dict[int, bytes]:
    """The keys by id, beginning with the writing key. Raises ImproperlyConfigured with a sentence for the operator."""
    return _parse(tuple(settings.FIELD_ENCRYPTION_KEYS), settings.SECRET_KEY)


def writing_key() -> int:
    """The id of the key that encrypts new values."""
    return next(iter(key_ring()))


def key_of(sealed: bytes) -> int:
    """The id of the key with which a stored value was encrypted. 0 for anything that is not an encrypted value."""
    sealed = bytes(sealed)
    return sealed[1] if _is_sealed(sealed) else 0


def written_now() -> bytes:
    """How a value begins that is padded and encrypted with the writing key. `rotate_keys` updates all others."""
    return PADDED + bytes([writing_key()])


def encrypt(plain: str, *, context: str, padded: bool = True) -> bytes:
    """`padded` is for the database. A cookie has no room for padding and is in no backup."""
    number, secret = next(iter(key_ring().items()))
    nonce = os.urandom(NONCE_BYTES)
    # "surrogatepass" would accept broken text, which forms have already refused.
    text = plain.encode("utf-8")
    version = PADDED if padded else UNPADDED
    sealed = AESGCM(secret).encrypt(nonce, _pad(text) if padded else text, _associated(version, context))
    return version + bytes([number]) + nonce + sealed


def decrypt(sealed: bytes, *, context: str) -> str:
    """The text that `encrypt` was given for the same context. Raises CannotDecrypt."""
    sealed = bytes(sealed)
    if not _is_sealed(sealed):
        raise CannotDecrypt("not a sealed value")
    secret = key_ring().get(sealed[1])
    if secret is None:
        raise CannotDecrypt(f"key {sealed[1]} is not in FIELD_ENCRYPTION_KEYS")
    nonce, body = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
    try:
        text = AESGCM(secret).decrypt(nonce, body, _associated(sealed[:1], context))
    except InvalidTag:
        raise CannotDecrypt("changed, or moved from another row") from None
    return (text.rstrip(b"\0").removesuffix(END) if sealed[:1] == PADDED else text).decode("utf-8")


def _is_sealed(value: bytes) -> bool:
    return len(value) >= 2 + NONCE_BYTES + TAG_BYTES and value[:1] in {UNPADDED, PADDED}


def _associated(version: bytes, context: str) -> bytes:
    """Includes the version, so that a padded value cannot be passed off as one without padding. Old values lack it."""
    return context.encode() if version == UNPADDED else version + context.encode()


def _pad(text: bytes) -> bytes:
    """The text padded to 64, 128, 256 … bytes. `END` always follows it, so that its own zeros are not taken for padding."""
    size = STEP
    while size < len(text) + len(END):
        size *= 2
    return (text + END).ljust(size, b"\0")


def keyed_hash(*parts: str, purpose: str) -> str:
    """HMAC-SHA-256 in hex under the writing key, which finds equal values without storing them readably."""
    return _hash(next(iter(key_ring().values())), parts, purpose)


def keyed_hashes(*parts: str, purpose: str) -> list[str]:
    """The same under every key, the writing one first, because a stored hash may be any of these while keys are rotated."""
    return [_hash(secret, parts, purpose) for secret in key_ring().values()]


def short_hashes(secret: bytes, texts: Iterable[str], *, purpose: str) -> list[int]:
    """Many `keyed_hash` values under one key, cut to 64 bits so that the database can store them as integers."""
    derived = hmac.new(secret, f"backcare:{purpose}".encode(), hashlib.sha256).digest()
    base, found = hmac.new(derived, digestmod=hashlib.sha256), []
    for text in texts:
        each = base.copy()
        each.update(text.encode("utf-8"))
        found.append(int.from_bytes(each.digest()[:8], "big", signed=True))
    return found


def check_value(secret: bytes) -> str:
    """Identifies a key without revealing anything about it, by an HMAC that has no other use."""
    return _hash(secret, (), "key check")


def _hash(secret: bytes, parts: tuple[str, ...], purpose: str) -> str:
    derived = hmac.new(secret, f"backcare:{purpose}".encode(), hashlib.sha256).digest()
    return hmac.new(derived, "\x1f".join(parts).encode("utf-8"), hashlib.sha256).hexdigest()


class Ciphertext(bytes):
    """Ciphertext from the database, decrypted when the attribute is read."""


class EncryptedAttribute(DeferredAttribute):
    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if value is None:
            return ""  # in a row that has just been made; from the database it is already so
        if instance is not None and isinstance(value, Ciphertext):
            value = decrypt(value, context=self.field.context_for(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        # Only a descriptor with __set__ takes precedence over the instance's dictionary, which holds the ciphertext.
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(TextField):
    """Text that is stored as ciphertext. Needs a primary key that is known before saving (a UUID)."""

    descriptor_class = EncryptedAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A column added to an existing table cannot encrypt an empty text for each row, so there it may be null, which reads as "".
        # Such a column always stores an empty text as null, so that a constraint can tie it to another column.
        default = None if kwargs.get("null") else ""
        super().__init__(*args, **{"default": default, "blank": True, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for option in ("default", "blank", "editable"):
            kwargs.pop(option, None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def context_for(self, instance: models.Model) -> str:
        return f"{instance._meta.db_table}:{instance.pk}:{self.column}"

    def from_db_value(self, value: bytes | None, expression: Any, connection: BaseDatabaseWrapper) -> str | Ciphertext:
        return "" if value is None else Ciphertext(value)

    def pre_save(self, instance: models.Model, add: bool) -> Ciphertext | None:
        stored = instance.__dict__.get(self.attname, "")
        if isinstance(stored, Ciphertext):
            return stored  # unchanged since it was read, so the bytes stay as they are
        if self.null and not stored:
            return None
        _guard()
        return Ciphertext(encrypt(str(stored or ""), context=self.context_for(instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Ciphertext):
            # A plain value can only come from update() or a filter, which have no row to bind it to.
            raise TypeError(f"{self.name} is encrypted: save it through its model, and find it by its keyed hash.")
        return value if value is None else connection.Database.Binary(value)

    def get_lookup(self, lookup_name: str) -> Any:
        # "exact" is for ciphertext, such as "if it is still what I read"; get_db_prep_value refuses anything else.
        return super().get_lookup(lookup_name) if lookup_name in {"isnull", "exact"} else None

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.name} is encrypted and is not serialised.")

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        return None


def readable(instance: models.Model, name: str, *, nothing: str = "–") -> str:
    """An encrypted text, or a sentence that says it cannot be opened: one broken value must not hide the page.

    `nothing` is shown for an empty one.
    """
    try:
        return getattr(instance, name) or nothing
    except CannotDecrypt as error:
        return f"This text cannot be opened: {error}. Tell the clinic owner before you change anything."


# Are our keys those with which this database was written?
#
# With a wrong key nothing could be read, and the right one could not read what it wrote. So the database has a check value of each
# key that wrote into it, which the web server, the mail worker and the first write of each process check.


class WrongKey(Exception):
    """FIELD_ENCRYPTION_KEYS does not fit this database. The text is one sentence for the operator, and names no key."""


class StartOfSealed(Func):
    """The first two bytes of an encrypted column: its format and the id of the key."""

    function = "SUBSTR"
    output_field = models.BinaryField()

    def __init__(self, column: str):
        super().__init__(F(column), Value(1), Value(2))


def sealed_columns() -> dict[type[models.Model], list[EncryptedTextField]]:
    """Every model with encrypted columns, and those columns. They are found, not listed, so that a new one cannot be forgotten."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        fields = [field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedTextField)]
        if fields and model._meta.managed and not model._meta.proxy:
            found[model] = fields
    return found


def verify_keys() -> None:
    """Raises WrongKey if the keys are not those of this database. Otherwise remembers the writing key."""
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
    _keys_seen["right"] = True


def _guard() -> None:
    """Called before a process's first write. Raises WrongKey rather than write text that nobody can read."""
    if _keys_seen["right"]:
        return
    try:
        with transaction.atomic():
            verify_keys()
    except DatabaseError:
        # There is no table yet, in the middle of a migration. If the database itself has a fault, the write will say so.
        logger.info("The keys could not be compared with the database yet.")


def verify_keys_at_start() -> None:
    """Called when a server starts. If the database is away, the server starts anyway, because `_guard` checks again."""
    try:
        verify_keys()
    except DatabaseError as error:
        logger.warning("The keys were not compared with the database: %s", type(error).__name__)


def forget_key(number: int) -> None:
    """Stops requiring this key, because nothing is encrypted with it any more."""
    _checks().filter(pk=number).delete()


def give_up_key(number: int) -> bool:
    """Stops requiring this key although something is encrypted with it. False if it was not required."""
    return bool(_checks().filter(pk=number).exclude(check_value=LOST).update(check_value=LOST))


def _checks() -> models.Manager[Any]:
    """The check values. Their table is in enquiries, because a model in core would need fields that use this module."""
    return apps.get_model("enquiries", "KeyCheck")._default_manager


def _ids_in_use() -> dict[int, list[tuple[bytes, str]]]:
    """The key ids in the database, with some values of each, as (ciphertext, context)."""
    found: dict[int, list[tuple[bytes, str]]] = {}
    for model, fields in sealed_columns().items():
        for field in fields:
            rows = model._base_manager.filter(**{f"{field.name}__isnull": False}).annotate(
                start=StartOfSealed(field.name)
            )
            for start in list(rows.order_by().values_list("start", flat=True).distinct()):
                for row in rows.filter(start=bytes(start)).order_by()[:TRIED]:
                    sealed = row.__dict__[field.attname]
                    if number := key_of(sealed):
                        found.setdefault(number, []).append((sealed, field.context_for(row)))
    return found


def _opens(samples: list[tuple[bytes, str]]) -> bool:
    """Whether any can be decrypted, because one tampered value does not mean a wrong key."""
    for sealed, context in samples:
        try:
            decrypt(sealed, context=context)
        except CannotDecrypt:
            continue
        return True
    return False
