"""So that nobody can use our forms to fill a stranger's mailbox, or the clinic's inbox.

Each form that is accepted counts for who sent it (an IPv6 network of 64 bits is one sender), for the mailbox it names, and in
total; `backcare/limits.py` counts, under keyed hashes, and no address of anybody is kept. Over a limit:

- A report goes to nobody. Beyond what one sender, or all together, may ask for, it is refused: the page gives the sheet and says
  when to try again. Where only its mailbox has had enough it is set aside: its page says that no email comes, and gives the sheet
  and the private link there and then. That page is the same for a mailbox that has had its mails for today, for one that asked us
  to stop and for a filled-in trap, so nobody learns which.
- A consultation or a question is kept. Beyond what one sender, or all together, may send it is set aside for staff, and its page
  promises no reply. Where only its mailbox has had enough it keeps its place and its promise, and its page says that no email
  comes.
- Any form with a warning sign, a report as well, is kept, is never set aside, and always alerts the clinic.

Each mailbox's count is checked once more when a mail leaves. The numbers are settings: three sheets a day are more than a reader
asks for, ten forms an hour more than a household sends, and 200 an hour more than one clinic can answer in a day.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import punycode

from backcare import limits
from enquiries.models import Kind, OutgoingMessage, Purpose, StoppedAddress
from enquiries.privacy.encryption import CannotDecrypt, keyed_hash, keyed_hashes

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERYBODY = "everybody"
# Forms of one sender within an hour after which one that comes in no time at all is a script's. A filled-in trap alone proves
# nothing, because browsers fill it in as well; with it, one form before is enough.
FEW, FEW_WITH_TRAP = 2, 1

TRAP = "Filled in a field that people cannot see"
ONE_PLACE = "Many requests from one place within an hour"
IN_TOTAL = "Very many requests in all within an hour"
NO_TIME = "One of several from one place, sent in no time"
HAD_TODAY = "The address has had its mails for a day"
STOPPED = "The address asked us to send no more"
# What stands at a mail that waits for another day.
HELD_BACK = "its address has had as many as it gets in a day"

SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("protonmail.com", "protonmail.ch", "pm.me"), "proton.me"),
}
# What a mailbox's owner may leave out or put in. The mail comes to the same mailbox.
NOT_READ = {"gmail.com": ".", "proton.me": ".-_"}


class TooMany(Exception):  # noqa: N818 - reads as what happened
    """More than one sender, or all together, may send within an hour. `wait` is in seconds; the text is for the patient."""

    def __init__(self, wait: int, *, in_total: bool = False):
        self.wait, self.in_total = wait, in_total
        minutes = ceil(wait / 60)
        when = "in a minute" if minutes <= 1 else f"in {minutes} minutes"
        many = (
            "Very many people are asking us"
            if in_total
            else "Many reports were asked for from your internet connection"
        )
        super().__init__(f"{many} just now. You can try again {when}.")


@dataclass(frozen=True)
class Decision:
    """What becomes of a form that is kept. Both reasons are in words for staff, and empty where nothing stands in the way.

    `aside`: why it waits among the spam, where nobody owes it a reply. `silent`: why its sender gets no email. Whatever is set
    aside is silent as well.
    """

    aside: str = ""
    silent: str = ""


def mailbox(address: str) -> str:
    """The same text for every way to write one mailbox: case, full-width letters, another script, dots that do not count.

    "+" is taken for a tag everywhere: where it is none, two people share one count of mails, and no mail goes wrong.
    """
    local, _, domain = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    domain = domain.rstrip(".")
    with suppress(UnicodeError):  # no form takes such a domain
        domain = punycode(domain)
    domain = SAME_MAILBOX.get(domain, domain)
    name = local.partition("+")[0] or local
    for each in NOT_READ.get(domain, ""):
        name = name.replace(each, "") or name
    return f"{name}@{domain}"


# --- when a form comes ---


def refuse_if_too_many(sender: str) -> None:
    """Before a report's form is looked at. Raises TooMany. Counts nothing."""
    for verdict, in_total in ((_look("sender", sender), False), (_look("total", EVERYBODY), True)):
        if not verdict:
            raise TooMany(verdict.wait, in_total=in_total)


def decide(
    kind: str,
    *,
    sender: str,
    email: str,
    caught: str = "",
    trap: bool = False,
    in_no_time: bool = False,
    flagged: bool = False,
) -> Decision:
    """Counts a form that is about to be kept, in its transaction, so that both stay or neither does.

    `caught` is why it is set aside anyway: then it counts for its sender alone, and nobody can use up what belongs to others.
    `flagged`: it has a warning sign, so it is kept and not set aside, whatever else is true; beyond the limits no mail goes to its
    address. Raises TooMany for a report without one; the forms in which people ask for help are set aside in its place.
    """
    hasty = in_no_time and _counted("sender", sender) >= (FEW_WITH_TRAP if trap else FEW)
    one_sender = _hit("sender", sender)
    if not one_sender and kind == Kind.REPORT and not flagged:
        raise TooMany(one_sender.wait)
    reason = caught or ("" if one_sender else ONE_PLACE) or (NO_TIME if hasty else "")
    if reason:
        return _without_mail(reason, flagged=flagged)
    # Both are asked, whatever the first says: the answer takes as long for every address.
    stopped, had_today = is_stopped(email), not _hit(_mailbox_limit(kind), mailbox(email))
    silent = (STOPPED if stopped else "") or (HAD_TODAY if had_today else "")
    if silent and kind == Kind.REPORT:
        return _without_mail(silent, flagged=flagged)
    in_total = _hit("total", EVERYBODY)
    if not in_total and kind == Kind.REPORT and not flagged:
        raise TooMany(in_total.wait, in_total=True)
    return Decision(silent=silent) if in_total else _without_mail(IN_TOTAL, flagged=flagged)


def _without_mail(reason: str, *, flagged: bool) -> Decision:
    return Decision(aside="" if flagged else reason, silent=reason)


# --- when a mail leaves ---


def wait_before_mailing(message: OutgoingMessage) -> int:
    """Seconds to hold a report back, because its mailbox has had as many as it gets in a day. 0: it may go, and it is counted.

    Must be inside the transaction that claims the mail. Each mail counts once, however often it is tried.
    """
    if message.purpose != Purpose.REPORT or message.attempts:
        return 0
    try:
        email = message.enquiry.email
    except CannotDecrypt:
        return 0  # it will not be sent, and the worker says why
    return _hit("report mailed", mailbox(email)).wait if email else 0


# --- addresses that asked us to stop ---


def stop_key(email: str) -> str:
    return keyed_hash(mailbox(email), purpose="stopped")


def stop_keys(email: str) -> list[str]:
    """What `stop_key` may have given under any of our keys."""
    return keyed_hashes(mailbox(email), purpose="stopped")


def is_stopped(email: str) -> bool:
    return stopped(email) is not None


def stopped(email: str) -> StoppedAddress | None:
    return StoppedAddress.objects.filter(key__in=stop_keys(email), until__gt=timezone.now()).first()


# --- the alarm ---


def sound_alarm() -> None:
    """The total was reached: counted for the staff's eyes, and told to the clinic's inbox once a day."""
    with transaction.atomic():
        limits.hit("over the total", EVERYBODY, most=1_000_000, per=DAY)
        OutgoingMessage.objects.get_or_create(purpose=Purpose.ABUSE_ALARM, day=timezone.localdate())


def beyond_total() -> int:
    """How many forms of the last day came when the total was reached."""
    return limits.counted("over the total", EVERYBODY, per=DAY)


def alarm() -> str | None:
    """A sentence or two for staff, for a day after the total was reached. None when all is quiet."""
    many = beyond_total()
    if not many:
        return None
    return (
        f"In the last day {many} form{'s' if many > 1 else ''} came beyond the limit of {settings.MOST_FORMS_AN_HOUR} an hour. "
        "Reports were not sent then. Consultations and questions were set aside: look through “Spam” for people."
    )


def _mailbox_limit(kind: str) -> str:
    return "report asked" if kind == Kind.REPORT else "acknowledgement asked"


def _limit(name: str) -> dict:
    if name == "sender":
        return {"most": settings.MOST_FORMS_OF_ONE_SENDER_AN_HOUR, "per": HOUR}
    if name == "total":
        return {"most": settings.MOST_FORMS_AN_HOUR, "per": HOUR}
    return {"most": settings.MOST_MAILS_TO_ONE_ADDRESS_A_DAY, "per": DAY}


def _hit(name: str, subject: str) -> limits.Verdict:
    return limits.hit(f"forms: {name}", subject, **_limit(name))


def _look(name: str, subject: str) -> limits.Verdict:
    return limits.look(f"forms: {name}", subject, **_limit(name))


def _counted(name: str, subject: str) -> int:
    return limits.counted(f"forms: {name}", subject, per=_limit(name)["per"])
