"""What a line of the log says, as a person reads it and as a collector does."""

import io
import json
import logging
import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from backcare.ops.logs import MINUTE, CutOff, JsonLine, PlainLine, WithoutRequestValues
from enquiries.models import Enquiry
from tests.conftest import ROOT
from tests.support.forms import ADDRESSES, form, send
from tests.support.html import parse, text


@pytest.fixture
def lines():
    """What would be written, in each of the two forms."""
    written = {}
    for formatter in (PlainLine("{levelname} {name}: {message}", style="{"), JsonLine()):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handler.addFilter(WithoutRequestValues())
        for name in ("", "django"):
            logging.getLogger(name).addHandler(handler)
        written[type(formatter)] = (handler, stream)
    yield lambda form: written[form][1].getvalue().splitlines()
    for handler, _ in written.values():
        for name in ("", "django"):
            logging.getLogger(name).removeHandler(handler)


def test_trouble_has_one_code_on_the_page_and_in_the_log_and_no_word_of_the_patient(db, lines, monkeypatch):
    send("question")
    [accepted] = [json.loads(line) for line in lines(JsonLine) if "Accepted" in line]
    reference = Enquiry.objects.get().reference
    assert (accepted["level"], accepted["enquiry"]) == ("INFO", reference)
    assert re.fullmatch(r"[0-9a-f]{8}", accepted["request"])

    def broken(*arguments, **more):
        raise RuntimeError("Ada Example wrote this")

    monkeypatch.setattr("enquiries.actions.intake.record", broken)
    client = Client(raise_request_exception=False)
    answer = client.post(ADDRESSES["question"], form("question", description="Another one."))
    assert answer.status_code == 500
    [code] = re.findall(r"say the code ([0-9a-f]{8})\.", text(parse(answer)))
    assert code != accepted["request"]
    [told] = [json.loads(line) for line in lines(JsonLine) if "Internal Server Error" in line]
    assert told["request"] == code
    assert told["message"] == "Internal Server Error: /question/"
    assert "intake.py" in told["traceback"]
    assert "enquiry" not in told
    assert f"ERROR django.request: Internal Server Error: /question/ [{code}]" in lines(PlainLine)
    assert "Ada" not in "\n".join(lines(JsonLine) + lines(PlainLine))


@pytest.mark.parametrize("shared", [True, False])
def test_a_line_that_repeats_is_cut_off_for_every_handler_alike(shared):
    """One handler on the logger itself and one above it, as where errors are reported too: by one filter, or by one each."""
    now, filters, told = [0.0], [], []
    own, above = logging.getLogger("backcare.tried.here"), logging.getLogger("backcare.tried")
    for logger in (own, above, logging.getLogger("counted")):
        lines: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record, lines=lines: lines.append(record.getMessage())
        if logger.name != "counted":
            if not filters or not shared:
                filters.append(CutOff(most=3, clock=lambda: now[0]))
            handler.addFilter(filters[-1])
        logger.addHandler(handler)
        told.append((logger, handler, lines))
    try:
        for _ in range(5):
            own.warning("Refused")
        own.warning("Another")
        for _, _, lines in told[:2]:
            assert lines == ["Refused"] * 3 + ["Another"]
        now[0] = MINUTE
        own.warning("Refused")
        for _, _, lines in told[:2]:
            assert lines[4:] == ["Refused"]
        assert told[2][2] == ["2 more like this: backcare.tried.here: Refused"]
    finally:
        for logger, handler, _ in told:
            logger.removeHandler(handler)


@pytest.mark.long
def test_the_form_of_the_log_is_a_setting_and_a_mistyped_one_stops_the_start():
    def started(form: str) -> subprocess.CompletedProcess:
        command = [
            sys.executable,
            "-c",
            "import django, logging; django.setup(); logging.getLogger('x').error('Broken')",
        ]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "LOG_FORMAT": form}, capture_output=True, text=True)

    assert json.loads(started("json").stderr.splitlines()[-1])["message"] == "Broken"
    assert started("line").stderr.endswith("ERROR x: Broken\n")
    assert "LOG_FORMAT is “jsn”. Set it to line or json." in started("jsn").stderr
