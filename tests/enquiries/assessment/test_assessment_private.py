"""Nothing that a person answers is kept, logged, cached, named in an address, or taken from another site."""

import io
import logging

import pytest
from django.apps import apps
from django.test import Client

from enquiries.assessment.questions import QUESTIONS
from tests.support.assessment import answer_all, finish, page_data
from tests.support.html import parse
from tests.support.reading import links

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
PAGES = ["", "1/", "12/", "answers/", "result/", "result/pdf/", "stop/", "not-sure/", "cleared/", "start-again/"]
SAID = {"urgent": ["RF-U2", "RF-U11"], "mood": "a_lot", "age": "55_59", "tried": "herbs", "tell": ["pregnant"]}
WORDS = ["RF-U", "RF-E", "a_lot", "55_59", "herbs", "pregnant", "losing weight", "urgent="]


@pytest.fixture
def log():
    """Everything that our loggers, Django's or a library's say, down to the finest level."""
    written, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(written), root.level
    quiet = [logging.getLogger(name) for name in ("django", "django.server")]
    for each in [root, *quiet]:
        each.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    for each in [root, *quiet]:
        each.removeHandler(handler)
    root.setLevel(before)


def expect_no_word(text: str) -> None:
    assert not [word for word in WORDS if word in text], text[:2000]


def test_no_answer_is_in_a_log_an_address_or_a_header_whatever_happens(log):
    client = Client(raise_request_exception=False)
    said = []
    for number in range(1, 13):
        said.append(client.post(f"/check/{number}/", page_data(number, **SAID)))
        said.append(client.get(f"/check/{number}/"))
    said += [client.post("/check/answers/"), client.get("/check/result/"), client.get("/check/result/pdf/")]
    said.append(client.post("/check/1/", {"emergency": ["RF-E1", "none"]}))
    said.append(client.post("/check/3/?age=55_59", {"age": "RF-E1"}))
    said.append(client.get("/check/not-there/RF-E1", {"urgent": "RF-U2"}))
    said.append(client.post("/check/1/", {"emergency": "RF-E1"}))
    said.append(client.put("/check/2/", "urgent=RF-U2"))
    cross = Client(enforce_csrf_checks=True)
    said.append(cross.post("/check/1/", {"emergency": "RF-E1"}, headers={"sec-fetch-site": "cross-site"}))
    statuses = [response.status_code for response in said]
    assert statuses[:24] == [303, 200] * 12
    assert statuses[24:] == [303, 200, 200, 422, 422, 404, 303, 405, 403]
    for response in said:
        headers = {name: value for name, value in response.headers.items() if name != "Content-Disposition"}
        expect_no_word(str(headers))
        expect_no_word(response.headers.get("Content-Disposition", ""))
        expect_no_word(response.cookies.output())
        assert "?" not in response.headers.get("Location", "")
    # The log names the address that was not found, which the visitor made up.
    expect_no_word(log.getvalue().replace("/check/not-there/RF-E1", ""))
    assert log.getvalue()


def test_no_page_links_to_an_address_that_holds_an_answer(client):
    finish(client, **SAID)
    for path in [path for path in PAGES if not path.endswith("pdf/")]:
        answer = client.get(f"/check/{path}")
        assert answer.status_code == 200, path
        ours = [link for link in links(parse(answer)) if link.startswith("/")]
        assert ours, path
        assert not [link for link in ours if "?" in link], path
        expect_no_word(str(ours))


def test_the_server_keeps_nothing(client):
    def everything():
        models = [model for model in apps.get_models() if model._meta.managed]
        return {model._meta.label: sorted(map(str, model.objects.values_list())) for model in models}

    before = everything()
    finish(client, **SAID)
    client.get("/check/result/pdf/")
    client.post("/check/1/", {"emergency": "RF-E1"})
    assert everything() == before
    assert not [name for name in client.cookies if name != "check"]


@pytest.mark.parametrize("path", PAGES)
def test_no_cache_keeps_a_page_and_no_search_engine_lists_it(client, path):
    finish(client, **SAID)
    response = client.get(f"/check/{path}")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert "ETag" not in response.headers
    assert response["X-Robots-Tag"] == ("noindex" if path else "all")


def test_redirects_are_not_kept_either(client):
    for response in (
        client.get("/check/7/"),
        client.post("/check/1/", {"emergency": "RF-E1"}),
        client.post("/check/clear/"),
    ):
        assert response.status_code == 303
        assert "no-store" in response["Cache-Control"]


# --- who may send an answer, and what the browser tells others ---


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_tells_nobody_where_a_person_came_from(client, path):
    finish(client)
    assert client.get(f"/check/{path}", headers={"sec-fetch-site": "same-origin"})["Referrer-Policy"] == "no-referrer"
    # Such a browser proves with Origin alone that a form is ours, which "no-referrer" would take from it.
    assert client.get(f"/check/{path}")["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"origin": "http://testserver"}, 303),
        ({"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example.com"}, 403),
        ({"origin": "https://elsewhere.example.com"}, 403),
        ({"origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["1/", "answers/", "clear/"])
def test_only_our_own_pages_can_send_an_answer(headers, status, path):
    client = Client(enforce_csrf_checks=True)
    inside = Client()
    answer_all(inside)
    client.cookies = inside.cookies
    response = client.post(f"/check/{path}", {"emergency": "none"}, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert not response.cookies


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_another_method_is_refused(client, method):
    for path in PAGES:
        assert getattr(client, method)(f"/check/{path}").status_code == 405
    assert client.post("/check/result/").status_code == 405


@pytest.mark.parametrize("path", ["0/", "13/", "99999999999999999999/", "-1/", "1", "x/"])
def test_there_are_twelve_questions_and_no_others(client, path):
    assert client.get(f"/check/{path}").status_code in {301, 404}
    assert len(QUESTIONS) == 12
