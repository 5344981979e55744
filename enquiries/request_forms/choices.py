"""What a patient can choose in a consultation request: as the form asks it, and as the enquiry says it to staff."""

from enquiries.models import DAY_PARTS, WEEKDAYS, Agreement, slot_bit

CONTACT = {"phone": "Phone", "video": "Video call", "email": "Email"}
YES_NO = {"yes": "Yes", "no": "No"}

# Value "day-part", as the enquiry counts them.
TIMES = {
    f"{weekday}-{part}": f"{day} {name}" for weekday, day in enumerate(WEEKDAYS) for part, name in enumerate(DAY_PARTS)
}

INTERPRETER, RELAY = "interpreter", "relay"
NEEDS = {
    "bsl": "A British Sign Language (BSL) interpreter",
    RELAY: "Calls through text relay",
    "large_print": "Letters and emails in large print",
    "helper": "Someone who helps me will join us",
    INTERPRETER: "An interpreter for another language",
}
# How the enquiry names them, on one line beside each other.
NEEDS_KEPT = {
    "bsl": "BSL interpreter",
    RELAY: "text relay",
    "large_print": "large print",
    "helper": "somebody who helps them takes part",
    INTERPRETER: "interpreter",
}

# Who it is for. No answer is "me".
ME, SOMEONE_ELSE = "me", "other"
FOR_WHOM = {ME: "Me", SOMEONE_ELSE: "Someone else"}
UNDER_18 = "under_18"
RELATIONS = {
    "parent": "My mother or father",
    "partner": "My husband, wife or partner",
    "family": "Another adult in my family",
    UNDER_18: "A child or young person under 18",
    "other": "Someone else, such as a friend or a person I care for",
}
# As staff read them after that person's name.
RELATIONS_KEPT = {
    "parent": "their mother or father",
    "partner": "their husband, wife or partner",
    "family": "an adult in their family",
    UNDER_18: "a child or young person under 18",
    "other": "somebody else they know",
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
WHERE = {"back": "In my back only", "leg": "In my back and down my leg, or only in my leg"}
WHERE_KEPT = {"back": "back only", "leg": "into the leg"}
SEEN = {"gp": "A GP", "physio": "A physiotherapist", "other": "Someone else", "nobody": "Nobody yet"}
SEEN_KEPT = {"gp": "a GP", "physio": "a physiotherapist", "other": "somebody else", "nobody": "nobody yet"}


def call_slots(times: list[str]) -> int:
    """The chosen times as the set of bits that an enquiry keeps. None chosen is 0: any time."""
    slots = 0
    for each in times:
        weekday, part = each.split("-")
        slots |= slot_bit(int(weekday), int(part))
    return slots


def times_in_words(times: list[str]) -> list[str]:
    """One line a weekday: Monday: morning, afternoon."""
    lines = []
    for weekday, day in enumerate(WEEKDAYS):
        parts = [name for part, name in enumerate(DAY_PARTS) if f"{weekday}-{part}" in times]
        if parts:
            lines.append(f"{day}: {', '.join(parts)}")
    return lines


def needs_in_words(needs: list[str], language: str, note: str) -> str:
    """What helps to talk with them, as the enquiry keeps it. Empty when there is nothing."""
    named = [NEEDS_KEPT[each] for each in NEEDS_KEPT if each in needs]
    if language:
        named = [f"{each} ({language})" if each == NEEDS_KEPT[INTERPRETER] else each for each in named]
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
        lines.append(f"Where: {WHERE_KEPT[where]}")
    if seen:
        lines.append("Has seen: " + ", ".join(SEEN_KEPT[each] for each in SEEN if each in seen))
    return "\n".join(lines)
