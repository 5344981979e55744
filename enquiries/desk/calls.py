"""When a patient can be called: their best times, and the next try after one that failed."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from enquiries.models import DAY_PARTS, slot_bit

# Local time: what the words on the form mean to the clinic.
PARTS = [(time(9), time(12)), (time(12), time(17)), (time(17), time(19))]
REST = timedelta(hours=2)  # between two tries
LOOK_AHEAD = 14  # days

assert len(PARTS) == len(DAY_PARTS)  # noqa: S101 - two lists that are one table


def slot_at(at: datetime) -> int:
    """The bit of the part of the day that `at` falls into. 0 outside all of them."""
    local = timezone.localtime(at)
    if local.weekday() > 4:
        return 0
    for part, (starts, ends) in enumerate(PARTS):
        if starts <= local.time() < ends:
            return slot_bit(local.weekday(), part)
    return 0


def suits(slots: int, at: datetime) -> bool:
    """Whether they can be called now. Who named no times can be called at any time of a working day."""
    now = slot_at(at)
    return bool(now and (not slots or slots & now))


def next_try(slots: int, *, after: datetime) -> datetime:
    """The start of their next best time, or two hours on inside it: never the same hour twice."""
    earliest = after + REST
    if suits(slots, earliest):
        return earliest
    day = timezone.localtime(earliest)
    for ahead in range(LOOK_AHEAD):
        for part, (starts, _) in enumerate(PARTS):
            candidate = timezone.make_aware(datetime.combine((day + timedelta(days=ahead)).date(), starts))
            wanted = candidate.weekday() < 5 and (not slots or slots & slot_bit(candidate.weekday(), part))
            if wanted and candidate >= earliest:
                return candidate
    raise AssertionError("There is a working day in every fortnight.")
