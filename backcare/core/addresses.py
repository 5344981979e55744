"""Email addresses as people write them: how to show them, what to correct in them, and likely slips.

“Did you mean ada@gmail.com?” covers the mail domains that most people here use. It only asks, and never refuses an address.
"""

import re
from contextlib import suppress
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode
from rapidfuzz.distance import OSA

# In order of preference. If a slip is equally near to two of them, the first is meant.
COMMON = [
    *("gmail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "yahoo.co.uk", "yahoo.com", "icloud.com"),
    *("googlemail.com", "live.co.uk", "live.com", "msn.com", "me.com", "mac.com", "aol.com", "aol.co.uk"),
    *(
        "btinternet.com",
        "sky.com",
        "talktalk.net",
        "virginmedia.com",
        "ntlworld.com",
        "blueyonder.co.uk",
        "tiscali.co.uk",
    ),
    *("btopenworld.com", "virgin.net", "nhs.net", "nhs.uk", "protonmail.com", "proton.me", "fastmail.com"),
]
# Right as they are, although they look like a slip in one of the above.
REAL = {"mail.com", "email.com", "ymail.com", "fsmail.net", "rocketmail.com", "gmx.com", "gmx.co.uk", "outlook.cz"}
# Nobody has a mailbox there, although it is more than one slip from what was meant.
MISTAKES = {
    "icould.com": "icloud.com",
    **{
        f"{name}.{end}": f"{name}.com"
        for name in ("gmail", "icloud", "btinternet")
        for end in ("co.uk", "com.uk", "uk")
    },
}
# Endings that no domain has.
ENDINGS = {
    **dict.fromkeys(("con", "cmo", "ocm", "vom", "xom", "cpm", "cim", "comm", "coom", "c0m", "conm"), "com"),
    **dict.fromkeys(("couk", "co.k", "co.ukk", "co.ik", "co.yk", "co.ul", "co.uj", "co.ku", "cou.k"), "co.uk"),
    "nte": "net",
}

# Characters that word processors and phones put in. No mail system has them in an address.
DASHES = re.compile("[\u2010-\u2015\u2212]")
QUOTES = re.compile('[\u2018-\u201f"\u00ab\u00bb\u00b4`]')
SEVERAL = re.compile(r"@[^\s,;/]+[\s,;/].*@")
AT = re.compile(r"\s[\[(]?at[\])]?\s|[\[(]at[\])]", re.IGNORECASE)

ONE = "Enter one email address only"
DASH = "Type a hyphen (-) instead of the long dash in this address"
QUOTE = "Take the quotation marks out of this address, or type a straight one (')"
WITH_AT = "Type the @ sign instead of “at”"
ONLY = "Enter only the address, like name@example.com, with nothing before or after it"
SPACE = "Take out the space in this address"
END = "Take out the full stop or comma at the end of this address"


def what_to_change(typed: str) -> str:
    """The message for an address that cannot be right. "" if nothing is known to be wrong."""
    wrong = (
        (SEVERAL.search(typed), ONE),
        (DASHES.search(typed), DASH),
        (QUOTES.search(typed), QUOTE),
        ("@" not in typed and AT.search(typed), WITH_AT),
        (typed.casefold().startswith("mailto:") or not {"<", ">"}.isdisjoint(typed), ONLY),
        ("@" in typed and " " in typed, SPACE),
        ("@" in typed and typed[-1:] in {".", ",", ";"}, END),
    )
    return next((message for found, message in wrong if found), "")


def can_send(sender: str) -> bool:
    """Whether email can be sent from it: one ASCII address with a whole domain, alone or after a name."""
    name, address = parseaddr(sender)
    alone = sender == address or sender.endswith(f" <{address}>")
    if not alone or not sender.isprintable() or not address.isascii() or "." not in address.rpartition("@")[2]:
        return False
    try:
        validate_email(address)
        Address(display_name=name, addr_spec=address)
        return True
    except (ValidationError, ValueError, HeaderParseError):
        return False


def in_words(address: str) -> str:
    """The address as its owner types it. A domain in another script is stored in ASCII, for email, and shown in its letters."""
    local, at, domain = address.rpartition("@")
    with suppress(UnicodeError):
        letters = domain.encode("ascii").decode("idna")
        if punycode(letters) == domain.casefold():
            return f"{local}{at}{letters}"
    return address


def suggestion(address: str) -> str:
    """The address that was probably meant, or "" if nothing looks wrong."""
    local, _, domain = address.rpartition("@")
    meant = _meant(domain.casefold())
    return f"{local}@{meant}" if local and meant else ""


def _meant(domain: str) -> str:
    if domain in COMMON or domain in REAL:
        return ""
    if domain in MISTAKES:
        return MISTAKES[domain]
    near = {known: _slips(domain, known) for known in COMMON}
    near = {known: slips for known, slips in near.items() if slips}
    return min(near, key=near.__getitem__) if near else _other_ending(domain)


def _slips(typed: str, known: str) -> int:
    """How many letters are wrong, missing, extra or swapped. 0 if the two are not a likely slip for each other."""
    (name, _, end), (known_name, _, known_end) = typed.partition("."), known.partition(".")
    in_name, in_end = OSA.distance(name, known_name), OSA.distance(end, known_end)
    return in_name + in_end if in_name <= _allowed(known_name) and in_end <= 1 else 0


def _allowed(name: str) -> int:
    """None for a short name, because many other real names are only one letter away."""
    return 0 if len(name) < 5 else 1 if len(name) < 10 else 2


def _other_ending(domain: str) -> str:
    wrong = next((end for end in ENDINGS if domain.endswith(f".{end}")), "")
    return f"{domain.removesuffix(wrong)}{ENDINGS[wrong]}" if wrong else ""
