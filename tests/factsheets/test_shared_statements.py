"""One claim, one verdict: a statement of evidence is edited once, and every sheet that shows it follows."""

import os
import subprocess
import sys

import pytest
from django.urls import reverse

from factsheets import actions
from factsheets.models import Edition, FactSheet, InstalledRecord, Section, Statement, StatementUse
from tests.conftest import ROOT
from tests.support.desk import change_address, draft_of, errors_of, person, published_draft, save, take, values_of
from tests.support.edition import PART
from tests.support.edition import Edition as Fixtures
from tests.support.html import text, tree
from tests.support.reading import page
from tests.support.statements import of_sheet

pytestmark = pytest.mark.django_db
CBT = "cbt-for-long-term-pain"
SHOWING = ["long-term-pain", "stress-and-back-pain", "tests-and-treatments"]


@pytest.fixture
def desk(client):
    client.force_login(person("Una", "editor"))
    return client


@pytest.fixture
def cbt(db):
    return Statement.objects.get(key=CBT)


@pytest.mark.long
def test_an_edit_shows_in_every_sheet_and_each_keeps_an_edition(desk, cbt):
    assert sorted(sheet.slug for sheet in cbt.sheets) == SHOWING
    shown = text(tree(desk.get(change_address(cbt))))
    assert all(sheet.title in shown for sheet in cbt.sheets), "The editor sees which sheets a save changes."
    others = {sheet.pk: sheet.editions.count() for sheet in FactSheet.objects.exclude(slug__in=SHOWING)}
    new = {"detail": "New words on CBT. [@WILL20]", "note": "What CBT gives, reworded."}
    assert "A clinician must publish this: it changes text." in errors_of(save(desk, change_address(cbt), **new))
    save(desk, change_address(cbt), **new, _draft="1")
    assert "New words on CBT." not in text(page(desk, "/fact-sheets/long-term-pain/"))
    published_draft(cbt, person("Clive", "clinician"), note=new["note"])
    for slug in SHOWING:
        assert "New words on CBT." in text(page(desk, f"/fact-sheets/{slug}/"))
        newest = Edition.objects.filter(sheet__slug=slug).first()
        assert (newest.actor, newest.note, newest.public) == ("Una", "What CBT gives, reworded.", True)
    assert others == {pk: Edition.objects.filter(sheet=pk).count() for pk in others}
    sheet = FactSheet.objects.get(slug="long-term-pain")
    response = desk.post(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, 1]), follow=True)
    said = text(tree(response))
    assert "were not restored: Care based on CBT, for long-term pain" in said
    assert "New words on CBT." in text(page(desk, "/fact-sheets/stress-and-back-pain/"))


def test_an_edit_that_no_public_sheet_may_show_is_stopped_in_all_of_them(desk, cbt, client):
    before = cbt.detail
    errors = errors_of(save(desk, change_address(cbt), detail="CBT cures pain. [@WILL20]"))
    sections = Section.objects.filter(statement_uses__statement=cbt)
    assert sorted(section.sheet.slug for section in sections) == SHOWING
    for section in sections:
        assert f"{section.sheet.title}, {section.heading}: {cbt.claim}: “CBT cures pain.”" in errors
    assert "Do not promise a cure." in errors
    # As a draft it waits, and the page of the draft says why it cannot be published.
    save(desk, change_address(cbt), detail="CBT cures pain. [@WILL20]", _draft="1")
    draft = draft_of(cbt)
    refused = text(tree(take(desk, draft, "send")))
    assert "Fix these before publishing" in refused
    assert "“CBT cures pain.” Do not promise a cure." in refused
    take(desk, draft, "send", reason="It quotes what a patient said.")
    client.force_login(person("Clive", "clinician"))
    assert "It quotes what a patient said." in text(tree(client.get(f"/admin/factsheets/statement/drafts/{draft.pk}/")))
    cbt.refresh_from_db()
    assert cbt.detail == before
    assert "cures" not in text(page(desk, "/fact-sheets/long-term-pain/"))


@pytest.mark.both
def test_the_same_question_is_answered_once(desk, cbt):
    add = reverse("admin:factsheets_statement_add")
    words = {"claim": "CBT again", "direction": "helps", "grade": "G2", "sources-0": cbt.sources.first().title}
    same = {"treatment": cbt.treatment, "condition": cbt.condition, "comparison": cbt.comparison}
    assert "There is a statement on this treatment, condition and comparison already." in errors_of(
        save(desk, add, **words, **same)
    )
    assert not errors_of(save(desk, add, **words, **same | {"comparison": "waiting"}))
    assert Statement.objects.get(key="cbt-again").comparison == "waiting"
    needles = {"treatment": "acupuncture", "condition": "knee", "comparison": ""}
    assert "Say what NICE says" in errors_of(save(desk, add, **words, **needles))
    # Nothing has to be known by heart: words are enough, and words that say too little are met with a choice.
    other = same | {"comparison": "Usual care by a GP"}
    assert "Name at least one source." in errors_of(save(desk, add, **words | {"sources-0": " "}, **other))
    assert "There is no source “zebra”" in errors_of(save(desk, add, **words | {"sources-0": "zebra"}, **other))
    unclear = save(desk, add, **words | {"sources-0": "NICE low back pain"}, **other)
    assert "can be any of these. Name one:" in errors_of(unclear)
    assert values_of(unclear)["sources-0"] == "NICE low back pain"
    assert not errors_of(save(desk, add, **words | {"claim": "CBT once more", "sources-2": "MU20"}, **other))
    made = Statement.objects.get(key="cbt-once-more")
    assert (made.comparison, made.sources.count()) == ("usual-care-by-a-gp", 2)
    # Nor do signs of the text's markup.
    typed = {"detail": "CBT helps.", "_cite": "detail", "claim": "Not saved"}
    for asked, said in (
        ("zebra", "No source has all these words."),
        ("NICE low back pain", "Which source do you mean?"),
    ):
        assert said in errors_of(save(desk, add, **words | typed | {"_source": asked}, **other))
    cited = save(desk, add, **words | typed | {"_source": "MU20"}, **other)
    assert values_of(cited)["detail"] == "CBT helps. [@MU20]" and "Nothing has been saved." in errors_of(cited)
    strong = save(
        desk, add, **words | {"claim": "Not saved", "detail": "CBT helps.", "_sign": "detail:Strong"}, **other
    )
    assert values_of(strong)["detail"].endswith("**strong words**")
    assert not Statement.objects.filter(claim="Not saved").exists()


@pytest.mark.both
def test_a_statement_that_a_sheet_shows_cannot_be_deleted(desk, cbt):
    address = reverse("admin:factsheets_statement_delete", args=[cbt.pk])
    assert "would require deleting the following protected" in text(tree(desk.get(address)))
    desk.post(address, {"post": "yes"})
    assert Statement.objects.filter(pk=cbt.pk).exists()


def test_every_sheet_that_refers_to_a_statement_gives_the_same_verdict(db):
    said = {}
    for sheet in FactSheet.objects.published():
        for section in sheet.document["sections"]:
            for each in section.get("evidence", []):
                verdict = (each["grade"], each["direction"], each["nice_position"], each["html"].count("<p>"))
                said.setdefault(each["key"], set()).add(verdict)
    assert len(said) == Statement.objects.count()
    assert [key for key, verdicts in said.items() if len(verdicts) > 1] == []
    assert set(of_sheet("stress-and-back-pain").values_list("key", flat=True)) == {
        "staying-active-for-recent-pain",
        CBT,
        "stress-relief-tips",
    }


@pytest.mark.both
def test_newer_words_for_a_statement_that_staff_edited_are_settled_in_every_sheet(desk, tmp_path):
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.load()
    claim = Statement.objects.get(key="claim")
    Statement.objects.filter(pk=claim.pk).update(detail="Our own words. [@EDA]\n")
    actions.refresh_all()
    fixtures.fields("claim")["detail"] = "Newer words. [@EDA]\n"
    assert "kept your edit: factsheets.statement claim, detail" in fixtures.load()
    sheet = FactSheet.objects.get(slug=PART)
    shown = text(tree(desk.get(reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]))))
    assert "differs from your changes in 1 place" in shown
    installed = InstalledRecord.objects.exclude(offered={}).get()
    offers = reverse("admin:factsheets_offers")
    taken = desk.post(offers, {"record": installed.pk, "field": "detail", "take": "newer"}, follow=True)
    assert "The new wording is in the draft." in text(tree(taken))
    assert "Our own words." in text(page(desk, f"/fact-sheets/{PART}/"))
    # Few words and none of weight: an editor publishes them alone, as a small correction of a sheet.
    assert "Published." in text(tree(take(desk, draft_of(claim), "publish")))
    assert "Newer words." in text(page(desk, f"/fact-sheets/{PART}/"))
    assert "No differences to settle." in text(tree(desk.get(offers)))
    assert sheet.editions.first().changes == ["Changed: Proof"]


@pytest.mark.both
@pytest.mark.long
def test_an_edition_puts_statements_back_in_their_places(db):
    sheet = FactSheet.objects.get(slug="long-term-pain")
    kept = sheet.editions.first() or actions.keep_edition(sheet=sheet, by=None, step="installed")
    before = places(sheet)
    assert len(before) > 2
    StatementUse.objects.filter(section__sheet=sheet, position__lte=20).delete()
    actions.roll_back(edition=kept, by=person("Una", "editor"))
    # The sheet is public, so the words wait in its draft.
    assert places(sheet.open_draft) == before


def places(sheet: FactSheet) -> list[tuple]:
    uses = StatementUse.objects.filter(section__sheet=sheet)
    return sorted(uses.values_list("section__slug", "position", "statement__key"))


# --- the migration, in its own database ---

BEFORE = """
from tests.support.migrations import one_by_one
old = one_by_one()
old.migrate([("factsheets", "0006_pages")])
apps = old.loader.project_state(("factsheets", "0006_pages")).apps
get = lambda name: apps.get_model("factsheets", name)
topic = get("Topic").objects.create(slug="t", title="T", question="Q")
source = get("Source").objects.create(key="EDA", kind="trial", title="A study")
def stated(slug, name, by_staff=False, **words):
    texts = dict.fromkeys(["title", "summary", "audience", "key_points"], slug)
    sheet, _ = get("FactSheet").objects.get_or_create(slug=slug, defaults={"topic": topic, **texts})
    heading = {"kind": "evidence", "heading": "Proof"}
    section, _ = get("Section").objects.get_or_create(sheet=sheet, slug="proof", defaults=heading)
    plain = {"treatment": "cbt", "claim": "Installed", "detail": "", "grade": "G2", "direction": "helps"}
    plain |= {"nice_position": "", "claim_refs": [], "position": 10}
    if not by_staff:
        get("InstalledRecord").objects.create(
            label="factsheets.evidencestatement",
            natural_key=f"{slug} proof {name}",
            fields={"section": [slug, "proof"], "slug": name, "sources": [["EDA"]], **plain},
        )
    if words.pop("deleted", False):
        return
    made = get("EvidenceStatement").objects.create(section=section, slug=name, **plain | words)
    made.sources.add(source)
    number = get("Edition").objects.count() + 1
    kept = {"sections": [{"slug": "proof", "evidence": [{"slug": name, "claim": "x", "sources": []}]}]}
    get("Edition").objects.create(sheet=sheet, number=number, step="installed", state="draft", content=kept)
stated("stress-and-back-pain", "cbt-based-care")
stated("long-term-pain", "cbt", detail="In the words of staff")
stated("long-term-pain", "yoga", by_staff=True, treatment="yoga", claim="Yoga")
stated("looking-after-your-back", "cold", deleted=True)
"""
AFTER = """
from factsheets.models import *
def told(use):
    said = use.statement
    sources = [source.key for source in said.sources.all()]
    return (use.section.sheet.slug, said.key, said.claim, said.detail, said.direction, sources)
print([told(use) for use in StatementUse.objects.order_by("section__sheet__slug", "statement__key")])
print(sorted((r.label, r.natural_key) for r in InstalledRecord.objects.all()))
print(InstalledRecord.objects.get(label="factsheets.statement").fields["detail"] == "")
print([each["key"] for e in Edition.objects.order_by("number") for each in e.content["sections"][0]["evidence"]])
"""


@pytest.mark.once
@pytest.mark.process
def test_the_migration_keeps_what_staff_edited_added_and_deleted(tmp_path):
    def manage(*arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "BACKCARE_LOCAL": "1", "DATA_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("shell", "-v0", "-c", BEFORE)
    manage("migrate", "-v0", "factsheets")
    uses, installed, base_is_as_installed, in_editions = manage("shell", "-v0", "-c", AFTER).splitlines()
    shared = ("Installed", "In the words of staff", "helps", ["EDA"])
    assert uses == str(
        [
            ("long-term-pain", CBT, *shared),
            ("long-term-pain", "yoga", "Yoga", "", "helps", ["EDA"]),
            ("stress-and-back-pain", CBT, *shared),
        ]
    )
    assert installed == str(
        [
            ("factsheets.statement", CBT),
            ("factsheets.statementuse", f"long-term-pain proof {CBT}"),
            ("factsheets.statementuse", "looking-after-your-back proof cold-for-back-pain"),
            ("factsheets.statementuse", f"stress-and-back-pain proof {CBT}"),
        ]
    )
    assert base_is_as_installed == "True", "An upgrade must still see that the words are those of staff."
    assert in_editions == str([CBT, CBT, "yoga"])
