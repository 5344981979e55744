"""What a patient can choose in a consultation request: as the form asks it, and as the enquiry says it to staff."""

from typing import NamedTuple

from enquiries.models import DAY_PARTS, WEEKDAYS, Agreement, slot_bit

CONTACT = {"phone": "Phone", "video": "Video call", "email": "Email"}
YES_NO = {"yes": "Yes", "no": "No"}


class Choice(NamedTuple):
    asked: str  # as the form says it to the patient
    kept: str  # as the enquiry says it to staff, beside others on one line


def for_patients(known: dict[str, Choice]) -> dict[str, str]:
    return {value: each.asked for value, each in known.items()}


def for_staff(known: dict[str, Choice]) -> dict[str, str]:
    return {value: each.kept for value, each in known.items()}


INTERPRETER, RELAY = "interpreter", "relay"
NEEDS = {
    "bsl": Choice("A British Sign Language (BSL) interpreter", "BSL interpreter"),
    RELAY: Choice("Calls through text relay", "text relay"),
    "large_print": Choice("Letters and emails in large print", "large print"),
    "helper": Choice("Someone who helps me will join us", "somebody who helps them takes part"),
    INTERPRETER: Choice("An interpreter for another language", "interpreter"),
}

# Who it is for. No answer is "me".
ME, SOMEONE_ELSE = "me", "other"
FOR_WHOM = {ME: "Me", SOMEONE_ELSE: "Someone else"}
UNDER_18 = "under_18"
# Staff read what is kept after that person's name.
RELATIONS = {
    "parent": Choice("My mother or father", "their mother or father"),
    "partner": Choice("My husband, wife or partner", "their husband, wife or partner"),
    "family": Choice("Another adult in my family", "an adult in their family"),
    UNDER_18: Choice("A child or young person under 18", "a child or young person under 18"),
    "other": Choice("Someone else, such as a friend or a person I care for", "somebody else they know"),
}
AGREED = {
    Agreement.YES: "Yes",
    Agreement.CANNOT: "No, they cannot decide for themselves",
    Agreement.NOT_YET: "Not yet",
}
UNTIL_THEY_AGREE = "Until they agree, we can only talk with you in general terms."
# Ledger, RF-R10: under 18 with back pain, see a GP.
SEE_A_GP = "Anyone under 18 with back pain should see a GP. You do not have to wait for our reply."

# The closed questions before the free text: what it asks, and what may be answered.
HOW_LONG = {"under_6": "Less than 6 weeks", "6_to_12": "6 to 12 weeks", "over_12": "More than 12 weeks"}
WHERE = {
    "back": Choice("In my back only", "back only"),
    "leg": Choice("In my back and down my leg, or only in my leg", "into the leg"),
}
WHERE_THEIRS = {value: each.replace(" my ", " their ") for value, each in for_patients(WHERE).items()}
SEEN = {
    "gp": Choice("A GP", "a GP"),
    "physio": Choice("A physiotherapist", "a physiotherapist"),
    "other": Choice("Someone else", "somebody else"),
    "nobody": Choice("Nobody yet", "nobody yet"),
}


def call_slots(days: list[str], day_parts: list[str]) -> int:
    """The chosen days and times of day as the set of bits that an enquiry keeps. Neither is 0: any time. One alone means every
    time of those days, or those times of every day."""
    if not days and not day_parts:
        return 0
    each_day, each_part = days or range(len(WEEKDAYS)), day_parts or range(len(DAY_PARTS))
    return sum(slot_bit(int(day), int(part)) for day in each_day for part in each_part)


def chosen_times(slots: int) -> dict[str, list[str]]:
    """The days and the times of day that an enquiry's bits name, as the form ticks them."""
    chosen = [
        (str(day), str(part))
        for day in range(len(WEEKDAYS))
        for part in range(len(DAY_PARTS))
        if slots & slot_bit(day, part)
    ]
    return {"days": sorted({day for day, _ in chosen}), "day_parts": sorted({part for _, part in chosen})}


def needs_in_words(needs: list[str], language: str, note: str) -> str:
    """What helps to talk with them, as the enquiry keeps it. Empty when there is nothing."""
    named = [each.kept for value, each in NEEDS.items() if value in needs]
    if language:
        named = [f"{each} ({language})" if each == NEEDS[INTERPRETER].kept else each for each in named]
        if INTERPRETER not in needs:
            named.append(f"language: {language}")
    line = "; ".join(named)
    return "\n".join(part for part in (line[:1].upper() + line[1:], note) if part)


def back_in_words(how_long: str, where: str, seen: list[str]) -> str:
    """The closed answers as the lines before the patient's own words. Empty when none was given."""
    lines = []
    if how_long:
        lines.append(f"How long: {HOW_LONG[how_long].lower()}")
    if where:
        lines.append(f"Where: {WHERE[where].kept}")
    if seen:
        lines.append("Has seen: " + ", ".join(each.kept for value, each in SEEN.items() if value in seen))
    return "\n".join(lines)
