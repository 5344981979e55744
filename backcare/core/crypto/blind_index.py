"""Finds equal email addresses and numbers without opening any: keyed hashes of what people mean, however they typed it.

Parts of names, addresses and numbers are found by `search_tokens`.
"""

import unicodedata
from typing import Any

from backcare.core import phones
from backcare.core.crypto.encryption import CannotDecrypt, keyed_hash, keyed_hashes

# Nobody is searched for by these, and as the most frequent words they would show which hash means what: docs/threat-model.md.
TITLES = {"mr", "mrs", "ms", "mx", "miss", "dr", "prof", "professor"}


def email_key(address: str) -> str:
    """Empty for no address. Letters of either case are the same address."""
    return keyed_hash(_address(address), purpose="email") if _address(address) else ""


def email_keys(address: str) -> list[str]:
    """What `email_key` may have given under any of our keys: to look up with, also while keys are rotated."""
    return keyed_hashes(_address(address), purpose="email") if _address(address) else []


def phone_key(number: str) -> str:
    """`number` is E.164, with or without our " ext. 12". Empty for no number."""
    return keyed_hash(_number(number), purpose="phone") if _number(number) else ""


def phone_keys(number: str) -> list[str]:
    """What `phone_key` may have given under any of our keys."""
    return keyed_hashes(_number(number), purpose="phone") if _number(number) else []


def keys_of(enquiry: Any) -> dict[str, list[str]]:
    """With which values of its key columns the enquiries of the same person are found. Nothing for what is missing."""
    found = {}
    for column, text, keys in (("email_key", "email", email_keys), ("phone_key", "phone", phone_keys)):
        if not (own := getattr(enquiry, column)):
            continue
        try:
            found[column] = [own, *keys(getattr(enquiry, text))]
        except CannotDecrypt:
            found[column] = [own]
    return found


def _address(typed: str) -> str:
    return typed.strip().casefold()


def _number(typed: str) -> str:
    """Without what belongs to one way of calling: the prefix of text relay, and an extension."""
    found = phones.parts(typed)
    return found.e164 if found else typed.split(" ext.")[0].strip()


def words_of(name: str) -> list[str]:
    """The words of a name in their order, without case, accents and titles: "Zoë O'Hara-Smith" is zoe, ohara, smith.

    A title that is all there is stays, because it may be the name.
    """
    bare = "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = "".join(each if each.isalnum() else "" if each in "'’" else " " for each in bare).split()
    return [word for word in words if word not in TITLES] or words
