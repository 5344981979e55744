"""What sheets share: who uses it, what a save changes, who should read it again, its history, and the way back."""

import pytest
from django.urls import reverse

from factsheets import publication
from factsheets.models import Figure, GlossaryTerm, SharedEdition, SiteNotice, Source, Statement
from tests.support.desk import change_address, errors_of, person, save, save_once, seen, tree, values_of
from tests.support.edition import Edition as Fixtures
from tests.support.html import text
from tests.support.reading import page

pytestmark = pytest.mark.django_db


def history_of(record) -> str:
    return reverse(f"admin:factsheets_{record._meta.model_name}_history", args=[record.pk])


def edition_of(record, number: int) -> str:
    return reverse(f"admin:factsheets_{record._meta.model_name}_edition", args=[record.pk, number])


def marked(response, name: str) -> str:
    return " ".join(text(each) for each in tree(response).iter(name))


def test_a_source_shows_its_uses_what_a_save_changes_and_asks_for_a_review(desk, public_sheet):
    source = Source.objects.get(key="NG59")
    address = change_address(source)
    shown = text(tree(desk.get(address)))
    assert f"{public_sheet.title}: The first part cited in the text" in shown
    assert "red flag RF-" in text(tree(desk.get(change_address(Source.objects.get(key="NHS-BP")))))

    first = save_once(desk, address, year="2031", note="A new edition of the guideline.")
    said = text(tree(first))
    assert "Not saved yet. This changes" in errors_of(first)
    assert public_sheet.title in said
    assert "A reviewer will be asked to read these sheets again (year)" in said
    assert ("2031" in marked(first, "ins"), Source.objects.get(key="NG59").year) == (True, source.year)
    assert values_of(first)["note"] == "A new edition of the guideline.", "What was typed is lost."
    # Other words than those that were shown are shown first.
    again = desk.post(address, values_of(first) | {"title": "Low back pain, again"}, follow=True)
    assert "pain, again" in marked(again, "ins")
    assert not errors_of(desk.post(address, values_of(again), follow=True))
    assert Source.objects.get(key="NG59").year == 2031
    assert "2031" in text(page(desk, f"/fact-sheets/{public_sheet.slug}/"))
    assert publication.changed_since_review(public_sheet)
    newest = public_sheet.editions.first()
    assert (newest.actor, newest.changes) == ("Edith", ["Changed: source NG59, year"])
    assert public_sheet.title in text(tree(desk.get("/admin/"))).partition("Changed since sign-off")[2]

    listed = text(tree(desk.get(history_of(source))))
    assert "edited by Edith" in listed
    assert "A new edition of the guideline. Changed: Title, Year" in listed
    difference = desk.get(edition_of(source, 2))
    assert "2031" in marked(difference, "ins")
    back = desk.post(edition_of(source, 1), follow=True)
    assert "Edition 1 put back." in text(tree(back))
    assert Source.objects.get(key="NG59").title == source.title
    assert "2031" not in text(page(desk, f"/fact-sheets/{public_sheet.slug}/"))
    # What no reader sees is saved at once, and asks nobody.
    many = public_sheet.editions.count()
    assert not errors_of(save_once(desk, address, to_check="Look up the page."))
    assert public_sheet.editions.count() == many


@pytest.mark.once
def test_a_second_editor_is_told_and_loses_nothing(desk):
    for record, name, theirs, ours in [
        (Source.objects.get(key="NG59"), "to_check", "Theirs", "Ours"),
        (Statement.objects.first(), "claim_refs", "B-01", "B-02"),
        (GlossaryTerm.objects.filter(explain_in_text=False).first(), "meaning", "Their meaning.", "Our meaning."),
    ]:
        address = change_address(record)
        opened = values_of(desk.get(address))
        assert not errors_of(save(desk, address, **{name: theirs}))
        late = desk.post(address, opened | {name: ours}, follow=True)
        assert "Someone else saved a change" in errors_of(late)
        assert values_of(late)[name] == ours
        again = desk.post(address, values_of(late), follow=True)
        assert not errors_of(seen(desk, address, again))
        assert SharedEdition.objects.filter(label=record._meta.label_lower, record=record.pk).count() == 3


def test_a_statement_a_term_a_figure_and_a_notice_go_back_too(staff_client):
    desk = staff_client
    statement = Statement.objects.get(key="cbt-for-long-term-pain")
    was = (statement.grade, set(statement.sources.all()))
    assert "(grade)" in text(tree(save_once(desk, change_address(statement), grade="G1")))
    other = Source.objects.exclude(statements=statement).first()
    assert not errors_of(save(desk, change_address(statement), grade="G1", sources=[other.pk]))
    sheet = statement.sheets[0]
    many = sheet.editions.count()
    desk.post(edition_of(statement, 1))
    again = Statement.objects.get(pk=statement.pk)
    assert (again.grade, set(again.sources.all())) == was
    assert sheet.editions.count() == many + 1

    term = GlossaryTerm.objects.get(slug="acute")
    assert "explained" in text(tree(desk.get(change_address(term))))
    desk.post(reverse("admin:factsheets_glossaryterm_delete", args=[term.pk]), {"post": "yes"})
    assert "Acute deleted by Sam" in text(tree(desk.get(reverse("admin:factsheets_glossaryterm_deleted"))))
    assert "Acute" not in [word.term for word in GlossaryTerm.objects.all()]
    assert "It has been deleted." in text(tree(desk.get(history_of(term))))
    desk.post(edition_of(term, 1))
    assert GlossaryTerm.objects.get(slug="acute").pk == term.pk
    refused = desk.post(edition_of(term, 2), follow=True)
    assert "This edition is the deletion." in text(tree(refused))

    figure = Figure.objects.get(slug="keep-moving")
    assert "first drawing" in text(tree(desk.get(change_address(figure))))
    assert not errors_of(save(desk, change_address(figure), alt="Another sentence."))
    desk.post(edition_of(figure, 1))
    assert Figure.objects.get(slug="keep-moving").alt == figure.alt

    add = reverse("admin:factsheets_sitenotice_add")
    times = {"starts_at": "2031-01-01T10:00", "ends_at": "2031-01-02T10:00"}
    assert not errors_of(save(staff_client, add, text="We move.", **times))
    notice = SiteNotice.objects.get()
    assert not errors_of(save(staff_client, change_address(notice), text="We move on Monday."))
    assert "Every page of the website" in text(tree(staff_client.get(change_address(notice))))
    staff_client.post(edition_of(notice, 1))
    assert SiteNotice.objects.get().text == "We move."
    staff_client.post(reverse("admin:factsheets_sitenotice_delete", args=[notice.pk]), {"post": "yes"})
    assert not errors_of(save(staff_client, add, text="Another.", **times))
    assert "Another notice is shown at that time" in text(tree(staff_client.post(edition_of(notice, 1), follow=True)))


@pytest.mark.once
def test_a_used_source_stays_and_a_source_that_is_gone_is_named(desk, staff_client):
    used = Source.objects.get(key="NG59")
    address = reverse("admin:factsheets_source_delete", args=[used.pk])
    assert "would require deleting the following protected" in text(tree(staff_client.get(address)))
    staff_client.post(address, {"post": "yes"})
    assert Source.objects.filter(pk=used.pk).exists()


@pytest.mark.once
def test_clinicians_read_histories_and_reception_nothing(client, public_sheet):
    source = Source.objects.get(key="NG59")
    client.force_login(person("Una", "editor"))
    save(client, change_address(source), year="2031")
    client.force_login(public_sheet.reviewed_by)
    for address in (history_of(source), edition_of(source, 2), change_address(source)):
        assert client.get(address).status_code == 200
    for record in (Statement.objects.first(), GlossaryTerm.objects.first(), Figure.objects.first()):
        assert client.get(change_address(record)).status_code == 200
    assert client.post(edition_of(source, 1)).status_code == 403
    client.force_login(person("Rita", "reception"))
    for address in (history_of(source), edition_of(source, 2), reverse("admin:factsheets_source_deleted")):
        assert client.get(address).status_code == 403
    assert Source.objects.get(key="NG59").year == 2031


@pytest.mark.once
def test_newer_site_content_is_in_the_history(tmp_path):
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.load()
    fixtures.fields("EDA")["title"] = "Theirs"
    fixtures.fields("claim")["detail"] = "It may help a little. [@EDA]\n"
    fixtures.load()
    kept = SharedEdition.objects.order_by("label", "number").values_list("name", "step")
    assert list(kept) == [
        ("EDA: Theirs", "installed"),
        ("EDA: Theirs", "installed"),
        ("Heat for recent pain", "installed"),
        ("Heat for recent pain", "installed"),
    ]
    titles = [each.content["title"] for each in SharedEdition.objects.filter(label="factsheets.source")]
    assert titles == ["Theirs", "The study EDA"]
