"""Export and import of content: an export is complete, byte for byte; an import shows what differs and changes nothing silently."""

import io
import json
import threading
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from enquiries.models import Enquiry
from enquiries.privacy.retention import RULES
from factsheets import (
    actions,
    content_export,
    content_import,
    content_upload,
    pictures,
    publishing_rules,
    safety_drafts,
    safety_revisions,
    shared_drafts,
    shared_revisions,
)
from factsheets.models import (
    Claim,
    ContentUpload,
    FactSheet,
    Figure,
    GlossaryTerm,
    InstalledRecord,
    Picture,
    SafetyAdvice,
    SearchQuestions,
    Section,
    SharedDraft,
    SharedEdition,
    Source,
    Statement,
    Synonym,
    Topic,
    WordList,
)
from tests.support.desk import draft_of, person, published_draft
from tests.support.edition import PART, SHEET, entry
from tests.support.edition import Edition as Fixtures
from tests.support.html import text, tree
from tests.support.pictures import show
from tests.support.senders import ask

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


@pytest.mark.long
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
    assert "new       Fact sheet “A sheet”" in said
    assert "changed   A sheet: First, text: The{+ newer+} first words." in said
    assert "[-Our-]{+Their+} second words." in said
    assert "ours kept A sheet: Second, Body" in said
    assert "changed   A sheet: The sheet, Related pages: [-Another sheet: It says more.-]" in said
    assert "Nothing has been changed." in said
    assert Section.objects.get(slug="first").body == "The first words. [@EDA]\n"
    assert not User.objects.filter(username__startswith="import-").exists()
    with pytest.raises(CommandError, match="Name the editor with --by"):
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
    said = take(there)
    assert "waiting   Fact sheet “A sheet”: in an open draft, word for word." in said
    assert "changed   " not in said, "What waits in a draft is not shown a second time."
    there.fields("first")["body"] = "Newer still. [@EDA]\n"
    assert "left out  Fact sheet “A sheet”: it has an open draft." in take(there)
    there.fields("first")["body"] = "The newer first words. [@EDA]\n"
    actions.discard_draft(draft=live.open_draft, by=editor)
    take(there, "--apply", "--by", editor.username, "--replace-ours")
    assert bodies(live.open_draft)[1] == "Their second words. [@EDB]\n"
    actions.discard_draft(draft=live.open_draft, by=editor)
    there.drop("first")
    there.drop("second")
    take(there, "--apply", "--by", editor.username, "--replace-ours")
    assert bodies(live) == before and bodies(live.open_draft) == [""], "Both are gone from the draft."


@pytest.mark.long
def test_the_next_upgrade_does_not_take_back_what_was_imported(there):
    editor = person("Edith", "editor")
    there.fields("first")["body"] = "Imported words. [@EDA]\n"
    take(there, "--apply", "--by", editor.username)
    draft = FactSheet.objects.get(slug=PART).open_draft
    actions.correct(draft=draft, by=editor, reason="A better word.")
    there.fields("first")["body"] = "The first words. [@EDA]\n"
    there.load()
    assert Section.objects.get(slug="first").body == "Imported words. [@EDA]\n"


@pytest.mark.long
def test_what_may_not_be_public_and_what_cannot_be_read_changes_nothing(there):
    editor = person("Edith", "editor")
    there.fields("claim")["detail"] = "Acupuncture cures. <i>Yes.</i> [@EDA]\n"
    there.fields("first")["body"] = "It is <b>safe</b>. Read [more](/nowhere/). [@EDA]\n"
    there.fields("EDA")["title"] = "Theirs"
    assert "go into drafts" in take(there, "--apply", "--by", editor.username)
    assert Source.objects.get(key="EDA").title == "The study EDA"
    live = FactSheet.objects.get(slug=PART)
    assert "cures" not in str(live.document)
    in_the_way = " ".join(map(str, publishing_rules.obstacles(live.open_draft)))
    assert "“<b>” is HTML" in in_the_way
    assert "the link “more” leads nowhere" in in_the_way
    with pytest.raises(actions.MoveRefused, match="“<b>” is HTML"):
        actions.transition(sheet=live.open_draft, step="submitted", by=editor)
    assert "“<i>” is HTML" in str(shared_drafts.outcome(draft_of(Statement.objects.get(key="claim"))).problems)
    out = there.folder.parent / "out"
    command("export_content", out)
    assert "Theirs" not in (out / "sources.yaml").read_text(), "An export carries no drafts."
    assert "waiting   Source “The study EDA (EDA)”" in take(there)
    summary = there.fields("b-sheet")["summary"]
    there.fields("b-sheet")["summary"] = "It is <b>safe</b>."
    with pytest.raises(CommandError, match="“<b>” is HTML"):
        take(there)
    there.fields("b-sheet")["summary"] = summary
    there.fields("first")["body"] = "Words. [@NOWHERE]\n"
    with pytest.raises(CommandError, match="no source has the key NOWHERE"):
        take(there)
    there.write()
    (there.folder / "search.yaml").write_text("[" * 100_000)
    for reads in (["import_content"], ["load_content", "--folder"]):
        with pytest.raises(CommandError, match=r"search\.yaml .* nested too deeply"):
            command(*reads, there.folder)
    (there.folder / "search.yaml").unlink()
    (there.folder / "pictures").mkdir()
    (there.folder / "pictures" / f"{'a' * 32}-800.jpg").write_bytes(b"no picture")
    with pytest.raises(CommandError, match="pictures/aaa"):
        take(there)


@pytest.mark.long
def test_red_flags_go_into_a_draft_for_a_second_person(tmp_path):
    editor = person("Edith", "editor")
    out = tmp_path / "out"
    command("export_content", out)
    assert "There is nothing to import." in command("import_content", out)
    # From here on of this file alone: of all files an import reads each record twice, which takes six seconds a time.
    alone = tmp_path / "alone"
    alone.mkdir()
    path = (out / "safety_advice.yaml").rename(alone / "safety_advice.yaml")
    live = SafetyAdvice.objects.get(code="RF-E1").short_text
    path.write_text(path.read_text().replace(live, "other words"))
    assert "red flag  Other words (RF-E1), short text:" in command("import_content", alone)
    # Retired there, and installed here by a release whose flags had a field that there is no longer.
    installed = InstalledRecord.objects.get(label="factsheets.safetyadvice", natural_key="RF-R1")
    installed.fields["of_old"] = "words"
    installed.save()
    with_all = path.read_text()
    path.write_text(yaml.safe_dump([each for each in yaml.safe_load(with_all) if each["fields"]["code"] != "RF-R1"]))
    assert "(RF-R1) (retired)" in command("import_content", alone)
    path.write_text(with_all)
    assert safety_drafts.current() is None
    command("import_content", alone, "--apply", "--by", editor.username)
    assert SafetyAdvice.objects.get(code="RF-E1").short_text == live
    assert safety_drafts.find(safety_drafts.current().content, "RF-E1")["short_text"] == "other words"
    assert "waiting   Red flags: in an open draft" in command("import_content", alone)
    path.write_text(path.read_text().replace("other words", "still other words"))
    assert "Red flags: There is already an open draft." in command("import_content", alone)

    # Both wrote: here words of one, a flag of our own, and one that the file does not have; there words of three, and another flag.
    safety_drafts.discard(version=safety_drafts.current().version, by=editor)
    ours, theirs = SafetyAdvice.objects, {each["fields"]["code"]: each for each in yaml.safe_load(with_all)}
    for code, words in (("RF-E1", "our words"), ("RF-R1", "our words for it")):
        ours.filter(code=code).update(short_text=words)
    own = ours.get(code="RF-R2")
    own.pk, own.code, own.short_text = None, "RF-R98", "a flag of our own"
    own.save()
    theirs["RF-E1"]["fields"] |= {"short_text": "their words", "why": "Their reason."}
    theirs["RF-E2"]["fields"]["short_text"] = "only theirs"
    theirs["RF-R99"] = {
        **theirs["RF-R2"],
        "fields": theirs["RF-R2"]["fields"] | {"code": "RF-R99", "short_text": "new there"},
    }
    for gone in ("RF-R1", "RF-R3"):
        del theirs[gone]
    path.write_text(yaml.safe_dump(list(theirs.values())))
    shown = command("import_content", alone)
    assert "ours kept Their words (RF-E1), short text: [-our-]{+their+} words" in shown
    assert "ours kept Our words for it (RF-R1) (retired)" in shown
    command("import_content", alone, "--apply", "--by", editor.username)
    draft = safety_drafts.current().content
    said = {flag["code"]: (flag["short_text"], flag["why"]) for flag in draft}
    assert (said["RF-E1"], said["RF-E2"][0]) == (("our words", "Their reason."), "only theirs")
    assert (said["RF-R1"][0], said["RF-R98"][0], said["RF-R99"][0]) == (
        "our words for it",
        "a flag of our own",
        "new there",
    )
    assert "RF-R3" not in said, "Nobody wrote in it here."
    assert ours.get(code="RF-E2").short_text != "only theirs"
    safety_drafts.discard(version=safety_drafts.current().version, by=editor)
    command("import_content", alone, "--apply", "--replace-ours", "--by", editor.username)
    all_theirs = {flag["code"]: flag["short_text"] for flag in safety_drafts.current().content}
    assert all_theirs == {code: each["fields"]["short_text"] for code, each in theirs.items()}


def zipped(folder: Path, inside: str = "content/") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files_of(folder).items():
            archive.writestr(f"{inside}{name}", data)
    return out.getvalue()


def bring(client, data: bytes, name: str = "content-2026-11-30.zip"):
    file = SimpleUploadedFile(name, data, content_type="application/zip")
    return client.post(reverse("admin:factsheets_import_content"), {"file": file}, follow=True)


@pytest.mark.long
def test_an_editor_reads_the_difference_on_the_desk_and_takes_it_over_with_one_press(there, client):
    editor, address = person("Edith", "editor"), reverse("admin:factsheets_import_content")
    client.force_login(editor)
    assert address in client.get(reverse("admin:factsheets_factsheet_changelist")).content.decode()
    Section.objects.filter(slug="second").update(body="Our second words. [@EDB]\n")
    there.fields("first")["body"] = "The newer first words. [@EDA]\n"
    there.fields("second")["body"] = "Their second words. [@EDB]\n"
    there.fields("claim")["direction"] = "helps"
    there.fields("a-topic")["question"] = "Why does their test need one?"
    there.files["claims.yaml"] = [entry("claim", ref="Z-01", status="drop", statement="No.", to_check=False)]
    there.write()
    shown = text(tree(bring(client, zipped(there.folder))))
    assert "Nothing has been changed yet." in shown
    assert "The newer first words." in shown
    assert "Fact sheet “A sheet” Changed in the file First text" in shown
    assert "Written here, and other in the file A sheet: Second Body" in shown
    assert "This has no draft, so it changes as soon as you import it" in shown
    assert "“A topic”" in shown
    assert "Claim “Z-01: No.”: only an owner may change this." in shown
    live = FactSheet.objects.get(slug=PART)
    assert live.open_draft is None
    page = client.get(address)
    assert choices_of(page)["level-sheet-a-sheet"] == ["0", "1*", "2"], "Ours stays, unless somebody says otherwise."
    assert choices_of(client.get(address, {"theirs": ""}))["level-sheet-a-sheet"] == ["0", "1", "2*"]
    seen = next(each.get("value") for each in tree(page).iter() if each.get("name") == "seen")

    Section.objects.filter(slug="first").update(body="Our first words. [@EDA]\n")
    refused = client.post(address, {"do": "take", "seen": seen, "level-sheet-a-sheet": "0"})
    assert refused.status_code == 422
    assert "Somebody changed something here in the meantime." in text(tree(refused))
    assert live.open_draft is None
    assert "Our" in crossed_out(refused), "The file is still there, with the new difference."
    assert choices_of(refused)["level-sheet-a-sheet"] == ["0*", "2"], "What was chosen is still chosen."
    Section.objects.filter(slug="first").update(body="The first words. [@EDA]\n")
    left = {"level-sheet-a-sheet": "1", f"level-statement-{Statement.objects.get(key='claim').pk}": "0"}
    assert "has been imported" in text(tree(client.post(address, {"do": "take", "seen": seen} | left, follow=True)))
    assert bodies(live.open_draft) == ["The newer first words. [@EDA]\n", "Our second words. [@EDB]\n", ""]
    assert bodies(live)[0] == "The first words. [@EDA]\n"
    assert not SharedDraft.objects.exists(), "Somebody chose to keep ours."
    assert Topic.objects.get(slug="a-topic").question == "Why does their test need one?"
    assert not Claim.objects.filter(ref="Z-01").exists()
    assert live.open_draft.editions.first().actor == "Edith"
    assert not ContentUpload.objects.exists()
    again = text(tree(client.post(address, {"do": "take", "seen": seen}, follow=True)))
    assert "There is no file to import." in again

    there.fields("first")["body"] = "Newer still. [@EDA]\n"
    there.write()
    shown = bring(client, zipped(there.folder))
    said = text(tree(shown))
    assert "Fact sheet “A sheet” There is an open draft of this here, so nothing is taken." in said
    assert "level-sheet-a-sheet" not in choices_of(shown)


def choices_of(answer) -> dict[str, list[str]]:
    """What may be done with each sheet or record on the page, with a star at what is ticked."""
    found: dict[str, list[str]] = {}
    for each in tree(answer).iter("input"):
        if each.get("type") == "radio":
            found.setdefault(each.get("name"), []).append(each.get("value") + "*" * (each.get("checked") is not None))
    return found


def test_what_one_installation_exports_and_another_imports_is_exported_there_again(there, tmp_path):
    """Both changed the content they began with. The other one takes all of the file, publishes it, and says the same."""
    editor, clinician = person("Edith", "editor"), person("Clive", "clinician")
    of_the_site = (
        FactSheet,
        Statement,
        Source,
        Topic,
        Figure,
        GlossaryTerm,
        Claim,
        Synonym,
        SearchQuestions,
        InstalledRecord,
    )

    def begin() -> None:
        for model in of_the_site:
            model.objects.all().delete()
        there.load()

    begin()
    Section.objects.filter(slug="second").update(position=13)  # as when a release puts a new section between two others
    Section.objects.filter(slug="first").update(body="The very first words. [@EDA]\n")
    Source.objects.filter(key="EDA").update(to_check="The table on page 3.")
    Statement.objects.filter(key="claim").update(burden="A visit a week.")
    actions.refresh_all()
    actions.keep_edition(sheet=FactSheet.objects.get(slug=PART), by=editor)
    here, again = tmp_path / "here", tmp_path / "again"
    command("export_content", here)
    assert "There is nothing to import." in command("import_content", here), "A gap between two places says nothing."
    sheet = here / f"sheets/{PART}.yaml"
    exported = sheet.read_text()
    sheet.write_text(exported.replace("position: 10", "position: 25"))
    assert "Order of the sections" in command("import_content", here)
    sheet.write_text(exported)

    begin()
    Section.objects.filter(slug="second").update(body="The other second words. [@EDB]\n")
    Statement.objects.filter(key="claim").update(burden="An hour a day.")
    actions.refresh_all()
    said = command("import_content", here)
    assert "ours kept A sheet: Second, Body: The[- other-] second words." in " ".join(said.split()), said
    command("import_content", here, "--apply", "--by", editor.username, "--replace-ours")
    published_draft(Source.objects.get(key="EDA"), editor)
    published_draft(Statement.objects.get(key="claim"), clinician)
    actions.correct(draft=FactSheet.objects.get(slug=PART).open_draft, by=editor, reason="From the other site.")
    command("export_content", again)
    first, second = files_of(here), files_of(again)
    assert "position: 20" in first[f"sheets/{PART}.yaml"].decode()
    assert [name for name in first if first[name] != second[name]] == [], "It says the same there."


def crossed_out(answer) -> list[str]:
    return [text(each) for each in tree(answer).iter("del")]


@pytest.mark.parametrize("choice", ["keep", "take"])
def test_a_file_that_says_what_was_edited_away_here_is_shown_as_different_and_taken_only_when_asked(
    there, client, choice
):
    """Only this site changed the words, so there is nothing newer in the file: but it says something else."""
    editor, address = person("Edith", "editor"), reverse("admin:factsheets_import_content")
    client.force_login(editor)
    there.write()
    data = zipped(there.folder)
    assert "There is nothing to import: the file says what this site says." in text(tree(bring(client, data)))
    Section.objects.filter(slug="first").update(body="Our own words. [@EDA]\n")
    Source.objects.filter(key="EDA").update(title="Our own title")
    sheet, source = FactSheet.objects.get(slug=PART), Source.objects.get(key="EDA")
    page = client.get(address)
    said = text(tree(page))
    assert "nothing to import" not in said
    assert crossed_out(page) == ["Our", "own", "title", "Our", "own"]
    levels = choices_of(page)
    assert levels == {"level-sheet-a-sheet": ["0*", "2"], f"level-source-{source.pk}": ["0*", "2"]}
    seen = next(each.get("value") for each in tree(page).iter() if each.get("name") == "seen")
    given = {"do": "take", "seen": seen} | (dict.fromkeys(levels, "2") if choice == "take" else {})
    if choice == "take":
        draft = actions.begin_draft(sheet=sheet, by=editor)
        Section.objects.filter(sheet=draft, slug="first").update(body="A colleague’s words. [@EDA]\n")
        refused = client.post(address, given | {f"level-source-{source.pk}": "0"})
        assert refused.status_code == 422
        assert "Left out: Fact sheet “A sheet”: it has an open draft. Publish or discard that" in text(tree(refused))
        assert choices_of(refused)["level-sheet-a-sheet"] == ["0", "2*"], (
            "The file is still there, with what was chosen."
        )
        Section.objects.filter(sheet=draft, slug="first").update(body="The first words. [@EDA]\n")
        bring(client, data)
        done = text(tree(client.post(address, given | {f"level-source-{source.pk}": "0"}, follow=True)))
        assert "Already in an open draft, word for word: Fact sheet “A sheet”." in done
        actions.discard_draft(draft=draft, by=editor)
        bring(client, data)
    done = text(tree(client.post(address, given, follow=True)))
    assert bodies(sheet)[0] == "Our own words. [@EDA]\n", "Readers see ours until a draft is published."
    if choice == "keep":
        assert "was taken: you kept everything as it is here." in done
        assert sheet.open_draft is None and not SharedDraft.objects.exists()
    else:
        assert bodies(sheet.open_draft)[0] == "The first words. [@EDA]\n"
        assert draft_of(source).content["title"] == "The study EDA"


@pytest.mark.long
def test_a_file_that_is_no_content_is_refused_in_words_and_changes_nothing(there, client, monkeypatch):
    client.force_login(person("Edith", "editor"))
    address = reverse("admin:factsheets_import_content")
    there.fields("first")["body"] = "The newer first words. [@EDA]\n"
    there.write()
    good = zipped(there.folder, inside="")
    (there.folder / "notes.txt").write_text("Notes.")
    (there.folder / ".DS_Store").write_text("Litter.")
    strange = zipped(there.folder)
    (there.folder / "notes.txt").unlink()
    for data, words in [
        (b"", "The file is empty."),
        (b"%PDF-1.7 and more", "This is not a file that “Download all content” made."),
        (good[: len(good) // 2], "The file is damaged or incomplete."),
        (good[:200] + b"\xff" * 8 + good[208:], "The file is damaged or incomplete."),
        (strange, "“content/notes.txt” in it is no file of a site’s content."),
        (b"PK" + bytes(content_upload.MAX_BYTES), "The file is larger than 20 MB."),
    ]:
        answer = bring(client, data)
        assert words in text(tree(answer)), words
        assert not ContentUpload.objects.exists()
    assert "Choose a file first." in text(tree(client.post(address, {})))
    monkeypatch.setattr(content_upload, "MAX_UNPACKED", 100)
    assert "There is far more in this file" in text(tree(bring(client, good)))
    monkeypatch.undo()
    bring(client, good)
    assert "The newer first words." in text(tree(client.get(address)))
    for found in ("[" * 100_000, "{field: is unknown", "- model: factsheets.poem\n  fields: {}\n"):
        (there.folder / "topics.yaml").write_text(found)
        shown = text(tree(bring(client, zipped(there.folder))))
        assert "topics.yaml" in shown and "Nothing has been changed." in shown
        assert "Import this" not in shown
    there.fields("first")["mood"] = "newer than this site"
    there.write()
    shown = text(tree(bring(client, zipped(there.folder))))
    assert "The file may be of another version of backcare. Nothing has been changed." in shown
    assert "Put away." in text(tree(client.post(address, {"do": "leave"}, follow=True)))
    assert not ContentUpload.objects.exists()
    assert FactSheet.objects.get(slug=PART).open_draft is None


@pytest.mark.long
def test_owners_and_editors_download_all_content_and_nobody_else(client, staff_client):
    address = reverse("admin:factsheets_content")
    answer = staff_client.get(address)
    assert answer["Content-Disposition"].startswith('attachment; filename="content-')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "content/sheets/about-back-pain.yaml" in archive.namelist()
    client.force_login(person("Edith", "editor"))
    assert client.get(address).status_code == 200
    bring(client, zipped(settings.BASE_DIR / "fixtures"))
    [rule] = [each for each in RULES if each.name == "uploads"]
    assert not rule.due(timezone.now() + timedelta(days=13)).exists()
    assert rule.due(timezone.now() + timedelta(days=15)).count() == 1
    client.force_login(person("Clive", "clinician"))
    assert client.get(reverse("admin:factsheets_import_content")).status_code == 403
    assert client.get(address).status_code == 403


def posted_meanwhile(question: str) -> str:
    """A patient's question, sent by another thread, over a connection of its own. Where it led, or why it failed."""
    answers = []

    def ask_now():
        try:
            answers.append(ask("question", description=question).get("Location", "no way on"))
        except Exception as error:  # noqa: BLE001 - it is said by the test
            answers.append(repr(error))
        finally:
            connection.close()

    patient = threading.Thread(target=ask_now)
    patient.start()
    patient.join(60)
    return answers[0] if answers else "still waiting"


def test_patients_send_while_an_import_is_compared_and_a_draft_is_shown(transactional_db, tmp_path, author):
    folder = tmp_path / "content"
    command("export_content", folder)
    path = folder / "glossary.yaml"
    term = GlossaryTerm.objects.first()
    path.write_text(path.read_text().replace(term.meaning, "Another meaning."))
    for each in set(folder.rglob("*.yaml")) - {path}:
        each.unlink()
    led = []

    def last(done: int, of: int) -> None:
        if done == of:
            led.append(posted_meanwhile("May I swim?"))

    found = content_import.import_content(folder, by=author, progress=last)
    assert [each.after for each in found.shared] == ["Another meaning."]
    content = shared_revisions.snapshot(term) | {"meaning": "A third meaning."}
    given = {"model": GlossaryTerm, "pk": term.pk, "content": content, "name": term.term, "by": author}
    draft = shared_drafts.begin(**given)
    with shared_drafts.applied(draft) as record:
        record.save()
        assert GlossaryTerm.objects.get(pk=term.pk).meaning == "A third meaning."
        led.append(posted_meanwhile("May I run?"))
    term.refresh_from_db()
    assert term.meaning not in {"Another meaning.", "A third meaning."}
    assert [each.startswith("/question/sent/") for each in led] == [True, True], led
    assert Enquiry.objects.count() == 2
