"""The index follows the content: with the same commit, for what is published only, and no more than is needed."""

import pytest
import tantivy
from django.db import DatabaseError, OperationalError, transaction
from django.test import Client
from django.urls import reverse

from factsheets import actions
from factsheets.models import (
    FactSheet,
    GlossaryTerm,
    SearchMiss,
    SearchQuestions,
    Section,
    SharedDraft,
    State,
    Synonym,
)
from factsheets.search import index, pages
from tests.support.desk import change_address, person, published, published_draft, save, signed, values_of
from tests.support.html import text, tree
from tests.support.reading import ids, links, page
from tests.support.search import a_sheet, addresses, hits, search, titles

pytestmark = pytest.mark.usefixtures("db")


def test_everything_that_patients_may_read_is_in_the_index(db):
    entries = index.current().entries
    for prefix, records in (("sheet", FactSheet.objects.published()), ("term", GlossaryTerm.objects.all())):
        slugs = set(records.values_list("slug", flat=True))
        assert {key.partition(":")[2] for key in entries if key.startswith(f"{prefix}:")} == slugs
    for sheet in FactSheet.objects.published():
        assert set(sheet.sections.values_list("slug", flat=True)) <= set(entries[f"sheet:{sheet.slug}"].addresses)


def test_every_page_of_the_frame_and_place_in_the_index_is_there(client):
    for entry in pages.entries():
        there = ids(page(client, entry.address))
        assert not [each.anchor for each in entry.passages if each.anchor and each.anchor not in there], entry.address


def test_an_edit_is_found_on_the_next_search_and_the_old_words_are_not(client):
    sheet = a_sheet("one", "Alpha", body="A zebrafish.")
    section = sheet.sections.get()
    section.body = "A platypus."
    section.save()
    actions.refresh(sheet=sheet)
    assert titles(search(Client(), "platypus")) == ["Alpha"]
    assert not hits(search(Client(), "zebrafish"))


@pytest.mark.long
def test_an_edit_at_the_editors_desk_is_found_on_the_next_search(client):
    author = person("Edith", "editor")
    sheet = published(author, person("Clive", "clinician"))
    client.force_login(author)
    save(client, change_address(sheet.sections.get()), body="Keep a platypus moving. [@NG59]", note="A platypus.")
    assert not hits(search(Client(), "platypus")), "A draft is found."
    signed(sheet, author, FactSheet.objects.get(pk=sheet.pk).reviewed_by)
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


@pytest.mark.long
def test_glossary_terms_come_change_and_go_with_the_editors_desk(client, reviewer):
    client.force_login(person("Edith", "editor"))
    add = reverse("admin:factsheets_glossaryterm_add")
    save(client, add, term="Zebrafish", slug="zebrafish", also="danio", meaning="A small fish.", _draft="1")
    assert not hits(search(Client(), "danio")), "It is in the glossary once a clinician has read it."
    published_draft(SharedDraft.objects.get(), reviewer)
    assert addresses(search(Client(), "danio")) == ["/glossary/#zebrafish"]
    term = GlossaryTerm.objects.get(slug="zebrafish")
    save(client, change_address(term), meaning="A platypus.", _draft="1")
    published_draft(term, reviewer)
    assert addresses(search(Client(), "platypus")) == ["/glossary/#zebrafish"]
    client.post(reverse("admin:factsheets_glossaryterm_delete", args=[term.pk]))
    published_draft(term, reviewer)
    assert not hits(search(Client(), "platypus"))


def test_only_what_changed_is_indexed_anew(client):
    sheet = a_sheet("one", "Alpha", body="A zebrafish.")
    before = index.current()
    FactSheet.objects.filter(pk=sheet.pk).update(title="Beta")
    after = index.current()
    assert after.entries["sheet:one"].title == "Beta"
    kept = [key for key, entry in after.entries.items() if entry is before.entries.get(key)]
    assert len(kept) == len(after.entries) - 1
    assert titles(search(client, "zebrafish")) == ["Beta"]


def test_a_search_that_began_before_an_edit_ends_with_the_index_it_began_with(client):
    sheet = a_sheet("one", "Alpha", body="A zebrafish.")
    before = index.current()
    sheet.delete()
    assert not hits(search(client, "zebrafish"))
    found = before.searcher.search(tantivy.Query.term_query(before.engine.schema, "text", "zebrafish"), 5)
    assert [before.rows[before.searcher.doc(address)["row"][0]].entry.title for _, address in found.hits] == ["Alpha"]


@pytest.mark.parametrize("trouble", [OperationalError, RuntimeError])
def test_the_thread_that_keeps_the_index_fresh_outlives_trouble(monkeypatch, trouble):
    """A search that comes then makes the index itself."""
    asked = []

    def away():
        asked.append(1)
        raise trouble("away")

    def wait(seconds):
        if len(asked) == 3:
            raise SystemExit

    monkeypatch.setattr(index, "current", away)
    monkeypatch.setattr(index.time, "sleep", wait)
    with pytest.raises(SystemExit):
        index._watch()


def test_a_search_takes_few_queries_however_many_words_it_has(client, django_assert_max_num_queries):
    search(client, "sciatica")
    with django_assert_max_num_queries(8):
        search(client, "how long does a slipped disk last when I sit at a desk with stress and sleep badly")


# --- what editors keep ---


@pytest.mark.both
@pytest.mark.long
def test_editors_write_synonyms_with_commas_at_their_desk(client):
    client.force_login(person("Edith", "editor"))
    answer = save(client, reverse("admin:factsheets_synonym_add"), words="zebrafish, low back pain")
    assert "was added successfully" in text(tree(answer))
    group = Synonym.objects.get(words__startswith="zebrafish")
    assert group.slug == "zebrafish"
    assert "/fact-sheets/about-back-pain/" in addresses(search(Client(), "zebrafish"))
    save(client, change_address(group), words="zebrafish, spinal stenosis")
    assert "/glossary/#spinal-stenosis" in addresses(search(Client(), "zebrafish"))
    save(client, reverse("admin:factsheets_synonym_add"), words="zebrafish, back ache")
    assert Synonym.objects.filter(slug="zebrafish-2").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("zebrafish", "at least two different words"),
        ("zebrafish, ZEBRAFISH,", "at least two different words"),
        ("zebrafish, !!", "is not a word"),
        (f"zebrafish, {'x' * 61}", "is not a word"),
        (", ".join(f"word{number}" for number in range(13)), "at most 12"),
    ],
)
@pytest.mark.once
def test_synonyms_that_make_no_sense_are_refused_in_words(client, words, said):
    client.force_login(person("Edith", "editor"))
    answer = save(client, reverse("admin:factsheets_synonym_add"), words=words)
    assert said in text(tree(answer))
    assert not Synonym.objects.filter(words=words).exists()


@pytest.mark.long
def test_there_are_many_groups_of_lay_words_and_most_lead_somewhere(client):
    groups = Synonym.objects.all()
    assert len(groups) >= 40
    nowhere = [group.words for group in groups if not hits(search(client, group.phrases[0]))]
    assert not nowhere


@pytest.mark.long
def test_editors_write_what_patients_ask_beside_the_place_that_answers_it(client):
    client.force_login(person("Edith", "editor"))
    place = "about-back-pain#pagets-disease"
    add = reverse("admin:factsheets_searchquestions_add")
    for wrong, said in (
        ("", "Write at least one question"),
        ("x", "cannot be a question"),
        ("z" * 161, "cannot be a question"),
    ):
        assert said in text(tree(save(client, add, place=place, questions=wrong)))
    save(client, add, place=place, questions="Is my zebrafish soft?\r\n\r\nsoft zebrafish\r\nsoft zebrafish")
    asked = SearchQuestions.objects.get(place=place)
    assert asked.questions == ["Is my zebrafish soft?", "soft zebrafish"]
    first = hits(search(Client(), "is my zebrafish soft"))[0]
    assert links(first)[1].endswith("#pagets-disease")
    save(client, change_address(asked), questions="Is my platypus soft?")
    assert not hits(search(Client(), "zebrafish"))


@pytest.mark.long
def test_questions_follow_their_sheet_to_a_new_address_and_a_place_that_has_gone_to_the_top(client):
    sheet = a_sheet("one", "Alpha")
    SearchQuestions.objects.create(place="one#the-part", questions=["why do zebrafish glow"])
    SearchQuestions.objects.create(place="one#gone", questions=["where do platypuses live"])
    assert links(hits(search(client, "why do zebrafish glow"))[0])[1] == "/fact-sheets/one/#the-part"
    assert links(hits(search(client, "where do platypuses live"))[0]) == ["/fact-sheets/one/"]
    assert [each for each in index.current().dead if each.startswith("one")] == ["one#gone"]
    FactSheet.objects.filter(pk=sheet.pk).update(slug="another")
    actions.change_address(sheet=FactSheet.objects.get(pk=sheet.pk), was="one")
    assert links(hits(search(client, "why do zebrafish glow"))[0])[1] == "/fact-sheets/another/#the-part"
    client.force_login(person("Edith", "editor"))
    assert "leads to the top of the page" in text(
        tree(client.get(change_address(SearchQuestions.objects.get(place="one#gone"))))
    )


@pytest.mark.both
@pytest.mark.long
def test_editors_see_what_was_often_not_found_and_go_on_to_synonyms(client):
    SearchMiss.objects.create(digest="a", times=7, days=3, text="zebrafish")
    SearchMiss.objects.create(digest="b", times=2, days=1)
    client.force_login(person("Edith", "editor"))
    shown = client.get(reverse("admin:factsheets_searchmiss_changelist"))
    said = text(tree(shown))
    assert "zebrafish" in said
    assert "Plus 1 rarer searches, counted but not listed" in said
    place = "posture-and-lifting#lifting"
    missed = SearchMiss.objects.get(text="zebrafish")
    act = {"action": "make_question", "_selected_action": [missed.pk]}
    answer = client.post(shown.request["PATH_INFO"], act | {"place": ""}, follow=True)
    assert "Choose the place that answers it" in text(tree(answer))
    answer = client.post(shown.request["PATH_INFO"], act | {"place": place}, follow=True)
    assert f"1 search is now a question of {place}" in text(tree(answer))
    assert SearchQuestions.objects.get(place=place).questions[-1] == "zebrafish"
    assert not SearchMiss.objects.filter(text="zebrafish").exists()
    assert addresses(search(Client(), "zebrafish"))[0] == "/fact-sheets/posture-and-lifting/"
    link = f"{reverse('admin:factsheets_synonym_add')}?words=zebrafish%2C+"
    assert link in [node.get("href") for node in tree(shown).iter("a")]
    assert values_of(client.get(link))["words"] == "zebrafish, "
