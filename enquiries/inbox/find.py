"""Finds the enquiries that staff look for in the inbox's search box.

Nothing is opened to look for it: names, addresses and numbers are found by `blind_index`. Only where no name fits and similar
ones are shown, the names of those few are opened, to leave out what only looks alike to a hash. Where half a domain is typed, the
newest addresses that begin like it are opened.

However much there is, a search reads at most the newest MAX_FOUND of each way to understand what was typed.
"""

import re
from calendar import month_name
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from rapidfuzz.distance import OSA

from backcare.core import blind_index, phones
from backcare.core.encryption import CannotDecrypt
from enquiries.models import Appointment, Enquiry, SearchToken
from enquiries.models.enquiry import REFERENCE_ALPHABET, as_reference
from factsheets.models import FactSheet

MAX_FOUND = 200  # enquiries for each way to understand what was typed
MAX_NEAR = 2_000  # for each word, before the words are combined
AT_ONCE = 500  # hashes in one query
MAX_TYPED, MAX_WORDS = 200, 6  # characters and words of a name that are searched for
SIMILAR = "~"  # typed before a name: include similar ones
HALF_REFERENCE = re.compile(rf"[{REFERENCE_ALPHABET}]{{4}}")
PASTED = re.compile(r"^(?:mailto:|tel:|.*<(?=[^<>\s]+@))\s*|>$", re.IGNORECASE)  # around an address or a number
NUMBER = re.compile(r"^([\d\s()+./-]*\d[\d\s()+./-]*)(?:(?:x|ext\.?)\s*\d+)?$", re.IGNORECASE)
DAYS = [
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"),
    re.compile(r"(?P<day>\d\d?)[/.](?P<month>\d\d?)(?:[/.](?P<year>\d{4}|\d\d))?"),
    re.compile(
        r"(?:[a-z]{3,9},? )?(?P<day>\d\d?)(?:st|nd|rd|th)? (?P<month>[a-z]{3,9})\.?(?:,? (?P<year>\d{4}))?",
        re.IGNORECASE,
    ),
]
MONTHS = [name.casefold() or "-" for name in month_name]  # by number, from 1
NAMED_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
PLACES = (0, 1, 2, 3, 5, 6, 7, 8)  # of a reference's letters, with a hyphen between
MAX_INITIALS = 3  # letters that may be initials without spaces
TOO_FAR = 99
MAX_SAME = 10
SAME_NAME_WITHIN = timedelta(days=90)  # of a closed enquiry
MIN_SHEET_WORD = 4  # letters of at least one word of a sheet's title

Pks = list[UUID]


@dataclass(frozen=True)
class Found:
    """`said` tells staff how the search was understood. `similar` is what to type to include similar names, if that may help.
    With `cut`, there are more than are shown."""

    pks: Pks
    said: str = ""
    similar: str = ""
    cut: bool = False


def find(typed: str, *, today: date | None = None) -> Found:
    """Finds enquiries by reference, email address or part of it, phone number or its end, day, fact sheet, or parts of a name."""
    typed = " ".join(typed.split())[:MAX_TYPED]
    similar = typed.startswith(SIMILAR)
    typed = PASTED.sub("", typed.removeprefix(SIMILAR)).strip()
    if not typed:
        return Found([])
    if not similar:
        # A name of eight letters may also be a reference, and so on, so if one way finds nothing, the next is tried.
        for way in (_by_reference, _by_day, _by_number, _by_address, _by_words, _by_misheard_reference):
            if found := way(typed, today or timezone.localdate()):
                return found
    return _by_similar_words(typed) or Found([], said=_no_such_day(typed, today or timezone.localdate()))


def _found(pks: Iterable[UUID], said: str, **more: Any) -> Found | None:
    pks = list(dict.fromkeys(pks))
    return Found(pks, said, cut=len(pks) >= MAX_FOUND, **more) if pks else None


def _by_reference(typed: str, today: date) -> Found | None:
    if not (reference := as_reference(typed)):
        return None
    return _found(Enquiry.objects.filter(reference=reference).values_list("pk", flat=True), "")


def _by_misheard_reference(typed: str, today: date) -> Found | None:
    """References with one wrong letter or two swapped, or with only half of it."""
    if reference := as_reference(typed):
        able = {f"{reference[:at]}{each}{reference[at + 1 :]}" for at in PLACES for each in REFERENCE_ALPHABET}
        bare = reference.replace("-", "")
        swapped = (f"{bare[:at]}{bare[at + 1]}{bare[at]}{bare[at + 2 :]}" for at in range(len(bare) - 1))
        meant = Q(reference__in=[*able, *map(as_reference, swapped)])
    elif HALF_REFERENCE.fullmatch(typed.upper()):
        meant = Q(reference__startswith=typed.upper()) | Q(reference__endswith=typed.upper())
    else:
        return None
    like = Enquiry.objects.filter(meant).order_by("-created_at").values_list("pk", flat=True)
    return _found(like[:MAX_FOUND], "No enquiry has exactly this reference. Similar ones:")


def _by_day(typed: str, today: date) -> Found | None:
    """Enquiries received on that day or with an appointment on it."""
    if (day := day_of(typed, today)) is None:
        return None
    start = timezone.make_aware(datetime.combine(day, time.min))
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    came = Enquiry.objects.filter(created_at__gte=start, created_at__lt=end).order_by("-created_at")
    booked = Appointment.objects.filter(state="booked", starts_at__gte=start, starts_at__lt=end).order_by("starts_at")
    pks = [*came.values_list("pk", flat=True)[:MAX_FOUND], *booked.values_list("enquiry_id", flat=True)[:MAX_FOUND]]
    return _found(pks, f"Received, or with an appointment, on {_in_words(day)}.")


def day_of(typed: str, today: date) -> date | None:
    """The day that was typed, in British order. Without a year, the nearest to today."""
    if (days := NAMED_DAYS.get(typed.casefold())) is not None:
        return today + timedelta(days=days)
    found = next(filter(None, (form.fullmatch(typed) for form in DAYS)), None)
    if found is None or not (month := _month(found["month"])):
        return None
    year = found["year"]
    years = [int(year) + (2000 if len(year) == 2 else 0)] if year else [today.year - 1, today.year, today.year + 1]
    able = []
    for each in years:
        if not 1900 <= each < 2100:
            continue
        with suppress(ValueError):  # no such day
            able.append(date(each, month, int(found["day"])))
    return min(able, key=lambda each: abs(each - today)) if able else None


def _no_such_day(typed: str, today: date) -> str:
    day = day_of(typed, today)
    return (
        f"Nothing received, and no appointment, on {_in_words(day)}. We do not ask for dates of birth." if day else ""
    )


def _in_words(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _month(typed: str) -> int:
    """The number of the month, or 0 if it is not one."""
    if typed.isdigit():
        return int(typed)
    return next((number for number, name in enumerate(MONTHS) if name.startswith(typed.casefold())), 0)


def _by_number(typed: str, today: date) -> Found | None:
    number = NUMBER.match(typed)
    if not number:
        return None
    said = "With this phone number."
    whole = Enquiry.objects.filter(phone_key__in=blind_index.phone_keys(phones.e164(typed)))
    if found := _found(whole.order_by("-created_at").values_list("pk", flat=True)[:MAX_FOUND], said):
        return found
    return _found(_newest(blind_index.digits(number[1])), "With a phone number that ends like this.")


def _by_address(typed: str, today: date) -> Found | None:
    """By a whole address, or by either side of the @; without one, by the start of an address or by a domain."""
    if " " in typed or not ("@" in typed or "." in typed):
        return None
    whole = Enquiry.objects.filter(email_key__in=blind_index.email_keys(typed))
    if found := _found(
        whole.order_by("-created_at").values_list("pk", flat=True)[:MAX_FOUND], "With this email address."
    ):
        return found
    local, at, host = typed.casefold().rpartition("@")
    if not at:
        pks = [*_newest(blind_index.mailbox_begins(typed)), *_newest(blind_index.domain(typed))]
        return _found(pks, "With an email address like this.")
    sides = [blind_index.mailbox_begins(local) if local else [], blind_index.domain(host) if host else []]
    sides = [side for side in sides if side]
    said = "With an email address like this."
    return _found(_newest(*sides), said) or _found(_half_typed(local, host), said) if sides else None


def _half_typed(local: str, host: str) -> Pks:
    """For farthing@ex: no hash covers the start of a domain, so it decrypts the newest addresses whose first part fits."""
    able = _newest(blind_index.mailbox_begins(local)) if host else []
    rows = Enquiry.objects.filter(pk__in=able).only("email")
    fitting = {each.pk for each in rows if _fits(each, local, host)}
    return [pk for pk in able if pk in fitting]


def _fits(enquiry: Enquiry, local: str, host: str) -> bool:
    try:
        mailbox, _, domain = enquiry.email.casefold().rpartition("@")
    except CannotDecrypt:
        return False
    return mailbox.startswith(local) and domain.startswith(host)


def _by_words(typed: str, today: date) -> Found | None:
    words = blind_index.words_of(typed)[:MAX_WORDS]
    if not words:
        return None
    pks = [*_by_name(words), *_by_sheet(words)]
    if len(words) == 1:
        pks += _newest(blind_index.mailbox_begins(typed))
    return _found(pks, "", similar=_similar(words))


def _by_similar_words(typed: str) -> Found | None:
    words = blind_index.words_of(typed)[:MAX_WORDS]
    pks = _by_similar_name([word for word in words if not _is_initial(word)] or words)
    return _found(pks, f"Names similar to “{' '.join(words)}”.")


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isascii()


def _similar(words: list[str]) -> str:
    """What to type to include similar names. Empty if no letter may be wrong."""
    return f"{SIMILAR}{' '.join(words)}" if any(blind_index.allowed_edits(word) for word in words) else ""


def _by_name(words: list[str]) -> Pks:
    """Names with a word that begins or sounds like each word typed; or initials, with or without a word."""
    whole = [word for word in words if not _is_initial(word)]
    alone = [word for word in words if _is_initial(word)]
    if not whole:
        return _newest(blind_index.initials("".join(alone)))
    needed = [blind_index.begins_or_sounds(word) for word in sorted(whole, key=len, reverse=True)]
    pks: Pks = []
    if alone:
        pks = _newest(
            *needed, *([key for word in whole for key in blind_index.initial_and_word(i, word)] for i in alone)
        )
    pks = pks or _newest(*needed)  # the name they gave may lack the initial
    if len(words) == 1 and len(words[0]) <= MAX_INITIALS:
        pks = [*pks, *_newest(blind_index.initials(words[0]))]
    return pks


def _by_similar_name(words: list[str]) -> Pks:
    """Nearest first. Some letters may be wrong, in the whole text and in each word."""
    within: set[UUID] | None = None
    newest: dict[UUID, int] = {}
    for word in words:
        found = _rows(blind_index.begins_or_sounds(word)) | _rows(blind_index.nearly(word))
        newest |= found
        within = set(found) if within is None else within & set(found)
    able = sorted(within or (), key=newest.__getitem__, reverse=True)[:MAX_FOUND]
    near = {each.pk: far for each in Enquiry.objects.filter(pk__in=able) if (far := _distance(each, words)) is not None}
    return sorted(near, key=lambda pk: (near[pk], -newest[pk]))


def _distance(enquiry: Enquiry, words: list[str]) -> int | None:
    """How many letters are wrong in all. Sounding alike counts as one. None if a word is like no word of the name."""
    try:
        named = [word for name in (enquiry.name, enquiry.for_name) for word in blind_index.words_of(name)]
    except CannotDecrypt:
        return None
    far = [min((_between(word, each) for each in named), default=TOO_FAR) for word in words]
    return sum(far) if max(far) < TOO_FAR else None


def _between(typed: str, word: str) -> int:
    if word.startswith(typed):
        return 0
    far = OSA.distance(typed, word)
    if far <= blind_index.allowed_edits(typed):
        return int(far)
    return 1 if blind_index.sound_alike(typed, word) else TOO_FAR


def _by_sheet(words: list[str]) -> Pks:
    """The newest about a fact sheet whose title has every word typed."""
    if max(map(len, words)) < MIN_SHEET_WORD:
        return []
    pks: Pks = []
    for key, title in FactSheet.objects.values_list("pk", "title"):
        in_title = blind_index.words_of(title)
        if all(any(each.startswith(word) for each in in_title) for word in words):
            about = Enquiry.objects.filter(sheet=key).order_by("-created_at")
            pks += about.values_list("pk", flat=True)[:MAX_FOUND]
    return pks


def same_person(name: str, *, email: str = "", phone: str = "") -> list[Enquiry]:
    """Recent enquiries that may be from the same person: the same address, number or name in any spelling. Newest first."""
    words = [word for word in blind_index.words_of(name[:MAX_TYPED])[:MAX_WORDS] if not _is_initial(word)]
    named = _newest(*(blind_index.begins_or_sounds(word) for word in words)) if len(words) > 1 else []
    lately = Q(live=True) | Q(created_at__gte=timezone.now() - SAME_NAME_WITHIN)
    same = Q(email_key__in=blind_index.email_keys(email)) | Q(phone_key__in=blind_index.phone_keys(phones.e164(phone)))
    found = Enquiry.objects.filter(same | (lately & Q(pk__in=named)), erased_at=None)
    return list(found.order_by("-created_at")[:MAX_SAME])


# --- rows ---


def _newest(first: list[int], *others: list[int]) -> Pks:
    """The newest that have one of each of these hashes. One query for each of the first: each is read from the end of its
    part of the index, so that it costs the same however many have it."""
    newest: dict[UUID, int] = {}
    for key in first:
        rows = SearchToken.objects.filter(key=key)
        for keys in others:
            rows = rows.filter(Exists(SearchToken.objects.filter(enquiry=OuterRef("enquiry"), key__in=keys)))
        newest |= dict(rows.order_by("-pk").values_list("enquiry", "pk")[:MAX_FOUND])
    return sorted(newest, key=newest.__getitem__, reverse=True)[:MAX_FOUND]


def _rows(keys: list[int]) -> dict[UUID, int]:
    """Up to MAX_NEAR enquiries that have one of very many hashes, with their ages."""
    found: dict[UUID, int] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = SearchToken.objects.filter(key__in=keys[start : start + AT_ONCE]).order_by("-pk")
        found |= dict(rows.values_list("enquiry", "pk")[:MAX_NEAR])
    return found
