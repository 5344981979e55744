"""All red flags as one value: to keep, compare and restore."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.text import Truncator, capfirst

from factsheets.fixtures import values_of
from factsheets.models import SafetyAdvice, SafetyEdition, SafetyStep, Tier
from factsheets.revisions import Change, claims_in_words, titles_of

# Not written by anybody: the row's own number.
FIELDS = [
    *(field.name for field in SafetyAdvice._meta.concrete_fields if not field.primary_key),
    *(field.name for field in SafetyAdvice._meta.many_to_many),
]
WORDS = {
    "tier": "tier",
    "text": "full text",
    "short_text": "short text",
    "on_compact_card": "on the short emergency card",
    "action": "what to do beyond the tier’s advice",
    "why": "what it can mean",
    "sources": "sources",
    "in_assessment": "asked in “Check your symptoms”",
    "claim_refs": "claims it rests on",
    "patterns": "word patterns",
}
TIERS = list(Tier.values)


def snapshot(records: Iterable[SafetyAdvice] | None = None) -> list[dict]:
    """Every red flag with all that staff may change, by tier and in the order in which patients read them."""
    if records is None:
        records = SafetyAdvice.objects.prefetch_related("sources")
    return in_order([values_of(record, FIELDS) for record in records])


def in_order(content: list[dict]) -> list[dict]:
    return sorted(content, key=lambda flag: (TIERS.index(flag["tier"]), flag["position"], flag["code"]))


def keep(*, step: SafetyStep, by=None, actor: str = "", authors: str = "", note: str = "") -> SafetyEdition | None:
    """Keeps the live red flags as a new edition. None when the newest edition says the same."""
    with transaction.atomic():
        last = SafetyEdition.objects.select_for_update().first()
        content = snapshot()
        if last and last.content == content:
            return None
        return SafetyEdition.objects.create(
            number=last.number + 1 if last else 1,
            step=step,
            content=content,
            changes=summary(last.content, content) if last else [],
            note=note,
            by=by,
            actor=actor,
            authors=authors,
        )


def name(flag: dict) -> str:
    """What readers see of it first, and last its number, by which staff name it."""
    return f"{heading(flag)} ({flag['code']})"


def heading(flag: dict) -> str:
    return Truncator(capfirst(flag["short_text"] or flag["text"])).words(12)


def changes(before: list[dict], after: list[dict]) -> list[Change]:
    """Every difference, flag by flag, and the order of each tier where it changed."""
    old, new = ({flag["code"]: flag for flag in content} for content in (before, after))
    found = []
    for code in dict.fromkeys([*new, *old]):
        was, now = old.get(code, {}), new.get(code, {})
        part = name(now or was) + ("" if was and now else " (added)" if now else " (retired)")
        found += [
            Change(part, WORDS.get(field, _verbose(field)), *_both_in_words(field, was.get(field), now.get(field)))
            for field in FIELDS
            if field not in {"code", "position"} and in_words(was.get(field)) != in_words(now.get(field))
        ]
    for tier in Tier:
        orders = [
            [flag["code"] for flag in in_order(content) if flag["tier"] == tier and flag["code"] in other]
            for content, other in ((before, new), (after, old))
        ]
        if orders[0] != orders[1]:
            said = ["\n".join(heading(new[code]) for code in order) for order in orders]
            found.append(Change(f"Order of “{tier.label}”", "order", *said))
    return found


def summary(before: list[dict], after: list[dict]) -> list[str]:
    """What changed, a line for each flag: “Changed: New or worse numbness … (RF-E1)”."""
    old, new = ({flag["code"]: flag for flag in content} for content in (before, after))
    moved = [change.part for change in changes(before, after) if change.field == "order"]
    return [
        *(f"Added: {name(flag)}" for code, flag in new.items() if code not in old),
        *(f"Retired: {name(flag)}" for code, flag in old.items() if code not in new),
        *(
            f"Changed: {name(flag)}"
            for code, flag in new.items()
            if code in old and _without_place(old[code]) != _without_place(flag)
        ),
        *moved,
    ]


def shown_in(before: list[dict], after: list[dict]) -> list[str]:
    """The pages that would differ between the two sets, in words. Empty when only staff would notice."""
    readings = {
        "The short emergency card: on every page, and in every leaflet and email": _on_the_card,
        "“Get help now”, each fact sheet as a PDF and as text, and the first email to a patient": _said,
        "“Check your symptoms”": lambda flag: flag["in_assessment"] and _said(flag),
        "What search and the forms recognise in people’s own words": lambda flag: (flag["tier"], flag["patterns"]),
    }
    old, new = in_order(before), in_order(after)
    return [
        words
        for words, reading in readings.items()
        if list(filter(None, map(reading, old))) != list(filter(None, map(reading, new)))
    ]


def reworded(before: list[dict], after: list[dict]) -> list[str]:
    """The numbers of the flags that were removed or changed: a sheet that repeats one may now be wrong."""
    now = {flag["code"]: _said(flag) for flag in after}
    return [flag["code"] for flag in before if now.get(flag["code"]) != _said(flag)]


def _said(flag: dict) -> list[str]:
    return [flag["tier"], flag["text"], flag["action"]]


def _on_the_card(flag: dict) -> str:
    return flag["short_text"] if flag["tier"] == Tier.EMERGENCY and flag["on_compact_card"] else ""


def _without_place(flag: dict) -> dict:
    return {field: value for field, value in flag.items() if field != "position"}


def _both_in_words(field: str, before, after) -> list[str]:
    if field == "tier":
        return [capfirst(dict(Tier.choices).get(each, "")) for each in (before, after)]
    if field == "claim_refs":
        return claims_in_words(before, after)
    if field == "sources":
        keys = [[key for [key] in each or []] for each in (before, after)]
        titles = titles_of({*keys[0], *keys[1]})
        return ["\n".join(titles.get(key, key) for key in each) for each in keys]
    return [in_words(before), in_words(after)]


def _verbose(field: str) -> str:
    return str(SafetyAdvice._meta.get_field(field).verbose_name)


def in_words(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    return "" if value is None else str(value)
