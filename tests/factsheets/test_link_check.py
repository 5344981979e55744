"""The check of links, against a server of our own: moved, gone, changed, out of reach, and what the desk offers."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from factsheets import actions, link_check, shared_revisions
from factsheets.admin.shared_history import place_of
from factsheets.models import Section, SharedEdition, Source, SourceLink
from tests.support.desk import change_address, person
from tests.support.html import text, tree

pytestmark = [pytest.mark.django_db, pytest.mark.once]
PAGE = "<html><script>var token = {};</script><body><h1>Advice</h1><p>{}</p></body></html>"


class Site:
    """What a path answers: a status, headers and words. Remembers what it was asked."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict, str]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(f"{self.command} {self.path}")
                site.agent = self.headers["User-Agent"]
                status, headers, words = site.answers.get(self.path, (404, {}, ""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(PAGE.format(len(site.asked), words).encode())

            do_HEAD = do_GET  # noqa: N815 - as the base class names it

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def page(self, path: str, words: str = "Words.", status: int = 200, **headers) -> str:
        headers = {"Content-Type": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.answers[path] = (status, headers, words)
        return self.address + path


@contextmanager
def running(site: Site):
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


@pytest.fixture
def web(settings):
    settings.LINK_CHECK_PRIVATE_ADDRESSES = True
    Source.objects.update(doi="", pmid="", pmcid="", url="")
    Section.objects.filter(body__contains="](http").update(body="Words.")
    with running(Site()) as site:
        yield site


def linked(key: str, address: str, **fields) -> Source:
    Source.objects.filter(key=key).update(url=address, **fields)
    return Source.objects.get(key=key)


def check(*options: str) -> str:
    said = StringIO()
    call_command("check_links", "--pause=0", "--days=0", *options, stdout=said)
    return said.getvalue()


def outcomes() -> dict[str, str]:
    return dict(SourceLink.objects.exclude(source=None).values_list("source__key", "outcome"))


@pytest.mark.long
def test_what_has_moved_gone_and_changed_is_on_the_desk_with_a_way_on(web, client):
    linked("NG59", web.page("/old", status=301, Location="/new"))
    web.page("/new", status=302, Location="/new/login")
    web.page("/new/login")
    linked("MU20", web.address + "/gone")
    linked("NHS-BP", web.page("/advice"))
    linked("NHSL-RF", web.page("/head-is-refused", status=200))
    linked("HART18", web.page("/file", ETag='"one"'))
    said = check()
    assert outcomes() == {"NG59": "moved", "MU20": "gone", "NHS-BP": "fine", "NHSL-RF": "fine", "HART18": "fine"}
    assert "5 checked, 3 as they should be." in said
    assert web.agent.startswith("backcare link check (+http")
    assert web.asked.index("HEAD /advice") < web.asked.index("GET /advice")

    web.asked.clear()
    web.page("/advice", "Other words.")
    web.page("/file", "Other words, same file.", ETag='"one"')
    check()
    assert outcomes()["NHS-BP"] == "changed", "Its script differs in each answer, and does not count."
    assert (outcomes()["NHSL-RF"], outcomes()["HART18"]) == ("fine", "fine")
    assert "GET /file" not in web.asked

    client.force_login(person("Edith", "editor"))
    address = reverse("admin:factsheets_source_links")
    assert "Links to look at (3)" in text(tree(client.get("/admin/")))
    shown = tree(client.get(address))
    words = text(shown)
    assert "Last checked" in words
    listed = text(tree(client.get(reverse("admin:factsheets_source_changelist"), {"missing": "yes"})))
    assert "CES-CARD" in listed and "NG59" not in listed
    assert "Look for: Greenhalgh, Finucane, Mercer, Selfe. Cauda equina warning card." in listed
    bare = text(tree(client.get(change_address(Source.objects.get(key="CES-CARD")))))
    assert "It still needs a link or an ISBN and a year" in bare
    assert f"now at {web.address}/new" in words
    [changed] = [each for each in shown.iter("section") if "(NHS-BP)" in text(each)]
    used = [each.get("href") for each in changed.iter("a") if each.get("href", "").startswith("/admin/")][1:]
    assert used == [place_of(use) for use in shared_revisions.uses(Source.objects.get(key="NHS-BP"))] and used
    [gone] = [each for each in shown.iter("section") if "(MU20)" in text(each)]
    assert change_address(Source.objects.get(key="MU20")) + "#id_url" in [each.get("href") for each in gone.iter("a")]
    forms = [form for form in shown.iter("form") if text(form).startswith(("Take the new", "I have read"))]
    stale = SourceLink.objects.get(outcome="changed")
    SourceLink.objects.filter(pk=stale.pk).update(new_digest="newer still")
    assert not link_check.read_again(stale) and outcomes()["NHS-BP"] == "changed", "Nobody has read the newest words."
    SourceLink.objects.filter(pk=stale.pk).update(new_digest=stale.new_digest)
    for form in forms:
        values = {each.get("name"): each.get("value") for each in form.iter() if each.get("name")}
        assert client.post(address, values).status_code == 302
        again = client.post(address, values, follow=True)  # from a second tab
        assert "That has changed in the meantime." in text(tree(again))
    assert len(forms) == 2
    assert Source.objects.get(key="NG59").url == web.address + "/new"
    kept = SharedEdition.objects.get(label="factsheets.source", number=2)
    assert (kept.actor, kept.content["url"]) == ("Edith", web.address + "/new")
    assert "The page has moved." in LogEntry.objects.get(object_id=str(kept.record)).get_change_message(), "For owners."
    check()
    assert outcomes()["NHS-BP"] == "fine"
    client.force_login(person("Clive", "clinician"))
    assert client.get(address).status_code == 200
    assert client.post(address, {"do": "take"}).status_code == 403
    client.force_login(person("Rita", "reception"))
    assert client.get(address).status_code == 403


@pytest.mark.long
def test_what_cannot_be_reached_counts_after_three_days(web, client, monkeypatch):
    linked("NG59", web.page("/away", status=503))
    linked("MU20", "http://no-such-host.invalid/")
    client.force_login(person("Edith", "editor"))
    address = reverse("admin:factsheets_source_links")
    for day in range(3):
        SourceLink.objects.update(checked_at=timezone.now() - timedelta(days=1))
        check()
        check()  # a second try on the same day says nothing new
        assert set(SourceLink.objects.values_list("failed_days", flat=True)) == {day + 1}
        assert ("Could not be reached (2)" in text(tree(client.get(address)))) == (day == 2)
        assert ("Tried again at the next check" in text(tree(client.get(address)))) == (day < 2)
    [form] = [each for each in tree(client.get(address)).iter("form") if "NG59" in text(each)]
    values = {each.get("name"): each.get("value") for each in form.iter() if each.get("name")}
    assert "It opens for me" in text(form)
    assert "Noted: it opens for you." in text(tree(client.post(address, values, follow=True)))
    check()
    assert "Could not be reached (1)" in text(tree(client.get(address))), (
        "It answers as it did when somebody opened it."
    )
    for status in (403, 503):
        web.page("/away", status=status)
        check()
        assert "Could not be reached (1)" in text(tree(client.get(address))), "Another fault of a day is no news."
    opened = timezone.localdate() - timedelta(days=link_check.DAYS_AFTER_OPENING)
    SourceLink.objects.filter(source__key="NG59").update(opened_on=opened)
    assert "Could not be reached (2)" in text(tree(client.get(address)))
    client.post(address, values)
    web.answers.pop("/away")
    check()
    assert "Gone (1)" in text(tree(client.get(address))), "That is another answer than people had seen."
    [form] = [each for each in tree(client.get(address)).iter("form") if "NG59" in text(each)]
    values = {each.get("name"): each.get("value") for each in form.iter() if each.get("name")}
    web.page("/away")
    honest = link_check.opens_for_people
    mine = SourceLink.objects.filter(source__key="NG59")
    # A check ends, or a colleague settles the link, between what the desk reads and what it writes.
    for meanwhile, left in ((check, "fine"), (mine.delete, None)):
        mine.update(outcome="gone", status=404)
        monkeypatch.setattr(link_check, "opens_for_people", lambda link, first=meanwhile: first() and honest(link))
        assert "That has changed in the meantime." in text(tree(client.post(address, values, follow=True)))
        assert outcomes().get("NG59") == left
    check()
    assert outcomes()["NG59"] == "fine"


def test_a_machine_without_the_internet_says_so_and_blames_no_source(web):
    linked("NG59", "http://no-such-host.invalid/")
    with pytest.raises(CommandError, match="Is this machine on the internet"):
        check()
    assert not SourceLink.objects.exists()


def test_private_addresses_circles_and_nonsense_are_refused(web, settings):
    circle = linked("MU20", web.page("/circle", status=301, Location="/circle"))
    asker = link_check.Asker(0)
    assert link_check.check(circle, asker).fault == "It redirects in a circle."
    outside = linked("NG59", web.page("/file", status=302, Location="file:///etc/passwd"))
    assert link_check.check(outside, asker).fault == "It is not a web address."
    settings.LINK_CHECK_PRIVATE_ADDRESSES = False
    web.asked.clear()
    for address in (
        web.address + "/circle",
        "http://localhost:80/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
    ):
        link = link_check.check(linked("NG59", address), asker)
        assert (link.outcome, link.fault) == (
            "unreachable",
            "It leads into a private network, which we do not contact.",
        )
    assert web.asked == []


def test_a_run_is_polite_and_goes_on_where_it_stopped(web, monkeypatch):
    for number, key in enumerate(["NG59", "MU20", "NHS-BP"]):
        linked(key, web.page(f"/{number}"))
    waits = []
    asker = link_check.Asker(2, sleep=waits.append)
    link_check.check(Source.objects.get(key="NG59"), asker)
    assert len(waits) == 1 and 1.5 < waits[0] <= 2, "HEAD and GET ask the same host."

    honest = link_check.check

    def interrupted(source, asker):
        if SourceLink.objects.count() == 2:
            raise KeyboardInterrupt
        return honest(source, asker)

    monkeypatch.setattr(link_check, "check", interrupted)
    said = StringIO()
    with pytest.raises(CommandError, match=r"Stopped\. Results so far are kept"):
        call_command("check_links", "--pause=0", stdout=said)
    monkeypatch.setattr(link_check, "check", honest)
    web.asked.clear()
    said = StringIO()
    call_command("check_links", "--pause=0", stdout=said)
    assert len(web.asked) == 2, "Only the one that was left."
    assert "1 checked" in said.getvalue()

    web.page("/0", status=429, Retry_After="60")
    web.asked.clear()
    check()
    assert len(web.asked) == 1, "The host asked us to slow down."


def test_a_doi_is_followed_and_never_counts_as_changed(web, monkeypatch):
    monkeypatch.setattr(
        Source, "address", property(lambda source: f"{web.address}/{source.doi}" if source.doi else source.url)
    )
    Source.objects.filter(key="MU20").update(doi="10.1/x")
    web.page("/10.1/x", status=301, Location="/paper")
    web.page("/paper", "A paper.")
    check()
    web.page("/paper", "A paper, and what was read most today.")
    check()
    assert outcomes() == {"MU20": "fine"}
    assert not [each for each in web.asked if each.startswith("GET")]


@pytest.mark.both
def test_links_in_texts_are_asked_too_and_named_with_their_sheet_and_section(web, client, public_sheet, author):
    section = public_sheet.sections.get()
    gone, moved, fine = web.address + "/gone", web.page("/old", status=301, Location="/new"), web.page("/fine")
    web.page("/new")
    words = f"Ask [them]({gone}) or [those]({moved}), and then [these]({fine}) or [them again]({gone}). [@NG59]"
    drafted = actions.begin_draft(sheet=public_sheet, by=author)
    Section.objects.filter(pk=section.pk).update(body=words)
    drafted.sections.update(body=f"{words} [More]({web.address}/only-in-a-draft)")
    said = check()
    assert "3 checked, 1 as they should be." in said and "A text: gone" in said
    assert sum(each.endswith("/gone") for each in web.asked) == 2, "HEAD and GET, once for both places."
    assert not [each for each in web.asked if "only-in-a-draft" in each]
    web.page("/fine", "Other words, on which no claim rests.")
    check()
    client.force_login(author)
    assert "Links to look at (2)" in text(tree(client.get("/admin/")))
    shown = tree(client.get(reverse("admin:factsheets_source_links")))
    assert "Gone (1)" in text(shown) and "Moved for good (1)" in text(shown) and "Changed since" not in text(shown)
    assert text(shown).count(f"{public_sheet.title}: The first part") == 2
    assert reverse("admin:factsheets_section_change", args=[section.pk]) in [
        each.get("href") for each in shown.iter("a")
    ]
    [form] = [form for form in shown.iter("form") if any(each.get("name") == "seen" for each in form.iter("input"))]
    values = {each.get("name"): each.get("value") for each in form.iter() if each.get("name")}
    address = reverse("admin:factsheets_source_links")
    assert "That has changed" in text(tree(client.post(address, values | {"do": "take"}, follow=True)))
    opened = text(tree(client.post(address, values, follow=True)))
    assert f"it opens for you. {gone}" in opened and "Opened by somebody on" in opened
    assert "Links to look at (1)" in text(tree(client.get("/admin/")))
    SourceLink.objects.update(opened_on=None)
    # Once no text holds them, they need no attention.
    Section.objects.filter(pk=section.pk).update(body="Words. [@NG59]")
    assert "Links to look at" not in text(tree(client.get("/admin/")))
    assert "The first part" not in text(tree(client.get(reverse("admin:factsheets_source_links"))))
