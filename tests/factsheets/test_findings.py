"""What a study found is said for each sheet that cites it: a source cited for one thing never shows what it says of another."""

import io
import json
import os
import subprocess
import sys

import pytest
from django.urls import reverse
from pypdf import PdfReader

from factsheets import actions
from factsheets.models import Edition, FactSheet, InstalledRecord, SourceUse
from factsheets.rendering import printed
from tests.conftest import ROOT
from tests.support.desk import change_address, errors_of, move, save, signed, values_of
from tests.support.edition import PART, SHEET, entry
from tests.support.edition import Edition as Fixtures
from tests.support.html import by_id, text, tree
from tests.support.reading import SLUGS, packed, squeezed

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def shown(client, slug: str) -> dict[str, str]:
    """What the sheet's JSON says of each source."""
    return {each["key"]: each["finding"] for each in client.get(f"/fact-sheets/{slug}/json/").json()["references"]}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_finding_of_a_sheet_is_of_a_study_that_it_cites_and_stands_in_its_outputs(client, slug):
    written = dict(SourceUse.objects.filter(sheet__slug=slug).values_list("source__key", "finding"))
    assert written
    assert written == {key: finding for key, finding in shown(client, slug).items() if finding}
    listed = client.get(f"/fact-sheets/{slug}/text/").content.decode().rpartition("\nSources\n")[2]
    said = squeezed(listed)
    assert all(f"What it found: {finding}" in said for finding in written.values())
    assert said.count("What it found:") == len(written)


@pytest.mark.long
def test_the_pdf_and_the_text_print_what_the_sheet_cites_a_source_for_and_nothing_else(client):
    review = {slug: shown(client, slug)["CASHIN25"] for slug in ("acupuncture-for-back-pain", "about-back-pain")}
    assert "24 trials hinted at an effect" in review["acupuncture-for-back-pain"]
    assert not review["about-back-pain"], "It is cited there for a word only."
    sheet = FactSheet.objects.get(slug="acupuncture-for-back-pain")
    printed_words = packed("".join(each.extract_text() for each in PdfReader(io.BytesIO(printed.whole(sheet))).pages))
    assert packed(f"What it found: {review[sheet.slug]}") in printed_words
    assert not any(shown(client, slug).get("NG193") for slug in SLUGS), "A guideline recommends, and finds nothing."


@pytest.mark.long
def test_an_editor_writes_it_on_the_sheet_and_it_goes_through_the_guard_and_the_history(
    desk, public_sheet, client, author, reviewer
):
    new = actions.begin_draft(sheet=public_sheet, by=author)
    address = change_address(new)
    opened = values_of(desk.get(address))
    [prefix] = {name.split("-")[0] for name in opened if name.startswith("source_uses-")}
    known = by_id(tree(desk.get(address)), "cited-sources")
    assert [each.get("value").rpartition(" ")[2] for each in known.iter("option")] == ["(NG59)"], "Only what it cites."
    said = {f"{prefix}-0-finding": "Moving is safe."}
    assert "The sheet cites no source “mu20”" in errors_of(save(desk, address, **said | {f"{prefix}-0-source": "mu20"}))
    row = {f"{prefix}-0-source": "sciatica over 16s"}
    save(desk, address, **row | {f"{prefix}-0-finding": "It is proven to cure."})
    assert "Do not promise a cure." in text(tree(move(desk, new, "submitted")))
    assert not errors_of(save(desk, address, **{f"{prefix}-0-finding": "Moving is safe."}))
    assert shown(client, public_sheet.slug) == {"NG59": ""}
    signed(public_sheet, author, reviewer)
    assert shown(client, public_sheet.slug) == {"NG59": "Moving is safe."}
    newest = Edition.objects.filter(sheet=public_sheet).first()
    assert newest.changes == ["Changed: What the studies found"]
    assert not errors_of(save(desk, change_address(public_sheet), **{f"{prefix}-0-finding": "Moving is good."}))
    signed(public_sheet, author, reviewer)
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, newest.number]))
    assert shown(client, public_sheet.slug) == {"NG59": "Moving is safe."}
    save(desk, change_address(public_sheet.sections.get()), body="Keep moving. [@MU20]")
    address = change_address(public_sheet.open_draft)
    assert "Not shown: the sheet no longer cites this source." in text(tree(desk.get(address)))
    save(desk, address, **{f"{prefix}-0-DELETE": "on"})
    signed(public_sheet, author, reviewer)
    assert shown(client, public_sheet.slug) == {"MU20": ""}
    assert not public_sheet.source_uses.exists(), "A draft can take the last finding away."


@pytest.mark.long
def test_a_newer_edition_of_the_content_brings_changes_and_drops_it(tmp_path, client):
    fixtures = Fixtures(tmp_path, alone=True)
    use = entry("sourceuse", sheet=[PART], source=["EDA"], finding="It found one thing.")
    fixtures.files[SHEET].append(use)
    fixtures.load()
    assert shown(client, PART) == {"EDA": "It found one thing.", "EDB": ""}
    use["fields"]["finding"] = "It found another."
    fixtures.load()
    assert shown(client, PART)["EDA"] == "It found another."
    SourceUse.objects.filter(sheet__slug=PART).update(finding="In the words of staff.")
    use["fields"]["finding"] = "It found a third."
    assert "kept your edit: factsheets.sourceuse a-sheet EDA, finding" in fixtures.load()
    [installed] = InstalledRecord.objects.exclude(offered={})
    assert installed.offered == {"finding": "It found a third."}
    fixtures.files[SHEET].remove(use)
    fixtures.load()
    assert SourceUse.objects.filter(sheet__slug=PART).exists(), "What staff wrote stays."


BEFORE = """
from tests.support.migrations import one_by_one
old = one_by_one()
old.migrate([("factsheets", "0013_safety_drafts")])
apps = old.loader.project_state(("factsheets", "0013_safety_drafts")).apps
get = lambda name: apps.get_model("factsheets", name).objects
topic = get("Topic").create(slug="t", title="T", question="Q")
for slug, keys in {"a": ["OURS", "NEW"], "b": ["THEIRS", "OURS"], "c": []}.items():
    texts = dict.fromkeys(["title", "summary", "audience", "key_points"], slug)
    get("FactSheet").create(slug=slug, topic=topic, document={"references": [{"key": key} for key in keys]}, **texts)
for key, finding, installed in [("THEIRS", "As installed.", 1), ("OURS", "By staff.", 1), ("NEW", "Added.", 0)]:
    get("Source").create(key=key, kind="trial", title=key, finding=finding)
    if installed:
        fields = {"key": key, "finding": "As installed."}
        get("InstalledRecord").create(label="factsheets.source", natural_key=key, fields=fields, offered={"finding": "x"})
"""
AFTER = """
import json
from factsheets.models import *
print(json.dumps(sorted(SourceUse.objects.values_list("sheet__slug", "source__key", "finding"))))
print(json.dumps([[each.natural_key, each.fields, each.offered] for each in InstalledRecord.objects.order_by("natural_key")]))
"""


@pytest.mark.process
def test_the_migration_keeps_what_staff_wrote_in_every_sheet_that_cites_the_source(tmp_path):
    def manage(*arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "BACKCARE_LOCAL": "1", "DATA_DIR": str(tmp_path)}
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("shell", "-v0", "-c", BEFORE)
    manage("migrate", "-v0", "factsheets")
    uses, installed = map(json.loads, manage("shell", "-v0", "-c", AFTER).splitlines())
    assert uses == [["a", "NEW", "Added."], ["a", "OURS", "By staff."], ["b", "OURS", "By staff."]]
    assert installed == [[key, {"key": key}, {}] for key in ("OURS", "THEIRS")]
