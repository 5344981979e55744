"""Finds people without decrypting any record, by keyed hashes of names, addresses and numbers, whole and in parts.

Equal email addresses and numbers are found by one hash of what people mean, however they typed it.

By part of what is known of them they are found by many small keyed hashes of a name, address and number.

Each kind of hash has a key of its own, derived from the encryption key, so that equal texts of two kinds have nothing in common.
What is stored says neither its kind nor its order, and is padded to a multiple of STEP with random numbers. What a copy of the
database gives away all the same, and what limits it, is in docs/threat-model.md, "What the database alone tells".

Words with up to two letters wrong are found as follows. Of each word the hashes of itself and of every text that lacks one of its
letters are stored. Whoever searches hashes every text within one edit of what was typed, each again without any one letter. Two
words that are at most two edits apart share one of these. So hardly ten hashes a word are stored, where the usual way (all texts
that lack two letters) takes five times as many and gives more away.
"""

import secrets
import string
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import jellyfish

from backcare.core import phones
from backcare.core.encryption import CannotDecrypt, key_ring, keyed_hash, keyed_hashes, short_hashes

# Nobody searches by these, and as the most frequent words they would reveal what a hash means (docs/threat-model.md).
TITLES = {"mr", "mrs", "ms", "mx", "miss", "dr", "prof", "professor"}
STEP = 16  # the number of an enquiry's hashes is a multiple of this
MAX_WORDS = 12  # of a name
MIN_PART, MAX_PART = 2, 10  # letters of the beginning of a name that can be searched for
MIN_LOCAL = 3  # characters of the beginning of an address
MIN_SOUND = 2  # letters of a word's sound code, because with one, half of all names would sound alike
MIN_NEAR, MIN_NEAR_TWO = 4, 6  # from this many letters, one or two of them may be wrong
MAX_NEAR = 10  # letters of a word that are compared like this
# So many people use these that searching by them would not help, and the most frequent hash would reveal the domain.
COMMON_PROVIDERS = {
    "aol", "btinternet", "gmail", "googlemail", "gmx", "hotmail", "icloud", "live", "mac", "mail", "me", "msn", "ntlworld",
    "outlook", "pm", "proton", "protonmail", "sky", "talktalk", "virginmedia", "yahoo", "ymail",
}  # fmt: skip

Part = tuple[str, str]  # a kind, and a text of it


# --- whole values ---


def email_key(address: str) -> str:
    """Empty for no address. Case does not matter."""
    return keyed_hash(_address(address), purpose="email") if _address(address) else ""


def email_keys(address: str) -> list[str]:
    """What `email_key` returns under each of our keys, for searching even while keys are rotated."""
    return keyed_hashes(_address(address), purpose="email") if _address(address) else []


def phone_key(number: str) -> str:
    """`number` is E.164, with or without our " ext. 12". Empty for no number."""
    return keyed_hash(_number(number), purpose="phone") if _number(number) else ""


def phone_keys(number: str) -> list[str]:
    """What `phone_key` returns under each of our keys."""
    return keyed_hashes(_number(number), purpose="phone") if _number(number) else []


def keys_of(enquiry: Any) -> dict[str, list[str]]:
    """The values of the key columns that find enquiries from the same person. Leaves out what is missing."""
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
    """The number without the prefix of text relay and without an extension."""
    found = phones.parts(typed)
    return found.e164 if found else typed.split(" ext.")[0].strip()


def words_of(name: str) -> list[str]:
    """The words of a name, in order, without case, accents or titles: "Zoë O'Hara-Smith" is zoe, ohara, smith.

    A title that is all there is stays, because it may be the name.
    """
    bare = "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = "".join(each if each.isalnum() else "" if each in "'’" else " " for each in bare).split()
    return [word for word in words if word not in TITLES] or words


# --- parts of values ---


def stored(*, names: Iterable[str], email: str, phone: str) -> set[int]:
    """Every hash, under the writing key, that finds an enquiry. Random padding makes each set different."""
    parts = {*_of_address(email), *_of_number(phone)}
    for name in names:
        parts |= set(_of_name(name))
    found = {key for kind in {kind for kind, _ in parts} for key in _writing(kind, parts)}
    wanted = max(STEP, -(-len(found) // STEP) * STEP)
    while len(found) < wanted:
        found.add(secrets.randbits(64) - (1 << 63))
    return found


def begins_or_sounds(word: str) -> list[int]:
    """Finds names with a word that begins like this one, or sounds like it. `word` comes from `words_of`."""
    return _lookup(("begins", word[:MAX_PART]), *_sound(word))


def nearly(word: str) -> list[int]:
    """Finds names with a word that differs from this one by up to two letters, or by one if it is short. The hashes find others
    too, which `is_near` sorts out."""
    edits = allowed_edits(word)
    if not edits:
        return []
    word = word[:MAX_NEAR]
    around = _within_one_edit(word) if edits > 1 else {word}
    return _lookup(*(("near", less) for each in around for less in _without_one(each)))


def allowed_edits(word: str) -> int:
    """How many letters of the word may be wrong."""
    return 0 if len(word) < MIN_NEAR else 1 if len(word) < MIN_NEAR_TWO else 2


def sound_alike(one: str, other: str) -> bool:
    return bool(_sound(one)) and _sound(one) == _sound(other)


def initials(letters: str) -> list[int]:
    return _lookup(("initials", letters))


def initial_and_word(letter: str, word: str) -> list[int]:
    """Finds "J. Smith" and "John Smith" by "j smith"."""
    return _lookup(("initial and word", f"{letter} {word}"))


def mailbox_begins(text: str) -> list[int]:
    """Finds addresses whose part before the @ begins like this. Nothing for fewer than MIN_LOCAL characters."""
    return _lookup(("mailbox", text.casefold()[:MAX_PART])) if len(text) >= MIN_LOCAL else []


def domain(text: str) -> list[int]:
    """Finds addresses at this domain: "nhs.net", or "nhs". Nothing for a large provider of mailboxes."""
    text = text.casefold().strip(".")
    return _lookup(("domain", text)) if text and not _is_common(text) else []


def digits(typed: str) -> list[int]:
    """Finds numbers that end like this, by their last six digits, or four if there are fewer."""
    found = [each for each in typed if each.isdigit()]
    length = 6 if len(found) >= 6 else 4
    return _lookup(("digits", "".join(found[-length:]))) if len(found) >= length else []


# --- the parts of a name, an address or a number ---


def _of_name(name: str) -> Iterator[Part]:
    words = words_of(name)[:MAX_WORDS]
    if not words:
        return
    yield "initials", "".join(word[0] for word in words)
    if len(words) > 2:
        yield "initials", words[0][0] + words[-1][0]
    for word in words:
        if len(word) == 1 and word.isascii():
            continue
        first = MIN_PART if word.isascii() else 1  # in other scripts one character may be a whole name
        for length in range(min(first, len(word)), min(MAX_PART, len(word)) + 1):
            yield "begins", word[:length]
        yield from _sound(word)
        if len(word) >= MIN_NEAR - 1:  # an extra letter may have been typed
            yield from (("near", less) for less in _without_one(word[:MAX_NEAR]))
        yield from (("initial and word", f"{other[0]} {word}") for other in words if other is not word)


def _of_address(address: str) -> Iterator[Part]:
    local, at, host = address.casefold().rpartition("@")
    if not at:
        return
    for length in range(MIN_LOCAL, min(MAX_PART, len(local)) + 1):
        yield "mailbox", local[:length]
    if not _is_common(host):
        yield "domain", host
        yield "domain", host.partition(".")[0]


def _of_number(number: str) -> Iterator[Part]:
    found = phones.parts(number)
    if found:
        yield "digits", found.e164[-4:]
        yield "digits", found.e164[-6:]


def _sound(word: str) -> list[Part]:
    """The Metaphone code, which matches Smith and Smyth, Catherine and Kathryn, Mohammed and Muhammad."""
    code = jellyfish.metaphone(word) if word.isascii() and word.isalpha() else ""
    return [("sound", code)] if len(code) >= MIN_SOUND else []


def _is_common(host: str) -> bool:
    return host.partition(".")[0] in COMMON_PROVIDERS


def _without_one(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _within_one_edit(word: str) -> set[str]:
    letters = string.ascii_lowercase
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return {
        *_without_one(word),
        *(a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1),
        *(a + each + b[1:] for a, b in splits if b for each in letters),
        *(a + each + b for a, b in splits for each in letters),
    }


# --- hashes ---


def _writing(kind: str, parts: Iterable[Part]) -> list[int]:
    secret = next(iter(key_ring().values()))
    return short_hashes(secret, (text for each, text in parts if each == kind), purpose=f"search: {kind}")


def _lookup(*parts: Part) -> list[int]:
    """The hash under every key, because a stored hash may be any of these while keys are rotated."""
    return [
        key
        for secret in key_ring().values()
        for kind in {kind for kind, _ in parts}
        for key in short_hashes(secret, {text for each, text in parts if each == kind}, purpose=f"search: {kind}")
    ]
