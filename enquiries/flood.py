"""Groups a flood of similar forms with a warning sign into one row of the safety queue, so that it hides no one.

Such forms are exempt from limits, because one of them may be an emergency. So the further ones of one sender (an IPv6 network of 64
bits; those of 56 and 48 bits around it have larger allowances), of one mailbox, or of one wording fold: beyond
MAX_FLAGGED_ALIKE_PER_HOUR within an hour they share one row, below people who wait for a first contact, and the clinic's alarm
sounds once for all of them. Nothing is dropped: the row opens to the list, and each can be called like any other. Those that came
before the fold keep their own rows; a form unlike all others is above them.

For this each enquiry with a sign leaves marks for an hour: keyed hashes of the sender, the mailbox and the wording, never an
address and never a word. Two texts of mostly the same words share at least one of the four marks of their wording, whatever their
order and whatever numbers are in them (MinHash: Broder AZ. On the resemblance and containment of documents. 1997, doi
10.1109/SEQUEN.1997.666900).
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from backcare.core.encryption import keyed_hash
from enquiries.models import Enquiry, FloodMark
from enquiries.models.enquiry import FLAGGED

WITHIN = timedelta(hours=1)
# Of the wording: four marks, each of the least of three permutations. Texts that share 80 % of their words share a mark in 94 of
# 100 cases, those that share 30 % in 10, and those that share 20 % in 3.
BANDS, ROWS = 4, 3
BYTES = 4  # of each permutation's number
MIN_WORD_LENGTH = 3  # letters


@dataclass(frozen=True)
class Fold:
    """The fold to which one enquiry too many belongs. `first` is the enquiry that stands for it; None for a new fold."""

    first: UUID | None
    joining: list[str]  # the marks by which enquiries are part of it that are not known as such yet


def marks(places: list[tuple[str, str, int]], *, mailbox: str, texts: list[str]) -> dict[str, int]:
    """The marks of a form, and how many times the allowance of a sender each has. `places` are those of abuse.Standing. `mailbox`
    is empty where no address was given: those have nothing in common."""
    found = {keyed_hash(name, subject, purpose="flood"): times for name, subject, times in places}
    if mailbox:
        found[keyed_hash("mailbox", mailbox, purpose="flood")] = 1
    return found | dict.fromkeys(_of_wording(texts), 1)


def fold_of(marked: dict[str, int]) -> Fold | None:
    """The fold for a form with these marks, or None if it has its own row. One query."""
    counts, first, alone = dict.fromkeys(marked, 0), {}, set()
    now = timezone.now()
    lately = FloodMark.objects.filter(key__in=marked, until__gt=now)
    for key, flood, number in lately.values_list("key", "enquiry__flood").annotate(Count("pk")).order_by("key"):
        counts[key] += number
        if flood:
            first[key] = flood
        else:
            alone.add(key)
    alike = [key for key, number in counts.items() if number >= settings.MAX_FLAGGED_ALIKE_PER_HOUR * marked[key]]
    if not alike:
        return None
    known = next((first[key] for key in alike if key in first), None)
    return Fold(known, [key for key in alike if key in alone])


def is_known_to_staff(fold: Fold) -> bool:
    """Whether another in the fold still has an open warning sign, which means that the clinic was told."""
    return bool(fold.first) and Enquiry.objects.filter(FLAGGED, flood=fold.first, folded=True).exists()


def leave_marks(enquiry: Enquiry, marked: dict[str, int], fold: Fold | None) -> None:
    """Remembers the marks for an hour. Similar enquiries that came before the fold become part of it."""
    until = timezone.now() + WITHIN
    FloodMark.objects.bulk_create(FloodMark(enquiry=enquiry, key=key, until=until) for key in marked)
    if fold and fold.joining:
        like_it = FloodMark.objects.filter(key__in=fold.joining, until__gt=timezone.now()).values("enquiry")
        Enquiry.objects.filter(pk__in=like_it, flood=None).update(flood=enquiry.flood_id)


def _of_wording(texts: list[str]) -> list[str]:
    """Empty for a text without words."""
    secret = bytes.fromhex(keyed_hash("words", purpose="flood"))
    words = {word for text in texts for word in _words(text)}
    if not words:
        return []
    digests = [hashlib.blake2b(word.encode(), key=secret, digest_size=BYTES * BANDS * ROWS).digest() for word in words]
    least = [min(each[at : at + BYTES] for each in digests) for at in range(0, BYTES * BANDS * ROWS, BYTES)]
    bands = [b"".join(least[ROWS * band : ROWS * (band + 1)]).hex() for band in range(BANDS)]
    return [keyed_hash("wording", str(number), band, purpose="flood") for number, band in enumerate(bands)]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(each if each.isalpha() else "" if unicodedata.combining(each) else " " for each in plain)
    return [word for word in letters.split() if len(word) >= MIN_WORD_LENGTH]
