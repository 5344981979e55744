"""Finds equal e-mail addresses, numbers and names without opening any: keyed hashes of what people mean, however they typed it."""

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
    """With which values of its key columns the enquiries of the same person are found. Nothing for what it has not got."""
    found = {}
    for column, text, keys in (("email_key", "email", email_keys), ("phone_key", "phone", phone_keys)):
        if not (own := getattr(enquiry, column)):
            continue
        try:
            found[column] = [own, *keys(getattr(enquiry, text))]
        except CannotDecrypt:
            found[column] = [own]
    return found


def name_keys(name: str) -> set[str]:
    """A key for each word, without case and accents: "Zoë O'Hara-Smith" is found by zoe, ohara, smith. None for titles and
    initials, unless the name is nothing else."""
    return {keyed_hash(word, purpose="name") for word in _words(name)}


def name_keys_of(enquiry: Any) -> set[str]:
    """For the name of whoever asks, and for that of the person they ask for: either may phone. Raises CannotDecrypt."""
    return name_keys(enquiry.name) | name_keys(enquiry.for_name)


def name_lookups(name: str) -> list[list[str]]:
    """For each word what `name_keys` may have given under any of our keys. A row matches with one of each."""
    return [keyed_hashes(word, purpose="name") for word in sorted(_words(name))]


def _address(typed: str) -> str:
    return typed.strip().casefold()


def _number(typed: str) -> str:
    """Without what belongs to one way of calling: the prefix of text relay, and an extension."""
    found = phones.parts(typed)
    return found.e164 if found else typed.split(" ext.")[0].strip()


def _words(name: str) -> set[str]:
    bare = "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = set("".join(each if each.isalnum() else "" if each in "'’" else " " for each in bare).split())
    # A single letter is an initial in ours alone: in other scripts it may be a whole name.
    return {word for word in words if word not in TITLES and not (len(word) == 1 and word.isascii())} or words
