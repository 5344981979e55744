"""Content out and in: an export is the whole of it, byte for byte; an import shows the difference and takes nothing silently."""

import io
import json
import zipfile
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

from factsheets import actions, content_export, pictures, publication, safety_drafts, safety_revisions, shared_drafts
from factsheets.models import (
    Claim,
    FactSheet,
    Figure,
    GlossaryTerm,
    InstalledRecord,
    Picture,
    SafetyAdvice,
    SearchQuestions,
    Section,
    SharedEdition,
    Source,
    Statement,
    Synonym,
    Topic,
    WordList,
)
from tests.support.desk import draft_of, person, published_draft
from tests.support.edition import PART, SHEET
from tests.support.edition import Edition as Fixtures
from tests.support.pictures import show

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TRICKY = "- {} [x]: “quotes” 'and' \"more\" # no comment\n\n  indented\ttab\nlast line without an end: ✓ 5 % & <b> \\n"


def command(name: str, *options) -> str:
    said = StringIO()
    call_command(name, *map(str, options), stdout=said)
    return said.getvalue()


def documents() -> str:
    return json.dumps(dict(FactSheet.objects.order_by("slug").values_list("slug", "document")), sort_keys=True)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_export_of_an_unchanged_installation_is_the_fixtures_byte_for_byte():
    fixtures = settings.BASE_DIR / "fixtures"
    made, kept = content_export.files(), files_of(fixtures)
    odd = [name for name in sorted({*made, *kept}) if made.get(name) != kept.get(name)]
    assert not odd, f"Bring them into the one form: manage.py export_content --replace {fixtures.name}"


@pytest.mark.long
def test_an_export_loaded_into_an_empty_database_gives_the_same_documents(tmp_path):
    figure = Figure.objects.get(slug="keep-moving")
    show(figure)
    sheet = FactSheet.objects.get(slug="about-back-pain")
    Section.objects.create(sheet=sheet, slug="tricky", position=5000, layer="more", heading="Yes", body=TRICKY)
    GlossaryTerm.objects.filter(slug="acute").update(meaning="On: off, no. 1_000 ~ null", also=["0123", "yes", "1e3"])
    Source.objects.filter(key="NG59").update(accessed="2026-11-29", year=None)
    actions.refresh_all()
    actions.keep_edition(sheet=sheet, by=person("Edith", "editor"))
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(CommandError, match="again, with --replace") as stopped:
        patch.setattr(content_export, "_sheet", Mock(side_effect=KeyboardInterrupt))
        command("export_content", out)
    assert stopped.value.returncode == 130
    assert "files written to" in command("export_content", out, "--replace")
    before, flags = documents(), safety_revisions.snapshot()
    with pytest.raises(CommandError, match="There is content in"):
        command("export_content", out)

    for model in (FactSheet, Statement, SafetyAdvice, Source, Figure, GlossaryTerm, Topic, Picture, InstalledRecord):
        model.objects.all().delete()
    for model in (Claim, WordList, Synonym, SearchQuestions):
        model.objects.all().delete()
    command("load_content", "--folder", out)
    assert documents() == before
    assert safety_revisions.snapshot() == flags
    assert Section.objects.get(slug="tricky").body == TRICKY
    assert pictures.jpeg(Picture.objects.get().digest)
    again = tmp_path / "again"
    command("export_content", again)
    assert files_of(again) == files_of(out)


@pytest.fixture
def there(tmp_path):
    """Another installation's content, which is what this one was installed with."""
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.load()
    return fixtures


def take(fixtures, *options) -> str:
    fixtures.write()
    return command("import_content", fixtures.folder, *options)


def bodies(sheet: FactSheet) -> list[str]:
    return list(sheet.sections.values_list("body", flat=True))


@pytest.mark.long
def test_an_import_shows_the_difference_and_takes_only_what_nobody_here_changed(there):
    editor = person("Edith", "editor")
    Section.objects.filter(slug="second").update(body="Our second words. [@EDB]\n")
    before = bodies(FactSheet.objects.get(slug=PART))
    there.fields("first")["body"] = "The newer first words. [@EDA]\n"
    there.fields("second")["body"] = "Their second words. [@EDB]\n"
    there.fields("claim")["direction"] = "helps"
    there.fields("b-sheet")["title"] = "A sheet that they renamed"
    there.files["sheets/c-sheet.yaml"] = [
        {"model": "factsheets.factsheet", "fields": there.fields(PART) | {"slug": "c-sheet"}}
    ]
    there.files[SHEET].pop()
    said = take(there)
    assert "new      factsheets.factsheet c-sheet" in said
    assert "changed  factsheets.section a-sheet first, body: The{+ newer+} first words." in said
    assert "[-Our-]{+Their+} second words." in said
    assert "ours kept factsheets.section a-sheet second" in said
    assert "removed  factsheets.relatedsheet a-sheet b-sheet" in said
    assert "Nothing has been changed." in said
    assert Section.objects.get(slug="first").body == "The first words. [@EDA]\n"
    assert not User.objects.filter(username__startswith="import-").exists()
    with pytest.raises(CommandError, match="Say with --by"):
        take(there, "--apply")
    with pytest.raises(CommandError, match="There is no account nobody"):
        take(there, "--apply", "--by", "nobody")

    assert "Done." in take(there, "--apply", "--by", editor.username)
    live = FactSheet.objects.get(slug=PART)
    assert bodies(live) == before, "Readers see the page as it was."
    assert [section.position for section in live.sections.all()] == [10, 20, 30]
    assert bodies(live.open_draft) == ["The newer first words. [@EDA]\n", "Our second words. [@EDB]\n", ""]
    assert not live.open_draft.related.exists()
    assert FactSheet.objects.get(slug="c-sheet").state == "draft"
    newest = live.open_draft.editions.first()
    assert (newest.actor, newest.note) == ("Edith", "Imported content")
    claim = Statement.objects.get(key="claim")
    assert claim.direction == "may_help"
    assert draft_of(claim).content["direction"] == "helps"
    published_draft(claim, person("Clive", "clinician"))
    kept = SharedEdition.objects.filter(label="factsheets.statement").order_by("-number").first()
    assert (kept.actor, kept.content["direction"]) == ("Clive", "helps")
    assert "A sheet: it has an open draft." in take(there)
    actions.discard_draft(draft=live.open_draft, by=editor)
    take(there, "--apply", "--by", editor.username, "--replace-ours")
    assert bodies(live.open_draft)[1] == "Their second words. [@EDB]\n"


def test_the_next_upgrade_does_not_take_back_what_was_imported(there):
    editor = person("Edith", "editor")
    there.fields("first")["body"] = "Imported words. [@EDA]\n"
    take(there, "--apply", "--by", editor.username)
    draft = FactSheet.objects.get(slug=PART).open_draft
    actions.correct(draft=draft, by=editor, reason="A better word.")
    there.fields("first")["body"] = "The first words. [@EDA]\n"
    there.load()
    assert Section.objects.get(slug="first").body == "Imported words. [@EDA]\n"


def test_what_may_not_be_public_and_what_cannot_be_read_changes_nothing(there):
    editor = person("Edith", "editor")
    there.fields("claim")["detail"] = "Acupuncture cures. <i>Yes.</i> [@EDA]\n"
    there.fields("first")["body"] = "It is <b>safe</b>. Read [more](/nowhere/). [@EDA]\n"
    there.fields("EDA")["title"] = "Theirs"
    assert "go into drafts" in take(there, "--apply", "--by", editor.username)
    assert Source.objects.get(key="EDA").title == "The study EDA"
    live = FactSheet.objects.get(slug=PART)
    assert "cures" not in str(live.document)
    in_the_way = " ".join(map(str, publication.obstacles(live.open_draft)))
    assert "“<b>” is HTML" in in_the_way
    assert "the link “more” leads nowhere" in in_the_way
    with pytest.raises(actions.MoveRefused, match="“<b>” is HTML"):
        actions.transition(sheet=live.open_draft, step="submitted", by=editor)
    assert "“<i>” is HTML" in str(shared_drafts.outcome(draft_of(Statement.objects.get(key="claim"))).problems)
    out = there.folder.parent / "out"
    command("export_content", out)
    assert "Theirs" not in (out / "sources.yaml").read_text(), "An export carries no drafts."
    assert "factsheets.source EDA: it has an open draft." in take(there)
    summary = there.fields("b-sheet")["summary"]
    there.fields("b-sheet")["summary"] = "It is <b>safe</b>."
    with pytest.raises(CommandError, match="“<b>” is HTML"):
        take(there)
    there.fields("b-sheet")["summary"] = summary
    there.fields("first")["body"] = "Words. [@NOWHERE]\n"
    with pytest.raises(CommandError, match="no source has the key NOWHERE"):
        take(there)
    (there.folder / "pictures").mkdir()
    (there.folder / "pictures" / f"{'a' * 32}-800.jpg").write_bytes(b"no picture")
    with pytest.raises(CommandError, match="pictures/aaa"):
        take(there)


@pytest.mark.long
def test_red_flags_go_into_a_draft_for_a_second_person(tmp_path):
    editor = person("Edith", "editor")
    out = tmp_path / "out"
    command("export_content", out)
    assert "There is nothing to take over." in command("import_content", out)
    # From here on of this file alone: of all files an import reads each record twice, which takes six seconds a time.
    alone = tmp_path / "alone"
    alone.mkdir()
    path = (out / "safety_advice.yaml").rename(alone / "safety_advice.yaml")
    live = SafetyAdvice.objects.get(code="RF-E1").short_text
    path.write_text(path.read_text().replace(live, "other words"))
    assert "red flag RF-E1" in command("import_content", alone)
    assert safety_drafts.current() is None
    command("import_content", alone, "--apply", "--by", editor.username)
    assert SafetyAdvice.objects.get(code="RF-E1").short_text == live
    assert safety_drafts.find(safety_drafts.current().content, "RF-E1")["short_text"] == "other words"
    assert "Red flags: There is already an open draft." in command("import_content", alone)


@pytest.mark.long
def test_an_owner_downloads_all_content_and_nobody_else(client, staff_client):
    address = reverse("admin:factsheets_content")
    answer = staff_client.get(address)
    assert answer["Content-Disposition"].startswith('attachment; filename="content-')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "content/sheets/about-back-pain.yaml" in archive.namelist()
    client.force_login(person("Edith", "editor"))
    assert client.get(address).status_code == 403
