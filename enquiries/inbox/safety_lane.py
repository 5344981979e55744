"""What staff need while a safety flag is open: what to ask, what to say, and what to do if nobody answers.

What is said about the signs is the system's own advice (SafetyAdvice records, `factsheets.safety`), word for word. How to run the
call is ours and awaits a named clinician's signature (ledger, part 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from enquiries.models import Enquiry, EnquiryEvent, EventKind
from enquiries.request_forms.own_words import CRISIS
from factsheets import safety
from factsheets.models import SafetyAdvice, Tier

STEM = " if you have back pain and:"
ASK = [
    "Is this true now? When did it start? Is it getting worse?",
    "Where are you? Is anyone with you?",
]
ASK_IN_CRISIS = ["Are you safe at the moment?", "Where are you? Is anyone with you?"]
# Ambulance services and police send somebody if life or limb is in immediate danger. A clinician judges anything else.
TRY_AGAIN = "Try again after 10 minutes, then 20, then 30. Log each call, and this page will show when to try next."
NOBODY_ANSWERS = [
    "If you think they are in danger now, call 999 yourself. Give their name, their number and what you know.",
    "After three calls without an answer, and before you go home, tell a clinician. They will decide whether to ask the ambulance "
    "service or the police for a welfare check.",
]


@dataclass(frozen=True)
class Script:
    """The script for one call. `tier` is that of the gravest sign; empty if the only sign is a crisis."""

    tier: str
    crisis: bool
    signs: list[SafetyAdvice]
    ask: list[str]
    say: list[str]
    crisis_lines: list[str]

    @property
    def heading(self) -> str:
        return "Possible emergency" if self.tier != Tier.URGENT or self.crisis else "Urgent warning sign"


def script(enquiry: Enquiry) -> Script:
    """What to ask and say for this enquiry's signs. A code that is no longer in any record counts as an emergency."""
    codes = enquiry.signs
    crisis = CRISIS in codes
    codes = [code for code in codes if code != CRISIS]
    signs = sorted(
        SafetyAdvice.objects.filter(code__in=codes), key=lambda each: (each.tier != Tier.EMERGENCY, each.position)
    )
    retired = len(signs) < len(codes)
    tier = ""
    if codes:
        tier = Tier.EMERGENCY if retired or signs[0].tier == Tier.EMERGENCY else Tier.URGENT
    return Script(
        tier=tier,
        crisis=crisis,
        signs=signs,
        ask=[*(ASK_IN_CRISIS if crisis else []), *(ASK[: 1 if crisis else 2] if codes else [])],
        say=list(_say(tier, [sign for sign in signs if sign.tier == tier])),
        crisis_lines=_crisis_lines() if crisis else [],
    )


def _say(tier: str, signs: list[SafetyAdvice]) -> Iterator[str]:
    """The action for the gravest signs comes first, because it may name somewhere nearer, such as the maternity unit."""
    yield from (_sentence(sign.action) for sign in signs if sign.action)
    if tier:
        yield f"{_sentence(safety.HEADINGS[Tier(tier)].removesuffix(STEM))} {safety.AFTERWORDS[Tier(tier)]}"
    if tier == Tier.EMERGENCY:
        yield "Shall I call 999 for you? I will stay on the phone."


def _crisis_lines() -> list[str]:
    return [f"{line['when']} {line['what']}" for line in safety.CRISIS]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def reply_text(enquiry: Enquiry) -> str:
    """The start of an email if nobody answers: the advice for the tier, without saying that they wrote anything."""
    known = script(enquiry)
    tried = (
        "We tried to phone you and could not reach you."
        if enquiry.contact_attempts
        else "We would like to talk to you."
    )
    parts = ["Hello,", f"{tried} Please read this now. If any of it is true for you, do not wait for us."]
    if known.crisis:
        parts.append(
            "\n".join(["If you cannot cope or may not be safe:", *(f"- {line}" for line in known.crisis_lines)])
        )
    if known.tier:
        [card] = [each for each in safety.tiers() if each["tier"] == known.tier]
        lines = [_sentence(item["short_text"]) for item in card["items"]]
        parts.append("\n".join([card["heading"], *(f"- {line}" for line in lines), "", card["after"]]))
    return "\n\n".join([*parts, "Please phone us as soon as you can.", ""])


def other_numbers(enquiry: Enquiry, others: list[Enquiry]) -> list[Enquiry]:
    """The same person's other enquiries that have another number, one for each number."""
    known, found = {"", enquiry.phone_key}, []
    for other in others:
        if other.phone_key not in known and other.email_key == enquiry.email_key:
            known.add(other.phone_key)
            found.append(other)
    return found


def history(enquiry: Enquiry) -> list[EnquiryEvent]:
    """What was done about the flag, by whom and when, from the timeline, which outlives the details."""
    return list(enquiry.events.filter(kind__in=[EventKind.SAFETY, EventKind.TOLD]))
