"""Telephone numbers: as people type them, as an enquiry stores them, and as they are shown and dialled.

An enquiry keeps E.164, with the prefix of the UK's text relay before it and an extension after it where somebody gave one:
"18001 +442079460018 ext. 12". Text relay (Relay UK) is how deaf people telephone: without the prefix the call does not reach them.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

HOME, HOME_CODE = "GB", 44
MAX_LENGTH = 60  # characters; nobody's number is longer, even with an extension and a country in full
RELAY = re.compile(r"^\W*(1800[12])[\s.,/-]*(?=[+0(]|$)")
EXTENSION = re.compile(r"(?:ext\.?|extension|x|#)\s*\d{1,7}\s*$", re.IGNORECASE)
# A UK number outside the library's ranges may be a new one, if it has ten digits after its 0 and begins with one of these.
HOME_DIGITS, HOME_BEGINS = 10, "12378"
MIN_DIGITS = 7  # with this many digits, letters beside them are words and not part of the number

EXAMPLE = "Enter a phone number, like 020 7946 0958 or +44 20 7946 0958"
TWO = "Enter one number only, the best one to reach you"
LETTERS = "Use digits only. There are letters in this number"
TOO_SHORT = "This number is too short. Check that no digit is missing, and start with the area code"
TOO_LONG = "This number is too long. Enter one number, and check that no digit is there twice"
COUNTRY = "We do not know this country code. Check the digits after the +"
NOT_REAL = "Check this number, because no phone number in the UK looks like it"


class NotANumber(ValueError):
    """The text is for the person who typed it, and says what to change."""


@dataclass(frozen=True)
class Parts:
    relay: str
    e164: str
    extension: str


def read(typed: str) -> str:
    """The number typed, on one line, as an enquiry stores it. Raises NotANumber."""
    relay, typed = _without_relay(typed)
    _expect_one_number(typed)
    try:
        number = phonenumbers.parse(typed, HOME)
    except phonenumbers.NumberParseException as error:
        known = {error.TOO_LONG: TOO_LONG} | ({error.INVALID_COUNTRY_CODE: COUNTRY} if "+" in typed else {})
        raise NotANumber(known.get(error.error_type, EXAMPLE)) from error
    _expect_possible(number)
    kept = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    # E.164 itself has no place for an extension.
    return " ".join(part for part in (relay, kept, number.extension and f"ext. {number.extension}") if part)


def _without_relay(typed: str) -> tuple[str, str]:
    found = RELAY.match(typed)
    return (found.group(1), typed[found.end() :]) if found else ("", typed)


def _expect_one_number(typed: str) -> None:
    """The library would read letters as a keypad does or leave them out: a wrong number."""
    digits = _digits(typed)
    if not digits:
        raise NotANumber(EXAMPLE)
    if len(typed) > MAX_LENGTH and digits > MAX_LENGTH / 2:
        raise NotANumber(TOO_LONG)
    found = list(phonenumbers.PhoneNumberMatcher(typed, HOME, leniency=phonenumbers.Leniency.POSSIBLE))
    if len(found) > 1:
        raise NotANumber(TWO)
    bare = EXTENSION.sub("", typed)
    if any(each.isalpha() for each in bare):
        if (
            not found or _digits(found[0].raw_string) < MIN_DIGITS or (bare[:1].isalpha() and bare[1:2].isdigit())
        ):  # O20 for 020
            raise NotANumber(LETTERS)
        beside = " ".join(f"{typed[: found[0].start]} {typed[found[0].end :]}".strip(" ,;:()-").split())
        raise NotANumber(f"Enter only the number, without “{beside}”" if len(beside) <= MAX_LENGTH else LETTERS)


def _digits(typed: str) -> int:
    return sum(each.isdigit() for each in typed)


def _expect_possible(number: phonenumbers.PhoneNumber) -> None:
    fits = phonenumbers.is_possible_number_with_reason(number)
    if fits == ValidationResult.TOO_LONG:
        raise NotANumber(TOO_LONG)
    if fits in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        raise NotANumber(TOO_SHORT)
    if fits != ValidationResult.IS_POSSIBLE:
        raise NotANumber(EXAMPLE)
    if phonenumbers.is_valid_number(number):
        return
    national = str(number.national_number)
    if number.country_code == HOME_CODE:
        if len(national) < HOME_DIGITS:
            raise NotANumber(TOO_SHORT)
        if national[0] not in HOME_BEGINS or len(set(national)) == 1:
            raise NotANumber(NOT_REAL)


def parts(kept: str) -> Parts | None:
    """None for anything but a number, such as in an enquiry from before numbers were checked."""
    bare, _, extension = kept.partition(" ext. ")
    relay, _, e164 = bare.rpartition(" ")
    return Parts(relay, e164, extension) if e164.startswith("+") else None


def is_relay(kept: str) -> bool:
    found = parts(kept)
    return bool(found and found.relay)


def in_words(kept: str) -> str:
    """As people in the UK write it: 020 7946 0018. A foreign number keeps its country, and anything else stays as it is."""
    found = parts(kept)
    if found is None:
        return kept
    number = phonenumbers.parse(found.e164)
    at_home = number.country_code == HOME_CODE
    shown = phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    )
    return " ".join(part for part in (found.relay, shown, found.extension and f"ext. {found.extension}") if part)


def to_dial(kept: str) -> str:
    """For a link that dials: the prefix of text relay, then the number as dialled in the UK. "" for no number."""
    found = parts(kept)
    if found is None:
        return ""
    if not found.relay:
        return found.e164
    abroad = f"00{found.e164[1:]}"
    return found.relay + (f"0{found.e164[3:]}" if found.e164.startswith(f"+{HOME_CODE}") else abroad)


def e164(typed: str) -> str:
    """The number somebody searches for, in any form, with or without the prefix of text relay. "" for anything else."""
    try:
        number = phonenumbers.parse(_without_relay(unicodedata.normalize("NFKC", typed))[1], HOME)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
