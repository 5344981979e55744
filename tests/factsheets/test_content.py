"""load_content installs and upgrades the sheets, and keeps what staff edited."""

import re

import pytest
from django.core.management import CommandError
from django.db import connection

from factsheets import actions
from factsheets.content import MODELS
from factsheets.models import FactSheet, InstalledRecord, RelatedSheet, Section, Source, Statement, StatementUse
from tests.support.edition import PART, SHEET, Edition, run, section, source, statement, statement_use
from tests.support.statements import stated


@pytest.fixture
def edition(tmp_path, db):
    """The small edition, installed."""
    made = Edition(tmp_path, alone=True)
    made.load()
    return made


def part(slug: str) -> Section:
    return Section.objects.get(sheet__slug=PART, slug=slug)


def staff_edit(record, **changes) -> None:
    """What the admin does when an editor saves."""
    for name, value in changes.items():
        setattr(record, name, value)
    record.full_clean()
    record.save()
    actions.refresh_all()


def everything() -> dict:
    """Every content row of the database, column by column, as it is stored."""
    rows = {}
    with connection.cursor() as cursor:
        for model in [*MODELS, InstalledRecord, Statement.sources.through]:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}" ORDER BY id')  # noqa: S608 - names of our own
            rows[model._meta.label] = cursor.fetchall()
    return rows


def counts(said: str) -> list[int]:
    """Added, changed, removed, as they were, kept."""
    return [int(number) for number in re.findall(r"\d+", said.splitlines()[-1])]


def page(client, slug: str = PART) -> str:
    return client.get(f"/fact-sheets/{slug}/text/").content.decode()


@pytest.mark.both
@pytest.mark.long
def test_an_empty_database_has_got_every_sheet_and_a_second_run_changes_nothing(db):
    """The first run was that of the tests' own database. What it says of itself: tests/ops/test_run.py."""
    installed = InstalledRecord.objects.count()
    assert installed == sum(model.objects.count() for model in MODELS)
    assert FactSheet.objects.published().count() == 9
    before = everything()
    assert counts(run()) == [0, 0, 0, installed, 0]
    assert everything() == before


def test_an_untouched_record_is_upgraded_and_the_page_shows_it(edition, client):
    edition.fields("first")["body"] = "Newer words. [@EDB]\n"
    edition.fields("claim")["sources"] = [["EDB"]]
    edition.fields(PART)["title"] = "A better title"
    assert counts(edition.load())[1] == 3
    assert "Newer words." in page(client)
    assert "A better title" in page(client)
    assert [each.key for each in Statement.objects.get(key="claim").sources.all()] == ["EDB"]


@pytest.mark.long
def test_a_staff_edit_of_a_field_stays_and_both_texts_are_said_until_it_is_settled(edition, client):
    staff_edit(part("first"), body="The words of staff.\n")
    assert "kept your edit" not in edition.load(), "An edit that the fixtures do not contest is not a conflict."
    edition.fields("first")["body"] = "The words of the new edition.\n"
    for _ in range(2):
        said = edition.load()
        assert "kept your edit: factsheets.section a-sheet first, body" in said
        assert "yours:   The words of staff." in said
        assert "offered: The words of the new edition." in said
        assert counts(said)[4] == 1
        assert "The words of staff." in page(client)
        assert "new edition" not in page(client)
    staff_edit(part("first"), body="The words of the new edition.\n")
    assert counts(edition.load())[4] == 0
    edition.fields("first")["body"] = "The words of the third edition.\n"
    assert counts(edition.load())[1] == 1, "Once staff took the fixture's words, the field is the fixtures' again."


def test_two_long_texts_are_shown_where_they_part(edition):
    start = "The same long beginning. " * 30
    staff_edit(part("first"), body=f"{start}Staff end it so.\n")
    edition.fields("first")["body"] = f"{start}The edition ends it so.\n"
    said = edition.load()
    assert "Staff end it so." in said
    assert "The edition ends it so." in said


def test_a_staff_edit_of_one_field_and_an_upgrade_of_another_are_merged(edition, client):
    staff_edit(part("first"), heading="A heading by staff")
    edition.fields("first")["body"] = "Newer words.\n"
    said = edition.load()
    assert counts(said)[1] == 1
    assert counts(said)[4] == 0
    assert "A heading by staff" in page(client)
    assert "Newer words." in page(client)


def test_a_field_that_an_edition_names_for_the_first_time_is_not_mistaken_for_a_staff_edit(edition):
    edition.fields("first")["aspect"] = "causes"
    said = edition.load()
    assert counts(said)[4] == 0
    assert part("first").aspect == "causes"


@pytest.mark.long
def test_new_words_that_do_not_fit_beside_a_staff_edit_leave_the_record_whole(edition, client):
    edition.fields("first").update(kind="try", heading="Try this", body="- one thing\n")
    edition.load()
    staff_edit(part("first"), body="- a thing by staff\n")
    edition.fields("first").update(kind="steps", heading="How to do it", body="1. one step\n")
    said = edition.load()
    assert [f"a-sheet first, {name}" in said for name in ("body", "kind", "heading")] == [True, True, True]
    assert counts(said)[4] == 3
    assert (part("first").kind, part("first").heading) == ("try", "Try this")
    assert "a thing by staff" in page(client)
    edition.fields("second")["kind"] = "steps"
    with pytest.raises(CommandError, match=r"a-sheet\.yaml, entry 3: body: Write one list"):
        edition.load()  # but a fixture that is itself wrong is still reported


def test_a_review_signed_by_staff_outlives_every_upgrade(edition, staff):
    sheet = FactSheet.objects.get(slug=PART)
    staff_edit(sheet, reviewed_on="2026-05-01", reviewed_by=staff, review_due_on="2028-05-01", state="retired")
    edition.fields(PART)["title"] = "A better title"
    edition.load()
    sheet.refresh_from_db()
    assert (sheet.reviewed_by, sheet.state, sheet.title) == (staff, "retired", "A better title")


def test_what_staff_deleted_stays_deleted(edition, client):
    part("first").delete()
    edition.fields("first")["body"] = "Newer words.\n"
    for _ in range(2):
        said = edition.load()
        assert "kept your edit: factsheets.section a-sheet first, the whole record" in said
        assert "deleted by staff" in said
    assert not Section.objects.filter(slug="first", sheet__slug=PART).exists()
    assert "Newer words." not in page(client)


def test_what_hung_on_a_deleted_part_stays_deleted_with_it(edition):
    part("proof").delete()
    edition.files["statements.yaml"].append(statement("another"))
    edition.files[SHEET].append(statement_use("another"))
    said = edition.load()
    assert counts(said)[:3] == [1, 0, 0], "The statement itself belongs to no sheet."
    assert not StatementUse.objects.filter(section__sheet__slug=PART).exists()


def test_a_source_that_staff_deleted_does_not_stop_an_upgrade(edition, client):
    Source.objects.get(key="EDA").delete()
    edition.fields("second")["body"] = "Newer words. [@EDB]\n"
    said = edition.load()
    assert "readers keep the last good text of a-sheet: First: No source has the short name EDA" in said
    assert part("second").body == "Newer words. [@EDB]\n"
    assert "The first words. [1]" in page(client), "The last good text still has its numbered source."


def test_words_by_staff_that_cannot_be_shown_do_not_stop_an_upgrade(edition, client):
    first = part("first")
    first.body = "Words with a citation of nothing. [@NOWHERE]\n"
    first.save()
    edition.files["sheets/b-sheet.yaml"][0]["fields"]["title"] = "A better title"
    assert "readers keep the last good text of a-sheet" in edition.load()
    assert "The first words." in page(client)
    assert "A better title" in page(client, "b-sheet")


def test_a_record_that_staff_made_before_the_fixtures_had_it_is_theirs(edition, client):
    sheet = FactSheet.objects.get(slug=PART)
    Section.objects.create(sheet=sheet, slug="third", heading="Third", body="Words by staff.\n", position=40)
    edition.files[SHEET].append(section("third", heading="Third", body="Words by us.\n", position=40))
    for _ in range(2):
        said = edition.load()
        assert "yours:   Words by staff." in said
        assert "offered: Words by us." in said
        assert part("third").body == "Words by staff.\n"


def test_a_part_that_a_newer_edition_dropped_is_removed_with_what_it_held(edition, client):
    edition.drop("first")
    edition.drop("proof")
    edition.drop("claim")
    edition.files[SHEET] = [each for each in edition.files[SHEET] if each["model"] != "factsheets.relatedsheet"]
    said = edition.load("--verbosity", "2")
    assert counts(said)[2] == 4
    assert "remove factsheets.section a-sheet first" in said
    assert list(FactSheet.objects.get(slug=PART).sections.values_list("slug", flat=True)) == ["second"]
    assert not RelatedSheet.objects.filter(sheet__slug=PART).exists()
    assert "The first words." not in page(client)
    assert counts(edition.load())[:3] == [0, 0, 0]


def test_a_dropped_part_that_staff_edited_stays(edition, client):
    staff_edit(part("first"), body="The words of staff.\n")
    edition.drop("first")
    for _ in range(2):
        assert "kept your edit: factsheets.section a-sheet first, the whole record" in edition.load()
    assert "The words of staff." in page(client)


def test_a_dropped_section_stays_while_it_shows_a_statement_that_staff_put_there(edition):
    stated(part("proof"), "ours")
    edition.drop("proof")
    edition.drop("claim")
    edition.load()
    assert [each.key for each in part("proof").evidence] == ["ours"]


def test_a_statement_that_no_sheet_shows_any_more_keeps_the_words_of_staff(edition):
    staff_edit(Statement.objects.get(key="claim"), claim="Heat, in the words of staff")
    edition.drop("claim")
    edition.load()
    assert not part("proof").evidence
    assert Statement.objects.get(key="claim").claim == "Heat, in the words of staff"


def test_a_sheet_that_is_in_no_file_any_more_keeps_its_text(edition, client):
    del edition.files["sheets/b-sheet.yaml"]
    (edition.folder / "sheets" / "b-sheet.yaml").unlink()
    edition.files[SHEET] = [each for each in edition.files[SHEET] if each["model"] != "factsheets.relatedsheet"]
    edition.load()
    assert "Some words." in page(client, "b-sheet")


@pytest.mark.long
def test_a_dry_run_says_what_would_change_and_changes_nothing(edition, db):
    edition.files["sources.yaml"].append(source("EDC"))
    edition.fields("first")["body"] = "Newer words.\n"
    edition.drop("second")
    staff_edit(part("proof"), heading="Proof by staff")
    edition.fields("proof")["heading"] = "Proof by the edition"
    before = everything()
    said = edition.load("--dry-run")
    assert everything() == before
    assert "add factsheets.source EDC" in said
    assert "change factsheets.section a-sheet first: body" in said
    assert "remove factsheets.section a-sheet second" in said
    assert "kept your edit: factsheets.section a-sheet proof, heading" in said
    assert counts(said)[:3] == [1, 1, 1]
    assert counts(edition.load())[:3] == [1, 1, 1], "The real run does what the dry run said."


def test_a_dry_run_outside_any_transaction_changes_nothing_either(tmp_path, transactional_db):
    before = everything()
    made = Edition(tmp_path)
    assert counts(made.load("--dry-run"))[0] > 0
    assert everything() == before


@pytest.mark.long
def test_content_is_loaded_in_any_order_of_files_and_entries(tmp_path, db):
    made = Edition(tmp_path)
    made.files = {name: list(reversed(entries)) for name, entries in made.files.items()}
    made.files["aaa.yaml"] = made.files.pop("sheets/b-sheet.yaml")
    made.load()
    assert FactSheet.objects.filter(slug__in=[PART, "b-sheet"]).count() == 2
