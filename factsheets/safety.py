"""Emergency advice belongs to the system. Every output gets it from here, and no author can leave it out."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from factsheets.models import ContentVersion, SafetyAdvice, Tier

# NHS: 111 covers England, Scotland and Wales; in Northern Ireland the GP out-of-hours service does that.
HEADINGS = {
    Tier.EMERGENCY: "Call 999 or go to A&E now if you have back pain and:",
    Tier.URGENT: "Ask for an urgent GP appointment or call 111 today if you have back pain and:",
    Tier.ROUTINE: "See a GP if:",
}
AFTERWORDS = {
    Tier.EMERGENCY: "One of these is enough. Do not drive yourself.",
    Tier.URGENT: "In Northern Ireland, call your GP or the GP out-of-hours service.",
    Tier.ROUTINE: "If you are worried, or new symptoms start, get help sooner.",
}
# For somebody who cannot cope or may not be safe, in every nation. Claim ledger, part 2, §1, "Crisis lines".
CRISIS = (
    {"when": "In danger now?", "what": "Call 999 or go to A&E.", "number": "999", "call": "Call 999"},
    {
        "when": "Need help now, but not in danger?",
        "what": "In England, Scotland or Wales, call 111 and choose the mental health option.",
        "number": "111",
        "call": "Call 111",
    },
    {
        "when": "In Northern Ireland?",
        "what": "Call Lifeline on 0808 808 8000, which also takes calls by text relay.",
        "number": "08088088000",
        "call": "Call Lifeline",
    },
    {
        "when": "Want to talk?",
        "what": "Call Samaritans on 116 123, from anywhere in the UK.",
        "number": "116123",
        "call": "Call Samaritans",
    },
)

# What cannot wait in pregnancy, besides the signs for everybody. Claim ledger, part 2, §1: the tightenings and the ectopic signs.
PREGNANT = ("RF-P1", "RF-U15")

# For somebody who was hurt by another person. Claim ledger, part 2, §1 (numbers from general knowledge: to be verified).
HURT = (
    {"where": "England", "what": "National Domestic Abuse Helpline", "shown": "0808 2000 247"},
    {"where": "Scotland", "what": "Domestic Abuse and Forced Marriage Helpline", "shown": "0800 027 1234"},
    {"where": "Wales", "what": "Live Fear Free", "shown": "0808 80 10 800"},
    {"where": "Northern Ireland", "what": "Domestic and Sexual Abuse Helpline", "shown": "0808 802 1414"},
)


class SafetyAdviceMissing(Exception):
    """There is no emergency advice in the database. A page without it must not be shown."""


# Set only while a preview of a draft is rendered.
_instead: ContextVar[list[SafetyAdvice] | None] = ContextVar("red flags in place of the live ones", default=None)


@contextmanager
def shown_as(flags: list[SafetyAdvice]) -> Iterator[None]:
    """Within it, every output of this request shows these red flags in place of the live ones. For previews by staff."""
    token = _instead.set(flags)
    try:
        yield
    finally:
        _instead.reset(token)


_kept: tuple[str, list[SafetyAdvice]] | None = None  # of one state of the content


def records() -> list[SafetyAdvice]:
    """The red flags that patients read, in their order."""
    global _kept
    instead = _instead.get()
    if instead is not None:
        return instead
    token, kept = ContentVersion.now(), _kept
    if kept is None or kept[0] != token:
        # The word patterns are most of a record, and no reader sees them.
        _kept = kept = token, list(SafetyAdvice.objects.defer("patterns"))
    return kept[1]


def compact(found: list[dict]) -> list[str]:
    """The lines of the short emergency card, of `tiers()`. Never empty."""
    return [item["short_text"] for item in found[0]["items"] if item["on_compact_card"]]


def for_clinicians(content: list[dict]) -> dict:
    """The red flags as a clinician reads them before approving them: by tier, with what patients are not shown.

    `content` is the set as `safety_revisions.snapshot` makes it.
    """
    return {
        "tiers": [
            {
                "label": tier.label,
                "heading": HEADINGS[tier],
                "after": AFTERWORDS[tier],
                "flags": [flag for flag in content if flag["tier"] == tier],
            }
            for tier in Tier
        ],
        "crisis": CRISIS,
        "hurt": HURT,
    }


def tiers() -> list[dict]:
    """The three tiers in their order: emergency, urgent, routine. Raises SafetyAdviceMissing."""
    advice = records()
    found = [
        {
            "tier": tier.value,
            "heading": HEADINGS[tier],
            "items": [
                {
                    "code": item.code,
                    "text": item.text,
                    "short_text": item.short_text,
                    "action": item.action,
                    "on_compact_card": item.on_compact_card,
                }
                for item in advice
                if item.tier == tier
            ],
            "after": AFTERWORDS[tier],
        }
        for tier in Tier
    ]
    emergency = found[0]["items"]
    if not emergency:
        raise SafetyAdviceMissing("No emergency advice is loaded. Run `manage.py load_content`.")
    if not any(item["on_compact_card"] for item in emergency):
        # A card without a line would be worse than a long one.
        for item in emergency:
            item["on_compact_card"] = True
    return found
