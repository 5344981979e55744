"""What patients would see broken is refused on the desk, with its place and what to do, and nothing typed is lost."""

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from enquiries.mail.emails import values_of_reminder
from factsheets import publishing_rules, safety_drafts, safety_revisions
from factsheets.draft_workflow import DraftRefused
from factsheets.markup_checks import plain_faults, refusals
from factsheets.models import FactSheet, Figure, GlossaryTerm, Section, Source, Statement
from tests.support.desk import change_address, draft, errors_of, person, save, values_of
from tests.support.html import text, tree

pytestmark = pytest.mark.django_db

REFUSED = [
    ("Keep moving.\n\nIt is <b>safe</b>. [@NG59]", "Line 3: “<b>” is HTML"),
    ("See it.<!-- later --> [@NG59]", "Line 1: a comment is HTML"),
    (
        "See <div class=x\n\n&lt;b&gt; ~~x~~ [x] (/fact-sheets/)\n\n- [ ] Walk. [@NG59]",
        "Line 1: “<div” is HTML",
        "Line 3: “&lt;” is HTML",
        "Line 3: readers would see the signs ~~",
        "Line 3: a link needs its address right after its words",
        "Line 5: a list has no boxes to tick",
    ),
    (
        "Sit well.\n**Any chair\nwill do.\n\nOr a [comfortable][x] one.\n\n- Walk. [](/about/)",
        "Line 2: readers would see the signs ** as they were typed",
        "Line 5: “[comfortable][x]” has no address",
        "Line 7: a link has no words",
        "“Strong”",
        "“Link to a page”",
    ),
    (
        "Keep moving. **strong words** [@NG59]\n\n- one line",
        "“strong words” is what the button wrote",
        "Line 3: “one line” is",
    ),
    ("Read [more](/fact-sheets/no-such-sheet/) or ** this **.", "Line 1: readers would see the signs **"),
    ("Keep moving.\n\n## What helps\n\nWalk.", "Line 3: a heading inside a text breaks the leaflet’s outline."),
    ("Keep moving.\n-----\nWalk.", "Line 2: a line of signs below words makes them a heading"),
    ("| Sign | What to do |\n| --- | --- |\n| Fever | Call 111 |", "Line 1: a table inside a text does not fit"),
    ("Read [more](/fact-sheets/no-such-sheet/).", "Line 1: the link “more” leads nowhere: no sheet is called"),
    ("Read [more](/no-such-page/).", "the link “more” leads nowhere: no page of ours has the address /no-such-page/"),
    ("Read [more](#no-such-place).", "no section of the sheet has the address #no-such-place"),
    ("Read [more][1].\n\n[1]: /fact-sheets/about-back-pain/#no-such-place", "Line 3: the link “1” leads nowhere"),
    ("Read [more](/fact-sheets/a-draft/).", "leads to a sheet that readers cannot open: it is draft."),
    ("Read [more](https://nhs).", "the link “more” is not a web address."),
    ("Read [more](/admin/).", "leads to the staff desk"),
    ("Keep moving. [@NG59; @NOWHERE]", "No source has the short name NOWHERE."),
    ("Keep moving. [@CAP12]", " (CAP12)” has no link: readers could not look it up."),
]
SOUND = (
    "**Any chair** is *fine*, **even\na low one**, [*in the clinic*](/about/). [@NG59][@NG59]\n\n"
    "Pain in fewer than 5 in 100 (<5%) stays. Read [about pain](/fact-sheets/about-back-pain/#try), [here](#first), "
    '[this](#what-to-avoid-here), [all the signs](/get-help-now/), [NHS](https://www.nhs.uk/conditions/back-pain/ "NHS") '
    "or [phone us](tel:+441632960000). [@NG59]\n"
)
PLAIN = "It is <b> safe &nbsp; and [x](/nowhere/), **so** _they_ say [@NG59]"
PLAIN_REFUSED = ["“<b>” is HTML", "“&nbsp;” is HTML", "“[x](” makes no link", "“[@NG59]” makes", "“**”", "“_they_”"]
PLAIN_SOUND = "Fewer than 5 in 100 (<5%), a P&O ferry; 3 * 4, *a note, snake_case, 1. [sic] – see nhs.uk/back-pain"


@pytest.mark.long
@pytest.mark.once
def test_a_text_that_readers_would_see_broken_comes_back_with_its_line(desk, author):
    draft(author, slug="a-draft")
    section = draft(author, slug="another").sections.get()
    opened = values_of(desk.get(change_address(section)))  # one page serves all: what is refused changes nothing
    for body, *said in REFUSED:
        response = desk.post(change_address(section), opened | {"body": body}, follow=True)
        assert [words for words in said if words not in errors_of(response)] == [], body
        assert values_of(response)["body"] == body
    assert Section.objects.get(pk=section.pk).body.startswith("Keep moving. [@NG59]")
    assert not errors_of(save(desk, change_address(section), body=SOUND, former_slugs="what-to-avoid-here"))
    folded = {"layer": "more", "body": "Keep moving.\n\n### What helps\n\nWalk. [@NG59]"}
    assert not errors_of(save(desk, change_address(section), **folded))
    wrong = folded | {"body": "#What helps\n\n- ## Walk.\n\n# Rest"}
    said = errors_of(save(desk, change_address(section), **wrong))
    assert all(
        each in said for each in ("needs a space", "a list cannot hold a heading", "# makes too large a heading")
    )
    sheet = save(desk, change_address(section.sheet), in_short="Read <i>this</i> first, and [that](/nowhere/).")
    assert "Line 1: “<i>” is HTML" in errors_of(sheet)
    for record, name in [
        (section, "heading"),
        (section.sheet, "title"),
        (section.sheet, "audience"),
        (Statement.objects.first(), "claim"),
        (GlossaryTerm.objects.first(), "meaning"),
        (Figure.objects.first(), "long_description"),
    ]:
        refused = save(desk, change_address(record), **{name: PLAIN})
        assert [words for words in PLAIN_REFUSED if words not in errors_of(refused)] == [], name
        assert values_of(refused)[name] == PLAIN
        assert getattr(type(record)._base_manager.get(pk=record.pk), name) != PLAIN
    flag = safety_revisions.snapshot()[0]
    with pytest.raises(DraftRefused, match="“<b>” is HTML"):
        safety_drafts.save_flag(
            code=flag["code"], values={"text": PLAIN}, opened=safety_drafts.fingerprint(flag), by=author
        )
    statement = Statement.objects.first()
    assert "needs the whole address" in errors_of(save(desk, change_address(statement), detail="See [it](#try)."))


@pytest.mark.long
def test_what_readers_of_a_public_page_see_broken_is_on_its_page_and_in_the_reminder_of_its_review(client):
    sheet = FactSheet.objects.get(slug="about-back-pain")
    FactSheet.objects.filter(slug="stress-and-back-pain").update(state="retired")  # as colleagues do who have no link
    section = sheet.sections.filter(kind="text").first()
    section.body = "It is <b>safe</b>. Read [more](/fact-sheets/stress-and-back-pain/)."
    Section.objects.filter(pk=section.pk).update(body=section.body)
    client.force_login(person("Carl", "clinician"))
    shown = text(tree(client.get(reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]))))
    assert "Readers see this broken." in shown and "No problems found" not in shown
    assert "“<b>” is HTML" in shown and "leads to a sheet that readers cannot open: it is retired." in shown
    sheet.review_due_on = timezone.localdate()
    many = len(publishing_rules.broken_for_readers(sheet))
    assert f"Readers see {many} broken places on it" in values_of_reminder(sheet, timezone.localdate())["public page"]
    other = FactSheet.objects.get(slug="posture-and-lifting")
    assert not publishing_rules.broken_for_readers(other)


@pytest.mark.long
@pytest.mark.once
def test_all_texts_that_come_with_the_site_pass():
    texts = [
        (section.body, {"sheet": section.sheet, "kind": section.kind, "layer": section.layer})
        for section in Section.objects.select_related("sheet")
    ]
    texts += [
        (text, {"sheet": sheet}) for sheet in FactSheet.objects.all() for text in (sheet.in_short, sheet.key_points)
    ]
    texts += [(statement.detail, {}) for statement in Statement.objects.all()]
    assert len(texts) > 200
    assert [problem for text, where in texts for problem in refusals(text, **where)] == []
    plain = [
        getattr(record, name)
        for model in apps.get_app_config("factsheets").get_models()
        for name in getattr(model, "plain_texts", ())
        for record in model._base_manager.all()
    ]
    assert len(plain) > 1000
    assert [fault for text in [*plain, PLAIN_SOUND] for fault in plain_faults(text)] == []


@pytest.mark.both
@pytest.mark.long
def test_a_source_needs_a_link_and_keeps_it(desk):
    FactSheet.objects.all().delete()  # each save rebuilds every sheet
    new = {"key": "NEW26", "kind": "trial", "title": "A trial of walking", "year": "2026"}
    refused = save(desk, reverse("admin:factsheets_source_add"), **new)
    assert "so that readers can look it up" in errors_of(refused)
    assert values_of(refused)["title"] == "A trial of walking"
    nonsense = {"doi": "banana", "pmid": "abc"}
    refused = save(desk, reverse("admin:factsheets_source_add"), **new, **nonsense)
    assert "A DOI begins with 10. and has a slash" in errors_of(refused)
    assert "A PubMed number has digits only" in errors_of(refused)
    assert values_of(refused).items() >= nonsense.items(), "What was typed is kept."
    for source in Source.objects.all():
        source.full_clean()  # those that come with the site pass
    assert not errors_of(save(desk, reverse("admin:factsheets_source_add"), **new, doi="10.1000/walking"))
    added = Source.objects.get(key="NEW26")
    assert "so that readers can look it up" in errors_of(save(desk, change_address(added), doi=""))
    assert not errors_of(save(desk, change_address(Source.objects.get(key="CAP12")), to_check="Look for its address."))
