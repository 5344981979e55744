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
import os
from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

UNPADDED, PADDED = b"\x01", b"\x02"  # the first byte of a sealed value
NONCE_BYTES, TAG_BYTES = 12, 16
STEP = 64  # bytes: the shortest padded text. Each further step is twice as long
END = b"\x80"  # after the text; zeros follow (ISO/IEC 7816-4)


class CannotDecrypt(Exception):
    """The stored value was changed, moved, or sealed with a key that is not in FIELD_ENCRYPTION_KEYS."""


def new_key() -> str:
    """A fresh key in the form FIELD_ENCRYPTION_KEYS takes, with a random id from 1 to 255."""
    return f"{1 + os.urandom(1)[0] % 255}:{base64.b64encode(os.urandom(32)).decode()}"


@lru_cache(maxsize=8)
def _parse(keys: tuple[str, ...], django_secret: str) -> dict[int, bytes]:
    ring: dict[int, bytes] = {}
    for position, key in enumerate(keys, start=1):
        # The key itself is never part of a message: messages end in logs.
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
            # Whoever learns one of the two would have the other.
            raise ImproperlyConfigured(f"{where} is the same as SECRET_KEY. Each must be a secret of its own.")
        if int(number) in ring:
            raise ImproperlyConfigured(f"{where} has the same id as another key.")
        ring[int(number)] = secret
    if not ring:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is missing, so nothing a patient sends could be kept.")
    return ring


def key_ring() -> dict[int, bytes]:
    """The keys by id, the one that writes first. Raises ImproperlyConfigured with a sentence for the operator."""
    from django.conf import settings

    return _parse(tuple(settings.FIELD_ENCRYPTION_KEYS), settings.SECRET_KEY)


def writing_key() -> int:
    """The id of the key that seals what is written now."""
    return next(iter(key_ring()))


def key_of(sealed: bytes) -> int:
    """The id of the key that a stored value says it was sealed with. 0 for what is no sealed value."""
    sealed = bytes(sealed)
    return sealed[1] if _is_sealed(sealed) else 0


def written_now() -> bytes:
    """How a value begins that is stored today: padded, and sealed with the writing key. `rotate_keys` moves all others."""
    return PADDED + bytes([writing_key()])


def encrypt(plain: str, *, context: str, padded: bool = True) -> bytes:
    """`padded` is for what the database keeps. A cookie has no room for it, and nobody reads it in a backup."""
    number, secret = next(iter(key_ring().items()))
    nonce = os.urandom(NONCE_BYTES)
    # "surrogatepass" would let broken text in; forms have already refused it.
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
    """The version is bound in too, so that nobody has a padded value read as one without padding. Old values lack it."""
    return context.encode() if version == UNPADDED else version + context.encode()


def _pad(text: bytes) -> bytes:
    """The text to the next of 64, 128, 256 … bytes. `END` always follows it, so that its own zeros are not taken for padding."""
    size = STEP
    while size < len(text) + len(END):
        size *= 2
    return (text + END).ljust(size, b"\0")


def keyed_hash(*parts: str, purpose: str) -> str:
    """HMAC-SHA-256 in hex under the writing key: finds equal values without keeping them readable."""
    return _hash(next(iter(key_ring().values())), parts, purpose)


def keyed_hashes(*parts: str, purpose: str) -> list[str]:
    """The same under every key, the writing one first: while keys are rotated, a stored hash may be any of these."""
    return [_hash(secret, parts, purpose) for secret in key_ring().values()]


def short_hashes(secret: bytes, texts: Iterable[str], *, purpose: str) -> list[int]:
    """As `keyed_hash` under one key of the ring, cut to 64 bits, as a database keeps an integer: for very many at once."""
    derived = hmac.new(secret, f"backcare:{purpose}".encode(), hashlib.sha256).digest()
    base, found = hmac.new(derived, digestmod=hashlib.sha256), []
    for text in texts:
        each = base.copy()
        each.update(text.encode("utf-8"))
        found.append(int.from_bytes(each.digest()[:8], "big", signed=True))
    return found


def check_value(secret: bytes) -> str:
    """Tells one key from another and gives nothing of it away: an HMAC that serves nothing else."""
    return _hash(secret, (), "key check")


def _hash(secret: bytes, parts: tuple[str, ...], purpose: str) -> str:
    derived = hmac.new(secret, f"backcare:{purpose}".encode(), hashlib.sha256).digest()
    return hmac.new(derived, "\x1f".join(parts).encode("utf-8"), hashlib.sha256).hexdigest()
