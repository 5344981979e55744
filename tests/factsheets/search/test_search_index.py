"""The index follows the content: with the same commit, for what is published only, and no more than is needed."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from factsheets import actions
from factsheets.models import (
    FactSheet,
    GlossaryTerm,
    SearchEntry,
    SearchMiss,
    SearchPassage,
    SearchPosting,
    Section,
    State,
    Synonym,
)
from factsheets.search import index, pages
from tests.support.desk import change_address, person, published, save, tree, values_of
from tests.support.html import text
from tests.support.reading import ids, page
from tests.support.search import a_sheet, addresses, hits, search, titles

pytestmark = pytest.mark.usefixtures("db")


def test_the_content_is_indexed_when_it_is_loaded(db):
    kinds = set(SearchEntry.objects.values_list("kind", flat=True))
    assert kinds == {"sheet", "term", "page"}
    assert SearchEntry.objects.filter(kind="sheet").count() == FactSheet.objects.count()
    assert SearchEntry.objects.filter(kind="term").count() == GlossaryTerm.objects.count()
    assert index.update_all() == 0, "Nothing is indexed anew when nothing changed."


def test_every_section_can_be_found_at_its_place(db):
    for sheet in FactSheet.objects.published():
        anchors = set(SearchPassage.objects.filter(entry__sheet=sheet).values_list("anchor", flat=True))
        assert anchors == {"", "key-points"} | set(sheet.sections.values_list("slug", flat=True))


def test_every_page_of_the_frame_and_place_in_the_index_is_there(client):
    for entry, _, passages in pages.entries():
        there = ids(page(client, entry["address"]))
        assert not [each.anchor for each in passages if each.anchor and each.anchor not in there], entry["address"]


def test_an_edit_is_found_on_the_next_search_and_the_old_words_are_not(client):
    sheet = a_sheet("one", "Alpha", body="A zebrafish.")
    section = sheet.sections.get()
    section.body = "A platypus."
    section.save()
    actions.refresh(sheet=sheet)
    assert titles(search(Client(), "platypus")) == ["Alpha"]
    assert not hits(search(Client(), "zebrafish"))


def test_an_edit_at_the_editors_desk_is_found_on_the_next_search(client):
    author = person("Edith", "editor")
    sheet = published(author, person("Clive", "clinician"))
    client.force_login(author)
    save(client, change_address(sheet.sections.get()), body="Keep a platypus moving. [@NG59]", note="A platypus.")
    assert titles(search(Client(), "platypus")) == [sheet.title]


def test_an_edit_that_is_rolled_back_leaves_the_index_as_it_was(client):
    sheet = a_sheet("one", "Alpha", body="A zebrafish.")
    with pytest.raises(DatabaseError), transaction.atomic():
        Section.objects.filter(sheet=sheet).update(body="A platypus.")
        actions.refresh(sheet=sheet)
        assert titles(search(client, "platypus")) == ["Alpha"]
        raise DatabaseError
    assert titles(search(client, "zebrafish")) == ["Alpha"]
    assert not hits(search(client, "platypus"))


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.RETIRED])
def test_a_sheet_that_is_not_published_is_not_found_and_needs_no_new_index(client, staff_client, state):
    sheet = a_sheet("one", "Zebrafish")
    FactSheet.objects.filter(pk=sheet.pk).update(state=state)
    for reader in (Client(), staff_client):
        assert not hits(search(reader, "zebrafish"))
    FactSheet.objects.filter(pk=sheet.pk).update(state=State.PUBLISHED)
    assert titles(search(Client(), "zebrafish")) == ["Zebrafish"]


def test_a_new_address_of_a_sheet_needs_no_new_index(client):
    sheet = a_sheet("one", "Zebrafish")
    FactSheet.objects.filter(pk=sheet.pk).update(slug="another")
    assert addresses(search(client, "zebrafish")) == ["/fact-sheets/another/"]


def test_glossary_terms_come_change_and_go_with_the_editors_desk(client):
    client.force_login(person("Edith", "editor"))
    add = reverse("admin:factsheets_glossaryterm_add")
    save(client, add, term="Zebrafish", slug="zebrafish", also="danio", meaning="A small fish.")
    assert addresses(search(Client(), "danio")) == ["/glossary/#zebrafish"]
    term = GlossaryTerm.objects.get(slug="zebrafish")
    save(client, change_address(term), meaning="A platypus.")
    assert addresses(search(Client(), "platypus")) == ["/glossary/#zebrafish"]
    client.post(reverse("admin:factsheets_glossaryterm_delete", args=[term.pk]), {"post": "yes"})
    assert not hits(search(Client(), "platypus"))


def test_an_index_from_before_an_upgrade_is_made_anew(client, monkeypatch):
    a_sheet("one", "Alpha", body="A zebrafish.")
    SearchEntry.objects.all().delete()
    assert not hits(search(client, "zebrafish"))
    actions.refresh_all()
    assert titles(search(client, "zebrafish")) == ["Alpha"]
    monkeypatch.setattr(index, "VERSION", index.VERSION + 1)
    assert index.update_all() == SearchEntry.objects.count()


def test_what_goes_takes_its_rows_along(db):
    before = [model.objects.count() for model in (SearchEntry, SearchPassage, SearchPosting)]
    a_sheet("one", "Zebrafish").delete()
    assert [model.objects.count() for model in (SearchEntry, SearchPassage, SearchPosting)] == before


def test_a_search_takes_few_queries_however_many_words_it_has(client, django_assert_max_num_queries):
    search(client, "sciatica")
    with django_assert_max_num_queries(12):
        search(client, "how long does a slipped disk last when I sit at a desk with stress and sleep badly")


def test_the_index_that_ranking_reads_is_used(db):
    """On either database: without it a search would read every posting."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = (
            SearchPosting.objects.filter(stem="sciatica")
            .order_by("-weight", "entry_id")
            .values_list("entry_id", "weight")[:10]
            .explain()
        )
    assert "search_posting_best" in plan
    assert "sort" not in plan.lower()
    assert "temp b-tree" not in plan.lower()


# --- what editors keep ---


def test_editors_write_synonyms_with_commas_at_their_desk(client):
    client.force_login(person("Edith", "editor"))
    answer = save(client, reverse("admin:factsheets_synonym_add"), words="lumbago, low back pain")
    assert "was added successfully" in text(tree(answer))
    group = Synonym.objects.get(words__startswith="lumbago")
    assert group.slug == "lumbago"
    assert "/fact-sheets/about-back-pain/" in addresses(search(Client(), "lumbago"))
    save(client, change_address(group), words="lumbago, spinal stenosis")
    assert "/glossary/#spinal-stenosis" in addresses(search(Client(), "lumbago"))
    save(client, reverse("admin:factsheets_synonym_add"), words="lumbago, back ache")
    assert Synonym.objects.filter(slug="lumbago-2").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lumbago", "at least two different words"),
        ("lumbago, LUMBAGO,", "at least two different words"),
        ("lumbago, !!", "is not a word"),
        (f"lumbago, {'x' * 61}", "is not a word"),
        (", ".join(f"word{number}" for number in range(13)), "at most 12"),
    ],
)
def test_synonyms_that_make_no_sense_are_refused_in_words(client, words, said):
    client.force_login(person("Edith", "editor"))
    answer = save(client, reverse("admin:factsheets_synonym_add"), words=words)
    assert said in text(tree(answer))
    assert not Synonym.objects.filter(words=words).exists()


def test_there_are_many_groups_of_lay_words_and_most_lead_somewhere(client):
    groups = Synonym.objects.all()
    assert len(groups) >= 40
    nowhere = [group.words for group in groups if not hits(search(client, group.phrases[0]))]
    assert not nowhere


def test_editors_see_what_was_often_not_found_and_go_on_to_synonyms(client):
    SearchMiss.objects.create(digest="a", times=7, days=3, text="lumbago")
    SearchMiss.objects.create(digest="b", times=2, days=1)
    client.force_login(person("Edith", "editor"))
    shown = client.get(reverse("admin:factsheets_searchmiss_changelist"))
    said = text(tree(shown))
    assert "lumbago" in said
    assert "Plus 1 rarer searches, counted but not listed" in said
    link = f"{reverse('admin:factsheets_synonym_add')}?words=lumbago%2C+"
    assert link in [node.get("href") for node in tree(shown).iter("a")]
    assert values_of(client.get(link))["words"] == "lumbago, "
