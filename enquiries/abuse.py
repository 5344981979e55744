"""Limits that stop our forms from filling a stranger's mailbox, the clinic's inbox or the disk.

Each form counts towards its sender, the mailbox it names and the total; `backcare/core/limits.py` counts under keyed hashes and
keeps no address. An IPv6 network of 64 bits is one sender; the networks of 56 and 48 bits around it have larger
allowances. Over a limit:

- A report is not emailed. Beyond what one sender, or all together, may ask for, it is refused: the page gives the sheet and says
  when to try again. If only its mailbox has had enough, it is set aside: its page says that no email will come, and gives the sheet
  and the private link at once. That page is the same for a mailbox that has had its emails for today, for one that asked us to stop
  and for a filled-in trap, so nobody learns which.
- A consultation or a question is kept. Beyond what one sender may send, it is set aside as spam. Beyond what all together may send,
  it is held in its own queue until staff release it; a third of the total is reserved for senders who have sent nothing within
  the hour. Either way its page promises no reply and says why. If only its mailbox has had enough, it keeps its place and its
  promise, and its page says that no email will come.
- Any form with a warning sign, even a report, is kept, and neither set aside nor held back. It alerts the clinic; similar ones
  share a row and one alert (`enquiries/flood.py`).
- Nothing is written (`TooMany`) beyond a hard stop per sender, or if a sender is not new while much is already set aside or the
  disk is nearly full. The page gives back what was typed, and says to phone.

Each mailbox's count is checked again when an email is sent. The numbers are settings: three sheets a day are more than a reader
asks for, ten forms an hour more than a household sends, and 200 an hour more than one clinic can answer in a day.
"""

import ipaddress
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.encoding import punycode

from backcare.core import disk_space, limits
from backcare.core.encryption import CannotDecrypt, keyed_hash, keyed_hashes
from enquiries import flood
from enquiries.models import Enquiry, EnquiryKind, OutgoingMessage, Purpose, Status, StoppedAddress

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERYBODY = "everybody"
TOTAL = ("forms: total", EVERYBODY, HOUR)
# Forms from one sender within an hour after which one sent in no time at all must be a script's. A filled-in trap alone proves
# nothing, because browsers fill it in as well; with it, one form before is enough.
FEW, FEW_WITH_TRAP = 2, 1
# The networks around an IPv6 sender, with their allowance as a multiple of one sender's.
NETWORKS = {56: 4, 48: 16}
SHARE_OF_NEW = 3  # this fraction of the total is reserved for senders who have sent nothing within the hour
FLAGGED_BEFORE_REFUSAL = 5  # this many times more forms with a warning sign are accepted before the hard stop
DISK_WAIT = 60 * 60  # seconds, because somebody has to free some space

TRAP = "A hidden field was filled in"
ONE_PLACE = "Many forms from one sender within an hour"
IN_TOTAL = "Too many forms in total within an hour"
NO_TIME = "One of several from one sender, sent too fast for a person"
HAD_TODAY = "This address has reached its daily limit of emails"
STOPPED = "This address asked us to stop sending emails"
# Shown beside an email that has to wait until another day.
HELD_BACK = "this address has reached its daily limit of emails"

SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("protonmail.com", "protonmail.ch", "pm.me"), "proton.me"),
}
# What can be left out of or added to an address without changing whose mailbox it is.
NOT_READ = {"gmail.com": ".", "proton.me": ".-_"}


class TooMany(Exception):
    """Nothing was saved. `wait` is in seconds; the text is for the patient."""

    def __init__(self, wait: int, *, kind: str = EnquiryKind.REPORT, in_total: bool = False, no_room: bool = False):
        self.wait, self.in_total = wait, in_total
        if in_total:
            many = "We are very busy"
        elif no_room:
            many = "We cannot save what you sent"
        elif kind == EnquiryKind.REPORT:
            many = "We had a lot of requests for fact sheets from your internet connection"
        else:
            many = "We had a lot of forms from your internet connection"
        super().__init__(f"{many} just now. You can try again {limits.in_words(wait)}.")


@dataclass(frozen=True)
class AbuseDecision:
    """What happens to a form that is accepted. Both reasons are in words for staff, and empty if there is none.

    `aside`: why it is set aside without a promised reply, as spam or, with `held`, in the queue for a flood. `silent`:
    why its sender gets no email. A form set aside is also silent. `likelihood` orders what is held back: higher first. `marks`
    and `fold` are those of a form with a warning sign (enquiries/flood.py). Without `alarm` the clinic gets no alert for it, as one
    like it has already alerted it. `counts` are the limits that it uses up, for `count`.
    """

    aside: str = ""
    silent: str = ""
    held: bool = False
    likelihood: int = 0
    marks: dict[str, int] = field(default_factory=dict)
    fold: flood.Fold | None = None
    alarm: bool = True
    counts: tuple[tuple[str, str, timedelta], ...] = ()

    @property
    def is_usual(self) -> bool:
        """Whether nothing but its mailbox is against it, so that it takes as long for every address."""
        return {self.aside, self.silent} <= {"", STOPPED, HAD_TODAY} and not (self.held or self.marks or self.fold)

    @property
    def status(self) -> str:
        return Status.HELD if self.held else Status.SPAM if self.aside else Status.NEW


@dataclass(frozen=True)
class Standing:
    """What a sender, the networks around it and everybody sent within the hour, and how often a mailbox was named today."""

    sender: str
    places: list[tuple[str, str, int]]  # a limit's name, its subject, how many allowances it has
    counts: list[int]  # of each place
    total: int  # forms that were neither set aside nor held back
    mailbox: tuple[str, str, timedelta]  # the limit's name, its subject, and within how long
    named: int  # how often

    def is_over(self, most: int) -> bool:
        return any(
            count >= most * allowances for count, (_, _, allowances) in zip(self.counts, self.places, strict=True)
        )

    @property
    def is_new(self) -> bool:
        return not self.is_over(1)

    @property
    def room(self) -> bool:
        """Whether the total leaves room for this sender."""
        most = settings.MAX_FORMS_PER_HOUR
        return self.total < (most if self.is_new else most - most // SHARE_OF_NEW)

    @property
    def mailbox_had_enough(self) -> bool:
        return self.named >= settings.MAX_MAILS_PER_ADDRESS_PER_DAY

    def uses(self, *, mailbox: bool = False, in_total: bool = False) -> tuple[tuple[str, str, timedelta], ...]:
        """The limits that a form of this sender uses up."""
        around = [(name, subject, HOUR) for name, subject, _ in self.places]
        return (*around, *([self.mailbox] if mailbox else []), *([TOTAL] if in_total else []))

    def wait(self) -> int:
        """Seconds until the sender may send again."""
        return _look("sender", self.sender).wait or 60


def mailbox(address: str) -> str:
    """The same text for every way to write a mailbox: case, full-width letters, another script, dots that do not count.

    "+" is treated as a tag everywhere: where it is not, two people share one count of emails, and none is misdirected.
    """
    local, _, domain = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    domain = domain.rstrip(".")
    with suppress(UnicodeError):  # no form accepts such a domain
        domain = punycode(domain)
    domain = SAME_MAILBOX.get(domain, domain)
    name = local.partition("+")[0] or local
    for each in NOT_READ.get(domain, ""):
        name = name.replace(each, "") or name
    return f"{name}@{domain}"


# --- when a form comes ---


def standing(sender: str, kind: str, email: str, *, in_turn: bool = True) -> Standing:
    """Reads everything that the decision needs, in one query. Must be inside the transaction that saves the form.

    `in_turn`: nobody else counts a form until that transaction ends."""
    if in_turn:
        limits.one_at_a_time([TOTAL[:2]])
    places = _places(sender)
    named = (f"forms: {_mailbox_limit(kind)}", mailbox(email), DAY)
    around = [(name, subject, HOUR) for name, subject, _ in places]
    *counts, total, times = limits.tallies([*around, TOTAL, named])
    return Standing(sender, places, counts, total, named, times)


def _places(sender: str) -> list[tuple[str, str, int]]:
    places = [("forms: sender", sender, 1)]
    if ":" in sender:
        around = [(ipaddress.ip_network(sender).supernet(new_prefix=bits), times) for bits, times in NETWORKS.items()]
        places += [(f"forms: network of {each.prefixlen}", str(each), times) for each, times in around]
    return places


def refuse_if_too_many(seen: Standing) -> None:
    """Called before a report's form is validated. Raises TooMany. Counts nothing."""
    if seen.is_over(settings.MAX_FORMS_PER_SENDER_PER_HOUR):
        raise TooMany(seen.wait())
    if not seen.room:
        raise TooMany(_look("total", EVERYBODY).wait or 60, in_total=True)


def decide(
    kind: str,
    *,
    seen: Standing | None,
    email: str,
    texts: list[str],
    caught: str = "",
    trap: bool = False,
    in_no_time: bool = False,
    flagged: bool = False,
    stopped: bool | None = None,
) -> AbuseDecision:
    """What happens to a form that is about to be saved. Whoever saves it calls `count` in the same transaction, so that both
    happen or neither.

    Without `seen` no stranger sent it, and nothing is counted. `caught` is why it is set aside anyway. It counts for its sender
    alone then, and nobody can use up what belongs to others. `flagged`: it has a warning sign, so it is kept and not set aside,
    whatever else is true. Beyond the limits no mail goes to its address, and `texts`, what was typed, tell whether it is one of
    many alike. `stopped`: whether that address asked us to stop, if it was looked up already. Raises TooMany for what must not
    be written, and for a report without a sign. The forms in which people ask for help are set aside in its place.
    """
    if seen is None:
        return _without_mail(caught, flagged=flagged) if caught else AbuseDecision()
    marks, fold = {}, None
    if flagged:
        marks = flood.marks(seen.places, mailbox=mailbox(email) if email else "", texts=texts)
        if fold := flood.fold_of(marks):
            refuse_on_full_disk(kind, seen)
    decision = _weigh(
        kind, seen, email, caught=caught, trap=trap, in_no_time=in_no_time, flagged=flagged, stopped=stopped
    )
    # There is one alarm for a fold, and another if a form comes after staff have dealt with all of it.
    alarm = not fold or not flood.is_known_to_staff(fold)
    return replace(decision, marks=marks, fold=fold, alarm=alarm)


def count(decision: AbuseDecision) -> None:
    """Counts a form that is saved in this transaction."""
    limits.add(decision.counts)
    if decision.silent == IN_TOTAL:
        sound_alarm()


def _weigh(
    kind: str,
    seen: Standing,
    email: str,
    *,
    caught: str,
    trap: bool,
    in_no_time: bool,
    flagged: bool,
    stopped: bool | None,
) -> AbuseDecision:
    _refuse_what_fills_the_disk(kind, seen, flagged=flagged)
    over = seen.is_over(settings.MAX_FORMS_PER_SENDER_PER_HOUR)
    if over and kind == EnquiryKind.REPORT and not flagged:
        raise TooMany(seen.wait())
    hasty = in_no_time and seen.counts[0] >= (FEW_WITH_TRAP if trap else FEW)
    reason = caught or (ONE_PLACE if over else "") or (NO_TIME if hasty else "")
    if reason:
        _refuse_beyond_budget(kind, seen, flagged=flagged)
        return _without_mail(reason, seen.uses(), flagged=flagged)
    # Looks up both, whatever the first says, so that the response takes equally long for every address.
    stopped = is_stopped(email) if stopped is None else stopped
    had_today = bool(email) and seen.mailbox_had_enough
    silent = (STOPPED if stopped else "") or (HAD_TODAY if had_today else "")
    to_count = bool(email) and not had_today  # people who want a phone call may give none
    if silent and kind == EnquiryKind.REPORT:
        return _without_mail(silent, seen.uses(mailbox=to_count), flagged=flagged)
    if seen.room:
        return AbuseDecision(silent=silent, counts=seen.uses(mailbox=to_count, in_total=True))
    if kind == EnquiryKind.REPORT and not flagged:
        raise TooMany(_look("total", EVERYBODY).wait or 60, in_total=True)
    _refuse_beyond_budget(kind, seen, flagged=flagged)
    counts = seen.uses(mailbox=to_count)
    if flagged:
        return _without_mail(IN_TOTAL, counts, flagged=True)
    # A script comes from the same place again and does not read the check page. Neither alone proves anything.
    likelihood = 2 * seen.is_new + (not in_no_time)
    # The reason is that the mailbox has had enough, so it gets no acknowledgement even when staff release it.
    return AbuseDecision(aside=silent or IN_TOTAL, silent=IN_TOTAL, held=True, likelihood=likelihood, counts=counts)


def refuse_on_full_disk(kind: str, seen: Standing) -> None:
    """While the disk is nearly full, only a sender's first form is saved. Raises TooMany."""
    if not seen.is_new and disk_space.is_low():
        raise TooMany(DISK_WAIT, kind=kind, no_room=True)


def _refuse_what_fills_the_disk(kind: str, seen: Standing, *, flagged: bool) -> None:
    most = settings.MAX_FORMS_PER_SENDER_BEFORE_REFUSAL * (FLAGGED_BEFORE_REFUSAL if flagged else 1)
    if seen.is_over(most):
        raise TooMany(seen.wait(), kind=kind)
    if not flagged:  # those are refused only if many are alike (`intake`)
        refuse_on_full_disk(kind, seen)


def _refuse_beyond_budget(kind: str, seen: Standing, *, flagged: bool) -> None:
    if flagged or seen.is_new:
        return
    waiting = Enquiry.objects.filter(status__in=[Status.SPAM, Status.HELD], erased_at=None)
    if waiting[: settings.MAX_SET_ASIDE].count() >= settings.MAX_SET_ASIDE:
        raise TooMany(seen.wait(), kind=kind)


def _without_mail(reason: str, counts: tuple[tuple[str, str, timedelta], ...] = (), *, flagged: bool) -> AbuseDecision:
    return AbuseDecision(aside="" if flagged else reason, silent=reason, counts=counts)


# --- when a mail leaves ---


def waits_before_mailing(messages: list[OutgoingMessage]) -> dict[UUID, int]:
    """For each report, by key: the seconds to hold it, because its mailbox has had its daily number of emails. 0: it may go, and
    it is counted. Of other mails it says nothing.

    Must be inside the transaction that claims the mails. Each mail counts once, however often it is tried.
    """
    boxes = {}
    for message in messages:
        if message.purpose != Purpose.REPORT or message.attempts or message.enquiry is None:
            continue
        with suppress(CannotDecrypt):  # it will not be sent, and the worker records why
            if email := message.enquiry.email:
                boxes[message.pk] = mailbox(email)
    most, per = _limit("report mailed")
    verdicts = limits.hit_apart([("forms: report mailed", box, most, per) for box in boxes.values()])
    return {key: verdict.wait for key, verdict in zip(boxes, verdicts, strict=True)}


# --- addresses that asked us to stop ---


def stop_key(email: str) -> str:
    return keyed_hash(mailbox(email), purpose="stopped")


def stop_keys(email: str) -> list[str]:
    """What `stop_key` returns under each of our keys."""
    return keyed_hashes(mailbox(email), purpose="stopped")


def is_stopped(email: str) -> bool:
    return _stopped(email).exists()


def stopped(email: str) -> StoppedAddress | None:
    return _stopped(email).first()


def _stopped(email: str) -> QuerySet[StoppedAddress]:
    return StoppedAddress.objects.filter(key__in=stop_keys(email), until__gt=timezone.now())


# --- the alarm ---


def sound_alarm() -> None:
    """Counts a form received after the total was reached, and alerts the clinic's inbox once a day."""
    with transaction.atomic():
        limits.add([("over the total", EVERYBODY, DAY)])
        OutgoingMessage.objects.get_or_create(purpose=Purpose.ABUSE_ALARM, day=timezone.localdate())


def beyond_total() -> int:
    """How many forms came after the total was reached, in the last day."""
    return limits.counted("over the total", EVERYBODY, per=DAY)


def alarm() -> str | None:
    """A sentence or two for staff, shown for a day after the total was reached. None if all is quiet."""
    many = beyond_total()
    if not many:
        return None
    return (
        f"In the last 24 hours, {many} form{'s' if many > 1 else ''} arrived over the limit of {settings.MAX_FORMS_PER_HOUR} an "
        "hour. Fact sheets were not sent. Consultations and questions were held back, with no promise of a reply. Release them "
        "once the flood is over."
    )


def _mailbox_limit(kind: str) -> str:
    return "report asked" if kind == EnquiryKind.REPORT else "acknowledgement asked"


def _limit(name: str) -> tuple[int, timedelta]:
    """The limit, and the period it is for."""
    if name == "sender":
        return settings.MAX_FORMS_PER_SENDER_PER_HOUR, HOUR
    if name == "total":
        return settings.MAX_FORMS_PER_HOUR, HOUR
    return settings.MAX_MAILS_PER_ADDRESS_PER_DAY, DAY


def _look(name: str, subject: str) -> limits.Verdict:
    most, per = _limit(name)
    return limits.look(f"forms: {name}", subject, most=most, per=per)
