"""What a patient can choose in a consultation request: as the form asks it, and as the enquiry says it to staff."""

from enquiries.models import DAY_PARTS, WEEKDAYS, Agreement, slot_bit

CONTACT = {"phone": "Phone", "video": "Video call", "email": "Email"}
YES_NO = {"yes": "Yes", "no": "No"}

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
WHERE_THEIRS = {"back": "In their back only", "leg": "In their back and down their leg, or only in their leg"}
WHERE_KEPT = {"back": "back only", "leg": "into the leg"}
SEEN = {"gp": "A GP", "physio": "A physiotherapist", "other": "Someone else", "nobody": "Nobody yet"}
SEEN_KEPT = {"gp": "a GP", "physio": "a physiotherapist", "other": "somebody else", "nobody": "nobody yet"}


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
