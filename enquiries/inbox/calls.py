"""When to call a patient: their best times within the clinic's opening hours, and the next try after a failed call."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from enquiries.clock import at_words
from enquiries.models import DAY_PARTS, slot_bit
from enquiries.opening_hours import DAY, HORIZON, Hours, instant, local

# Local times that people mean by the words on the form. The clinic's hours say when it is open within them.
PARTS = [(time(8), time(12)), (time(12), time(17)), (time(17), time(19))]
REST = timedelta(hours=2)  # between two tries
LOOK_AHEAD = 14 * DAY  # the longest wait for a best time
# Gaps after the first, second and later calls that a person with a warning sign did not answer. With cauda equina syndrome and the
# like, hours matter (ledger, RF-E1), people often answer a few minutes later, and best times are for calls that can wait. Counted
# within FLAGGED_SPELL, so that the next morning starts with short gaps again.
FLAGGED_GAPS = [timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=30)]
FLAGGED_SPELL = timedelta(hours=8)
MIN_GAP = timedelta(minutes=5)

assert len(PARTS) == len(DAY_PARTS)  # noqa: S101 - two lists that are one table

NO_HOURS = "No opening hours are set, so there is no time to suggest."
STAYS_CLOSED = f"The clinic has no opening times in the next {HORIZON.days // 365} years."
NEVER_OPEN = "We are not open at any of their best times in the next two weeks."


def slot_at(at: datetime) -> int:
    """The bit of the part of the day that contains `at`, whether or not the clinic is open. 0 outside all of them.

    Weekends have bits too, which nobody can choose (`enquiry_call_slots_known`).
    """
    now = local(at)
    for part, (starts, ends) in enumerate(PARTS):
        if starts <= now.time() < ends:
            return slot_bit(now.weekday(), part)
    return 0


def open_slots(at: datetime, hours: Hours) -> int:
    """The bits of all parts of days in which the clinic opens within two weeks from `at`."""
    slots = 0
    for bit, _, _ in _open_parts(at, hours):
        slots |= bit
    return slots


def suits(slots: int, at: datetime, hours: Hours) -> bool:
    """Whether it is time to call them: the clinic is open, and it is one of their best times.

    Anyone who named no times, or only times at which the clinic does not open in the next two weeks, can be called
    whenever it is open.
    """
    return hours.is_open(at) and bool(not slots & open_slots(at, hours) or slots & slot_at(at))


def first_time(slots: int, at: datetime, hours: Hours) -> datetime | None:
    """The first suitable moment from `at` on. None if the clinic has no hours or is closed as far as its clock looks."""
    at = at.astimezone(UTC)
    for bit, starts, _ in _open_parts(at, hours):
        if slots & bit:
            best = max(starts, at)
            break
    else:
        best = None
    # The nearest opening time, if they named no best time or none is possible.
    return local(best) if best else hours.next_opening(at)


def next_try(slots: int, *, after: datetime, hours: Hours) -> datetime | None:
    """When to call again after a failed call: in their best time, but never within two hours. None as in first_time."""
    return first_time(slots, after.astimezone(UTC) + REST, hours)


def next_try_flagged(failed: int, *, after: datetime, hours: Hours) -> datetime:
    """When to call a person with a warning sign again: within minutes of the failed call, whatever their best times are.

    `failed` counts the calls of this spell, this one included. A try that would fall after closing time is made at closing time,
    while somebody is there; whoever calls while the clinic is closed is there too, and tries again in minutes.
    """
    again = after + FLAGGED_GAPS[min(max(failed, 1), len(FLAGGED_GAPS)) - 1]
    closing = hours.closing(after)
    return local(closing if closing and after + MIN_GAP <= closing < again else again)


def flagged_in_words(next_call_at: datetime | None, now: datetime) -> str:
    """For staff: when to call a person with a warning sign again."""
    if next_call_at is None or next_call_at <= now:
        return "Call now."
    return f"Try again at {at_words(next_call_at, now)}."


def never_open(slots: int, at: datetime, hours: Hours) -> bool:
    """Whether they named times but the clinic opens at none of them in the next two weeks."""
    return bool(slots) and not slots & open_slots(at, hours)


def advice_now(slots: int, at: datetime, hours: Hours) -> str:
    """For staff who are about to call: whether this is a good time and, if not, why."""
    opens = hours.next_opening(at)
    if opens is None:
        return NO_HOURS if not hours.openings else STAYS_CLOSED
    if not hours.is_open(at):
        return f"The clinic is closed now. It opens at {at_words(opens, at)}."
    if never_open(slots, at, hours):
        return f"{NEVER_OPEN} You can call them now."
    return "This is a good time to call." if suits(slots, at, hours) else "This is not one of their best times."


def next_in_words(slots: int, next_call_at: datetime | None, now: datetime, hours: Hours) -> str:
    """For staff: when to try again. If the clinic is now closed at that time, the first suitable one after it."""
    again = first_time(slots, max(next_call_at, now), hours) if next_call_at else None
    if again is None:
        return f"No call is planned. {NO_HOURS if not hours.openings else STAYS_CLOSED}"
    words = "Try again now" if again <= now else f"Try again at {at_words(again, now)}"
    if not slots:
        return f"{words}."
    if never_open(slots, again, hours):
        return f"{words}, when we next open. {NEVER_OPEN}"
    return f"{words} (one of their best times)."


def _open_parts(at: datetime, hours: Hours) -> Iterator[tuple[int, datetime, datetime]]:
    """The parts of days in which the clinic opens in two weeks from `at`, in order: bit, start and end in UTC.

    Those over by `at` are left out.
    """
    at = at.astimezone(UTC)
    first = local(at).date()
    for ahead in range(LOOK_AHEAD // DAY):
        day = first + ahead * DAY
        for session in hours.sessions(day):
            for part, (starts, ends) in enumerate(PARTS):
                begins = max(session.starts, instant(datetime.combine(day, starts)))
                until = min(session.ends, instant(datetime.combine(day, ends)))
                if begins < until and at < until:
                    yield slot_bit(day.weekday(), part), begins, until
