"""A small share of loadtests/fuzz, the same at every run. `make trials` runs more."""

import os

import pytest
from django.contrib import admin
from django.urls import reverse

from factsheets.models import Figure, Source
from loadtests.fuzz import requests
from loadtests.fuzz.forms import collect
from loadtests.fuzz.judging import Judge, run
from loadtests.fuzz.requests import MARK
from tests.support.desk import change_address, save
from tests.support.html import parse, text

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")]

SEED = 20_261_121
POSTS = int(os.environ.get("FUZZ_POSTS", "60"))
ADDRESSES = int(os.environ.get("FUZZ_ADDRESSES", "50"))

# Every form that must be among those that are tried, by a part of its address.
KNOWN = [
    "/report/",
    "/report/sent/change/",
    "/report/sent/again/",
    "/report/stop/",
    "/report/summary/",
    "/consultation/",
    "/question/",
    "/request/",
    "/times/",
    "/add/",
    "/withdraw/",
    "/erase/",
    "/check/1/",
    "/check/12/",
    "/check/answers/",
    "/check/clear/",
    "/search/",
    "/admin/login/",
    "/admin/login/code/",
    "/admin/login/set-up/",
    "/step/safety/",
    "/step/reply/",
    "/step/call/",
    "/step/book/",
    "/step/close/",
    "/step/cancel/",
    "/step/outcome/",
    "/step/later/",
    "/appointment-outcome/",
    "/appointments/calendar/",
    "/absence/add/",
    "/export/",
    "/person/",
    "/move/",
    "/admin/factsheets/section/",
]


@pytest.mark.both
@pytest.mark.long
def test_no_generated_request_is_a_500_or_comes_back_unescaped_and_none_leaves_a_word_in_the_log():
    targets, staff = collect()
    paths = {each.path for each in targets}
    missing = [part for part in KNOWN if not any(part in path for path in paths)]
    assert not missing, f"These forms were not found: {missing}, among {sorted(paths)}"
    with Judge(staff).listening() as judge:
        run(judge, requests.structured(targets), POSTS, SEED)
        run(judge, requests.raw(targets), POSTS // 4, SEED)
        assert MARK not in judge.log.getvalue()
        run(judge, requests.addresses([staff]), ADDRESSES, SEED)
    assert not judge.tally.wrong, judge.tally.wrong[:5]
    assert judge.tally.sent >= POSTS
    assert {200, 400, 404, 422} <= set(judge.tally.statuses), judge.tally.statuses
    assert {302, 303} & set(judge.tally.statuses), "No form was taken."


def test_what_is_wrong_is_found():
    """The check itself: it notices a crash, and a value that is returned as it was sent."""
    judge = Judge("")

    class Answer:
        status_code, content, headers = 200, f"<p><zq'\"{MARK}".encode(), {"Content-Type": "text/html"}

    assert "unescaped" in judge._answer(Answer())
    Answer.content = b"zq49"
    assert "unescaped" in judge._answer(Answer())
    Answer.content, Answer.status_code = b"", 500
    assert judge._answer(Answer()).startswith("500")
    Answer.status_code, Answer.headers = 302, {"Location": "/a\r\nX: y"}
    assert judge._answer(Answer()) == "a broken Location"


# What the long run found, reduced to small cases. Each was a 500.
FOUND = [
    "/admin/factsheets/factsheet/change/history/",
    "/admin/factsheets/factsheet/x/history/",
    "/admin/factsheets/factsheet/%3Czq/history/",
    "/admin/accounts/x/second-factor/",
]


@pytest.mark.parametrize("path", FOUND)
def test_an_address_that_was_once_a_crash_is_a_page_that_is_not_there(staff_client, path):
    answer = staff_client.get(path)
    assert answer.status_code in {302, 404}
    assert staff_client.get(answer.headers.get("Location", path)).status_code in {200, 302, 404}


@pytest.mark.parametrize("value", ["", "nothing"])
def test_a_field_name_that_is_none_of_the_admins_is_refused(staff_client, value):
    source = reverse("admin:factsheets_source_change", args=[Source.objects.first().pk])
    assert staff_client.get(source, {"_to_field": value}).status_code == 400
    assert staff_client.post(source, {"_to_field": value}).status_code == 400


@pytest.mark.both
@pytest.mark.long
def test_a_search_for_very_many_words_is_one_for_the_first_of_them(staff_client, subtests):
    for model in sorted(each._meta.label_lower for each in admin.site._registry):
        with subtests.test(model=model):
            answer = staff_client.get(reverse(f"admin:{model.replace('.', '_')}_changelist"), {"q": "word " * 900})
            assert answer.status_code == 200
            assert "We searched for the first 30 words only." in text(parse(answer))


@pytest.mark.both
@pytest.mark.long
def test_ledger_rows_that_are_emptied_are_none_and_no_crash(staff_client):
    figure = Figure.objects.exclude(claim_refs=[]).first()
    answer = save(staff_client, change_address(figure), claim_refs="", _save="Save")
    assert answer.status_code == 200
    figure.refresh_from_db()
    assert figure.claim_refs == []
