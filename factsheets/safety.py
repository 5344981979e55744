"""Emergency advice belongs to the system. Every output asks here, and nothing an author does can leave it off."""

from factsheets.models import SafetyAdvice, Tier

# NHS: 111 covers England, Scotland and Wales; in Northern Ireland the GP out-of-hours service does that.
HEADINGS = {
    Tier.EMERGENCY: "Call 999 or go to A&E now if you have back pain and:",
    Tier.URGENT: "Ask for an urgent GP appointment or call 111 today if you have back pain and:",
    Tier.ROUTINE: "See a GP if:",
}
AFTERWORDS = {
    Tier.EMERGENCY: "One of these is enough. Do not wait for more, and do not drive yourself to A&E.",
    Tier.URGENT: "In Northern Ireland, call your GP or the GP out-of-hours service.",
    Tier.ROUTINE: "If you are worried, or new symptoms start, get help sooner.",
}


class SafetyAdviceMissing(Exception):  # noqa: N818 - reads as what happened
    """There is no emergency advice in the database. A page without it must not be shown."""


def tiers() -> list[dict]:
    """The three tiers in their order: emergency, urgent, routine. Raises SafetyAdviceMissing."""
    advice = list(SafetyAdvice.objects.all())
    found = [
        {
            "tier": tier.value,
            "heading": HEADINGS[tier],
            "items": [
                {"code": item.code, "text": item.text, "short_text": item.short_text, "action": item.action}
                for item in advice
                if item.tier == tier
            ],
            "after": AFTERWORDS[tier],
        }
        for tier in Tier
    ]
    if not found[0]["items"]:
        raise SafetyAdviceMissing("No emergency advice is loaded. Run `manage.py load_content`.")
    return found
