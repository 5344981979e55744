"""Finds equal e-mail addresses, numbers and names without opening any: keyed hashes of what people mean, however they typed it."""

import unicodedata

from enquiries.encryption import keyed_hash


def email_key(address: str) -> str:
    """Empty for no address. Letters of either case are the same address."""
    return keyed_hash(address.strip().casefold(), purpose="email") if address.strip() else ""


def phone_key(number: str) -> str:
    """`number` is E.164, with or without our " ext. 12". Empty for no number."""
    plain = number.split(" ext.")[0].strip()
    return keyed_hash(plain, purpose="phone") if plain else ""


def name_keys(name: str) -> set[str]:
    """A key for each word, without case and accents: "Zoë O'Hara-Smith" is found by zoe, ohara, smith."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = "".join(each if each.isalnum() else "" if each in "'’" else " " for each in bare).split()
    return {keyed_hash(word, purpose="name") for word in words}
