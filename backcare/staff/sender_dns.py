"""Whether the domain name system lets our mail come from the sender's domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489).

Asked only when an owner presses the button, of this machine's own resolver, about the clinic's own domain. A key of DKIM cannot be
found without its selector, which only whoever runs the mail server knows: without one the page says where to look instead.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

if TYPE_CHECKING:
    from dns.resolver import Resolver

GOOD, WEAK, MISSING, UNKNOWN = "good", "weak", "missing", "unknown"
PATIENCE = 4  # seconds for each question
# Bits: receivers ignore shorter keys, and signers should use this much (RFC 8301, 3.2).
MIN_RSA, GOOD_RSA = 1024, 2048
SELECTOR = re.compile(r"(?=.{1,200}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*", re.ASCII)
COULD_NOT_ASK = "We could not ask the domain name system from this server. Ask the person who looks after your domain."
POLICIES = {
    "reject": (GOOD, "Forged mail in your name is rejected."),
    "quarantine": (GOOD, "Forged mail in your name goes to spam."),
    "none": (
        WEAK,
        "The policy is “none”: forged mail in your name is let through. Ask for “quarantine” or “reject”.",
    ),
}


@dataclass(frozen=True)
class Record:
    name: str
    state: str
    words: str


def look(domain: str, selector: str = "", resolver: "Resolver | None" = None) -> list[Record]:
    """What the records of the domain say; DKIM's only where its selector is given. Never raises for a silent network."""
    from dns.exception import DNSException  # here: no process but the one whose owner presses the button needs it
    from dns.resolver import Resolver

    try:
        resolver = resolver or Resolver()
        resolver.lifetime = PATIENCE
    except (DNSException, OSError):
        resolver = None
    found = []
    judges: list[tuple[str, Callable[[str, Resolver], tuple[str, str]]]] = [("SPF", _spf), ("DMARC", _dmarc)]
    if selector:
        judges.insert(1, ("DKIM", lambda domain, resolver: _dkim(f"{selector}._domainkey.{domain}", resolver)))
    for name, judge in judges:
        try:
            state, words = judge(domain, resolver) if resolver else (UNKNOWN, COULD_NOT_ASK)
        except (DNSException, OSError, UnicodeError):
            state, words = UNKNOWN, COULD_NOT_ASK
        found.append(Record(name, state, words))
    return found


def _spf(domain: str, resolver: "Resolver") -> tuple[str, str]:
    records = [each for each in _texts(domain, resolver) if each.lower().split(" ")[0] == "v=spf1"]
    if not records:
        return (
            MISSING,
            f"{domain} has no SPF record, so your mail may go to spam. Your mail provider tells you which one to add.",
        )
    if len(records) > 1:
        return WEAK, f"{domain} has {len(records)} SPF records. Only one is allowed, and receivers ignore them all."
    terms = records[0].lower().split()
    if {"+all", "all"} & set(terms):
        return WEAK, "The SPF record lets every server in the world send for you. Ask for “-all” or “~all” at the end."
    if {"-all", "~all"} & set(terms) or any(term.startswith("redirect=") for term in terms):
        return (
            GOOD,
            "There is one SPF record, and it is complete. The test message shows whether it includes your mail server.",
        )
    return WEAK, "The SPF record is incomplete. Ask for “-all” or “~all”."


def _dkim(name: str, resolver: "Resolver") -> tuple[str, str]:
    records = [tags for each in _texts(name, resolver) if "p" in (tags := _tags(each))]
    if not records:
        return (
            MISSING,
            f"There is no DKIM key at {name}. Check the selector, and ask the person who runs your email to add the key.",
        )
    if len(records) > 1:
        return WEAK, f"There are {len(records)} DKIM keys at {name}. Only one is allowed."
    [tags] = records
    if not tags["p"]:
        return WEAK, "This DKIM key was withdrawn. Ask the person who runs your email for the current selector."
    try:
        bits = _rsa_bits(tags)
    except (ValueError, UnsupportedAlgorithm):
        return (
            WEAK,
            f"The DKIM key at {name} is damaged: receivers cannot read it. Copy it again in full.",
        )
    if bits is not None and bits < MIN_RSA:
        return (
            WEAK,
            f"The DKIM key has {bits} bits, and receivers ignore keys below {MIN_RSA}. Ask for one of {GOOD_RSA}.",
        )
    if "y" in tags.get("t", "").split(":"):
        return (
            WEAK,
            "The DKIM record says that it is only a test (“t=y”). Ask the person who runs your email to end the test.",
        )
    longer = f" It has {bits} bits: ask for one of {GOOD_RSA}." if bits is not None and bits < GOOD_RSA else ""
    return (
        GOOD,
        f"There is a DKIM key at {name}. The test message shows whether your mail server signs with it.{longer}",
    )


def _rsa_bits(tags: dict[str, str]) -> int | None:
    """The length of an RSA key in bits; None for Ed25519 (RFC 8463). Raises ValueError if it is not a key."""
    raw = b64decode("".join(tags["p"].split()), validate=True)
    if tags.get("k", "rsa").lower() == "ed25519":
        if len(raw) != 32:
            raise ValueError("An Ed25519 key has 32 bytes.")
        return None
    key = load_der_public_key(raw)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("The record says RSA, and the key is another.")
    return key.key_size


def _tags(record: str) -> dict[str, str]:
    """The tag=value pairs of a record. Values keep their case: a key has one."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _dmarc(domain: str, resolver: "Resolver") -> tuple[str, str]:
    labels = domain.split(".")
    for first in range(len(labels) - 1):  # a domain above may have it for those below
        records = [
            each
            for each in _texts("_dmarc." + ".".join(labels[first:]), resolver)
            if each.lower().replace(" ", "").startswith("v=dmarc1")
        ]
        if len(records) > 1:
            return WEAK, "There are several DMARC records. Only one is allowed, and receivers ignore them all."
        if records:
            tags = _tags(records[0].lower())
            policy = tags.get("sp") if first and "sp" in tags else tags.get("p")
            return POLICIES.get(policy or "", (WEAK, "The DMARC record has no policy that receivers know."))
    return MISSING, f"{domain} has no DMARC record. Large mail providers ask for one."


def _texts(name: str, resolver: "Resolver") -> list[str]:
    """The TXT records of a name. Raises DNSException if no server answers."""
    from dns.resolver import NXDOMAIN, NoAnswer

    try:
        answer = resolver.resolve(name, "TXT")
    except (NXDOMAIN, NoAnswer):
        return []
    return [b"".join(row.strings).decode("ascii", "replace") for row in answer]
