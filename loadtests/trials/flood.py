"""A flood from very many addresses, with an honest emergency in the midst of it."""

import random
import re
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, build_opener

from django.contrib.auth.models import User
from django.test import Client

from enquiries.models import Enquiry, Status
from loadtests.trials.ground import Ground
from tests.support.faults import NoRedirect
from tests.support.forms import form
from tests.support.html import text, tree

FORMS, ADDRESSES, PEOPLE = 3_000, 300, 6
FILLING = [
    "garden",
    "kitchen",
    "bicycle",
    "river",
    "window",
    "letter",
    "morning",
    "ladder",
    "engine",
    "pillow",
    "market",
    "stone",
]
SIGN = "I am numb between my legs and cannot feel when I pee, please help"
HONEST = "Since this morning both feet feel like cotton wool and I have wet myself twice"
SEEN = re.compile(r'name="question-seen_signs" value="([^"]+)"')
SECONDS = 60  # to the honest one's mail
LONG = 1_800


def many_forms_from_many_addresses(folder: Path, kills: int) -> str:
    """F24, under the limits that a clinic has. Half of them with a warning sign, each in words of its own."""
    chance = random.Random(24)  # noqa: S311 - the same flood in every run
    with Ground(folder, MAX_FORMS_PER_HOUR="200") as ground:
        web = ground.web()
        ground.worker()
        left, answers, lock = list(range(FORMS)), [], threading.Lock()

        def flood():
            while True:
                with lock:
                    if not left:
                        return
                    number = left.pop()
                    words = " ".join(chance.sample(FILLING, 7))
                place = f"203.0.{number % ADDRESSES // 250}.{number % ADDRESSES % 250 + 1}"
                words = f"{words} {number}. {SIGN if number % 2 else 'May I swim?'}"
                answers.append(sent(web.address, place, words, f"flood{number}@example.com"))

        started = time.monotonic()
        people = [threading.Thread(target=flood) for _ in range(PEOPLE)]
        for each in people:
            each.start()
        while len(answers) < FORMS // 2:
            assert time.monotonic() - started < LONG, f"{len(answers)} forms in {LONG} s"
            time.sleep(0.2)
        asked = time.monotonic()
        assert sent(web.address, "198.51.100.77", HONEST, "honest@example.com", name="Honest Person") == 303
        taken = time.monotonic() - asked
        kept = next(
            each for each in Enquiry.objects.filter(safety_signs__isnull=False) if each.email == "honest@example.com"
        )
        while not (urgent := mails_about(ground.smtp, kept.reference)):
            assert time.monotonic() - asked < SECONDS, "The honest one's mail was not sent within a minute."
            time.sleep(0.1)
        mailed = time.monotonic() - asked
        assert urgent[0]["Subject"] == "Urgent: please look now"
        for each in people:
            each.join(LONG)
        seconds = time.monotonic() - started
    staff = User.objects.create_superuser("sam", "sam@example.com", None)
    desk = Client(SERVER_NAME="localhost")
    desk.force_login(staff)
    listed = {}
    for queue in ("open", "safety"):
        page = tree(desk.get(f"/admin/enquiries/enquiry/?queue={queue}"))
        listed[queue] = [text(row) for row in page.iterfind(".//table[@id='result_list']/tbody/tr")]
        assert kept.reference in listed[queue][0], (
            f"The honest one is not in the first row of {queue}: {listed[queue][0]}"
        )
    staff.delete()
    codes = {code: answers.count(code) for code in sorted(set(answers))}
    assert set(codes) <= {303, 429}, codes
    assert len(answers) == FORMS
    flagged = Enquiry.objects.filter(safety_signs__isnull=False)
    folded, held = flagged.filter(folded=True).count(), Enquiry.objects.filter(status=Status.HELD).count()
    alarms = sum(mail["Subject"] == "Urgent: please look now" for mail in ground.smtp.messages)
    return (
        f"{FORMS} forms from {ADDRESSES} addresses in {seconds:.0f} s, answers {codes}; {flagged.count()} with a warning sign, "
        f"{folded} of them folded, {alarms} alarms; {held} held back; the honest one was taken in {taken:.1f} s and its mail sent "
        f"after {mailed:.1f} s; first row of the desk"
    )


FLOOD = {"F24": many_forms_from_many_addresses}


def sent(address: str, place: str, words: str, email: str, **changes: str) -> int:
    """One question, sent again from its check page when that shows a card first. The status of the last answer."""
    data = form("question", email=email, description=words, **changes)
    for _ in range(2):
        request = Request(f"{address}/question/", urlencode(data).encode(), {"X-Forwarded-For": place})
        try:
            with build_opener(NoRedirect).open(request, timeout=60) as answer:
                status, page = answer.status, answer.read().decode()
        except HTTPError as answer:
            with answer:
                return answer.code
        if status != 200 or not (shown := SEEN.search(page)):
            return status
        data["question-seen_signs"] = shown[1]
    return status


def mails_about(smtp, reference: str) -> list:
    return [mail for mail in list(smtp.messages) if reference in mail.get_body(("plain",)).get_content()]
