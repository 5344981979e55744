"""Whether the domain name system lets our mail come from the sender's domain: SPF (RFC 7208) and DMARC (RFC 7489).

Asked only when an owner presses the button, of this machine's own resolver, about the clinic's own domain. A key of DKIM cannot be
found without its selector, which only the mail server knows: the page says where to look instead.
"""

from dataclasses import dataclass

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

GOOD, WEAK, MISSING, UNKNOWN = "good", "weak", "missing", "unknown"
PATIENCE = 4  # seconds for each question
COULD_NOT_ASK = "We could not ask the domain name system from this server. Ask whoever looks after your domain."
POLICIES = {
    "reject": (GOOD, "Mail that only pretends to be yours is rejected."),
    "quarantine": (GOOD, "Mail that only pretends to be yours goes to spam."),
    "none": (
        WEAK,
        "The policy is “none”: anybody’s mail in your name is let through. Ask for “quarantine” or “reject”.",
    ),
}


@dataclass(frozen=True)
class Record:
    name: str
    state: str
    words: str


def look(domain: str, resolver: Resolver | None = None) -> list[Record]:
    """What the records of the domain say. Never raises for a network that does not answer."""
    try:
        resolver = resolver or Resolver()
        resolver.lifetime = PATIENCE
    except (DNSException, OSError):
        resolver = None
    found = []
    for name, judge in (("SPF", _spf), ("DMARC", _dmarc)):
        try:
            state, words = judge(domain, resolver) if resolver else (UNKNOWN, COULD_NOT_ASK)
        except (DNSException, OSError, UnicodeError):
            state, words = UNKNOWN, COULD_NOT_ASK
        found.append(Record(name, state, words))
    return found


def _spf(domain: str, resolver: Resolver) -> tuple[str, str]:
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
        return WEAK, "The SPF record lets every server in the world send for you. Ask for “-all” or “~all” at its end."
    if {"-all", "~all"} & set(terms) or any(term.startswith("redirect=") for term in terms):
        return GOOD, "There is one SPF record, with an end. The test message shows whether your mail server is in it."
    return WEAK, "The SPF record has no end. Ask for “-all” or “~all”."


def _dmarc(domain: str, resolver: Resolver) -> tuple[str, str]:
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
            tags = dict(part.strip().lower().partition("=")[::2] for part in records[0].split(";"))
            tags = {name.strip(): value.strip() for name, value in tags.items()}
            policy = tags.get("sp") if first and "sp" in tags else tags.get("p")
            return POLICIES.get(policy or "", (WEAK, "The DMARC record has no policy that receivers know."))
    return MISSING, f"{domain} has no DMARC record. Large mail providers ask for one."


def _texts(name: str, resolver: Resolver) -> list[str]:
    """The TXT records of a name. Raises DNSException where nobody answers."""
    try:
        answer = resolver.resolve(name, "TXT")
    except (NXDOMAIN, NoAnswer):
        return []
    return [b"".join(row.strings).decode("ascii", "replace") for row in answer]
