"""An empty site: its first owner comes in with the code of the first start, and sees what is still missing until nothing is."""

import json
import re
import socket
import threading
from base64 import b64encode
from datetime import timedelta

import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from dns.resolver import Resolver

from backcare.core import addresses
from backcare.core.models import SetUpStep
from backcare.ops import checks
from backcare.ops.management.commands.serve import owner_code
from backcare.staff import first_steps, sender_dns
from enquiries import clock
from factsheets import approvals
from factsheets.models import Subject, TeamMember
from tests.support.clinic_settings import set_clinic
from tests.support.desk import person, save
from tests.support.html import text, tree

FIRST, LOGIN, EMAIL = "/admin/login/first-owner/", "/admin/login/", "/admin/clinic/email/"


def given(code: str, **changes) -> dict[str, str]:
    password = "seven green kettles"
    return {
        "code": code,
        "first_name": "Olu",
        "last_name": "Ray",
        "email": "Olu@example.com",
        "password": password,
        "again": password,
    } | changes


def words(response) -> str:
    return " ".join(text(tree(response)).split())


@pytest.mark.both
@pytest.mark.long
@pytest.mark.parametrize("second_factor", [True, False])
def test_the_first_owner_comes_in_with_the_code_once_and_nobody_else_does(client, db, settings, second_factor):
    settings.STAFF_SECOND_FACTOR = second_factor
    assert client.get(LOGIN).status_code == 200, "No code was printed, so nobody is led away from signing in."
    former, code = first_steps.new_owner_code(), first_steps.new_owner_code()
    assert clock.load().hours.openings == (), "A new site promises no hours that nobody set."
    assert code not in str(SetUpStep.objects.values())
    assert client.get(LOGIN).url == FIRST
    assert "step 1 of 4" in words(client.get(FIRST))
    for wrong in (former, code[:-1], "abcde", code + "a"):
        refused = client.post(FIRST, given(wrong))
        assert "This code is wrong" in words(refused)
        assert refused.context["form"]["first_name"].value() == "Olu"
    for typed, said in (
        ({"password": "short", "again": "short"}, "too short"),
        ({"again": "another one, longer"}, "not the same"),
        ({"email": "olu@localhost"}, "correct format"),
    ):
        assert said in words(client.post(FIRST, given(code, **typed)))
    everything = words(client.post(FIRST, given(former, password="short", again="shorter")))
    for said in ("too short", "not the same", "This code is wrong"):
        assert said in everything
    assert not User.objects.exists()
    User.objects.create_user("former@example.com", is_staff=True)
    assert "already an account for former@example.com" in words(
        client.post(FIRST, given(code, email="Former@example.com"))
    )
    User.objects.all().delete()
    done = client.post(FIRST, given(f" {code.upper().replace('-', ' ')} "))
    owner = User.objects.get()
    assert (owner.username, owner.is_superuser, owner.is_staff) == ("olu@example.com", True, True)
    assert done.url == ("/admin/login/set-up/" if second_factor else "/admin/clinic/")
    assert f"step {1 if second_factor else 2} of 4" in words(client.get(done.url))
    assert LogEntry.objects.filter(user=owner, change_message__contains="first owner").count() == 1
    stranger = Client()
    assert stranger.get(FIRST).url == stranger.post(FIRST, given(code)).url == LOGIN
    assert stranger.get(LOGIN).status_code == 200
    assert first_steps.new_owner_code() == ""
    assert User.objects.count() == 1


@pytest.mark.long
def test_a_code_ends_after_a_day_and_guessing_is_slowed(client, db):
    code = first_steps.new_owner_code()
    SetUpStep.objects.update(at=timezone.now() - timedelta(hours=25))
    assert "This code is wrong" in words(client.post(FIRST, given(code)))
    for _ in range(11):
        slip = client.post(FIRST, given(first_steps.new_owner_code(), again="another one, longer"))
        assert slip.status_code == 200, "A slip in a password is no guess."
    for number in range(9):
        client.post(FIRST, given("guess", **({"again": "another one, longer"} if number % 2 else {})))
    refused = client.post(FIRST, given(first_steps.new_owner_code()))
    assert (refused.status_code, User.objects.count()) == (429, 0)
    assert "Try again in" in words(refused)


def test_a_start_while_the_database_is_away_prints_no_code_and_goes_on(db):
    def away(*args):
        raise OperationalError("database is locked")

    with connection.execute_wrapper(away):
        assert owner_code() == ""
    assert owner_code()


@pytest.mark.long
def test_what_is_missing_stays_on_the_first_page_until_it_is_done(staff_client, mail_through, settings):
    settings.EMAIL_URL = "smtp://somewhere"
    set_clinic(inbox_email="")
    TeamMember.objects.filter(shown=True).update(shown=False)

    def stage(address: str) -> str:
        """The line that says which step of the set-up a page is, with what is done by then."""
        way = tree(staff_client.get(address)).find(".//nav[@class='set-up-step']")
        return "" if way is None else " ".join(text(way).split())

    def missing() -> list[str]:
        page = tree(staff_client.get("/admin/"))
        return [text(each) for each in page.findall(".//section[@class='module set-up']//li/a")]

    approvals_too = ["Approval of the questions of “Check your symptoms”", "Approval of the red flags"]

    def line(client=staff_client) -> str:
        """What every other page of the desk says of the set-up."""
        found = tree(client.get("/admin/accounts/")).find(".//p[@class='set-up-line']")
        return "" if found is None else " ".join(text(found).split())

    assert missing() == ["Clinic settings", "Opening hours", "Test email", "People who work here", *approvals_too]
    assert line() == "Set-up: 1 of 4 steps done. Next: Clinic settings. All that is missing"
    assert "emergency department" in words(staff_client.get("/admin/"))
    about = words(Client().get("/about/"))
    assert "Who you will meet" not in about and "Asking us costs nothing" in about
    assert stage("/admin/clinic/").startswith("Set-up: step 2 of 4.")
    assert {each.id for each in checks.set_up(None)} == {"backcare.E019", "backcare.E020"}
    set_clinic(inbox_email="desk@example.com")
    TeamMember.objects.update(shown=True)
    assert "step 3 of 4" in stage("/admin/enquiries/clinichours/")
    assert "Set your opening hours" in words(staff_client.get("/admin/"))
    before = clock.load().hours
    first_steps.new_owner_code()
    assert clock.load().hours == before, "There is an owner, and the hours may be theirs."
    save(staff_client, "/admin/enquiries/clinichours/")
    [saved] = tree(staff_client.get("/admin/enquiries/clinichours/1/history/")).findall(".//td[@data-label='When']")
    assert re.search(r"\d[ap]m|noon|midnight|midday", text(saved)), "A history without the time of day."
    assert missing() == ["Test email", "More about the clinic", *approvals_too]
    assert "Still empty: emergency department near the clinic." in words(staff_client.get("/admin/"))
    set_clinic(hospital_name="Harbour General", hospital_address="2 Quay Road")
    assert missing() == ["Test email", *approvals_too]
    set_clinic(hospital_name="", hospital_address="", address="", has_no_rooms=True)
    assert missing() == ["Test email", *approvals_too], "Nobody goes there, and no A&E is near."
    assert line().startswith("Set-up: 3 of 4 steps done. Next: Test email.")
    left = staff_client.post("/admin/set-up/leave/", follow=True)
    assert "Other pages no longer remind you" in words(left) and line() == ""
    assert missing() == ["Test email", *approvals_too], "What was left cannot be found again."
    assert "step 4 of 4" in stage(EMAIL)
    staff_client.post("/admin/set-up/leave/", {"remind": "1"})
    assert line().startswith("Set-up: 3 of 4")
    User.objects.create_superuser("owner")
    assert line() == "", "A demo has nothing to set up."
    User.objects.filter(username="owner").delete()
    assert "Set your opening hours" not in words(staff_client.get("/admin/"))
    assert "step 3 of 4, done. Next: Test email." in stage("/admin/enquiries/clinichours/")
    assert stage(EMAIL).endswith("Your account (done) Clinic settings (done) Opening hours (done) Test email")
    staff_client.post(EMAIL, {"to": "olu@example.com"})
    [mail] = mail_through.messages
    code = re.search(r"code is (\d{3} \d{3})", mail.get_body(("plain",)).get_content())[1]
    assert mail["From"] == "Larkfield Back Clinic <hello@example.com>"
    assert "not the code" in words(staff_client.post(EMAIL, {"code": f"{int(code.replace(' ', '')) ^ 1:06}"}))
    arrived = staff_client.post(EMAIL, {"code": code}, follow=True)
    assert "All four steps are done." in words(arrived)
    assert tree(arrived).find(".//ul[@class='messagelist']//a").get("href") == "/admin/"
    done = words(staff_client.get("/admin/who-did-what/", {"words": "email tested", "kind": "setting"}))
    assert "Email tested: a message was sent." in done and "Email tested: it arrived." in done
    assert "olu@example.com" not in done
    for off in (True, False):
        settings.CHECK_NEEDS_APPROVAL = off
        assert missing() == approvals_too
        assert ("On a live site, “Check your symptoms” stays off" in words(staff_client.get("/admin/"))) != off
    places = tree(staff_client.get("/admin/")).findall(".//section[@class='module set-up']//li/a")
    assert [staff_client.get(each.get("href")).status_code for each in places] == [200, 200]
    ways = tree(staff_client.get("/admin/")).findall(".//section[@class='module set-up']//li[1]/span/a")
    assert [text(each) for each in ways] == ["invite a clinician", "People who work here"]
    assert [staff_client.get(each.get("href")).status_code for each in ways] == [200, 200]
    clinician = person("Carl", "clinician")
    carl_id = clinician.team_member.pk
    TeamMember.objects.filter(pk=carl_id).update(account=None)
    way = tree(staff_client.get("/admin/")).find(".//section[@class='module set-up']//li[1]/span/a")
    assert way.get("href") == f"/admin/factsheets/teammember/{carl_id}/change/", (
        "Both are there, and only the link is not."
    )
    TeamMember.objects.filter(pk=carl_id).update(account=clinician)
    for subject in Subject.values:
        approvals.approve(subject=subject, digest=approvals.standing(subject).digest, by=clinician)
    assert missing() == []
    assert line() == ""
    with CaptureQueriesContext(connection) as asked:
        assert first_steps.reminder() == []
    assert len(asked) <= 3, [each["sql"][:90] for each in asked]
    assert stage("/admin/clinic/") == stage(EMAIL) == ""
    assert checks.set_up(None) == []
    assert "expired" in words(staff_client.post(EMAIL, {"code": code})), "A code is good once."
    set_clinic(sender_email="other@example.com")
    assert missing() == ["Test email"]
    approvals.withdraw(subject="red_flags", reason="A word in it was wrong.", by=clinician)
    assert missing() == ["Test email", approvals_too[1]]


def test_a_test_message_that_cannot_be_sent_says_why(staff_client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert "was not sent. The mail server did not answer" in words(staff_client.post(EMAIL, {"to": "olu@example.com"}))
    set_clinic(email="")
    assert "The clinic has no email address" in words(staff_client.post(EMAIL, {"to": "olu@example.com"}))


@pytest.mark.parametrize(
    ("sender", "fine"),
    [
        ("clinic@example.com", True),
        ("Clinic <clinic@example.com>", True),
        ("Örtliche Klinik <clinic@example.com>", True),
        ("clinic@localhost", False),
        ("clinic", False),
        ("a@example.com, b@example.com", False),
        ("clinic @example.com", False),
        ("klinik@exämple.com", False),
        ("Clinic\nBcc: x@example.com <clinic@example.com>", False),
        ("Clinic <clinic@example.com", False),
    ],
)
@pytest.mark.once
def test_a_sender_that_no_mail_program_takes_is_refused(db, sender, fine):
    assert addresses.can_send(sender) == fine
    set_clinic(sender_email=sender)
    assert ("backcare.E016" in {each.id for each in checks.clinic(None)}) == (not fine)


@pytest.mark.parametrize("more", ["/clinic", "?a=b", "#a"])
def test_an_address_of_the_site_with_more_than_a_host_is_refused(settings, more):
    settings.ALLOWED_HOSTS = ["back.example.com"]
    settings.BASE_URL = "https://back.example.com"
    assert checks.allowed_hosts(None) == []
    for wrong in (f"https://back.example.com{more}", "https://user@back.example.com"):
        settings.BASE_URL = wrong
        assert [each.id for each in checks.allowed_hosts(None)] == ["backcare.E015"]


def test_a_probe_may_ask_by_any_name(db, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["back.example.com"], True
    probe = Client(headers={"host": "10.1.2.3:8000"})
    answer = probe.get("/healthz")
    assert (answer.status_code, answer.json()["database"]) == (503, "ok")  # no mail worker runs here
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert probe.get("/", secure=True).status_code == 400


def in_strings(record: str) -> str:
    """A TXT record as zone files write it: in strings of at most 255 bytes."""
    return " ".join(json.dumps(record[start : start + 255]) for start in range(0, max(len(record), 1), 255))


@pytest.fixture
def name_server():
    """A real name server on this machine. What it knows is a dictionary of TXT records; it never answers for “silent”."""
    known: dict[str, list[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def answer():
            while True:
                try:
                    data, asker = listening.recvfrom(4096)
                except OSError:
                    return
                asked = dns.message.from_wire(data)
                name = str(asked.question[0].name).rstrip(".")
                if "silent" in name:
                    continue
                said = dns.message.make_response(asked)
                if name in known:
                    said.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "TXT", *map(in_strings, known[name])))
                else:
                    said.set_rcode(dns.rcode.NXDOMAIN)
                listening.sendto(said.to_wire(), asker)

        threading.Thread(target=answer, daemon=True).start()
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], listening.getsockname()[1]
        yield known, resolver


def test_the_records_of_the_senders_domain_are_read_as_receivers_read_them(name_server, monkeypatch):
    known, resolver = name_server
    monkeypatch.setattr(sender_dns, "PATIENCE", 0.3)

    def states(domain: str) -> dict[str, str]:
        return {each.name: each.state for each in sender_dns.look(domain, resolver=resolver)}

    assert states("example.com") == {"SPF": "missing", "DMARC": "missing"}
    known["example.com"] = ["site-verification=1", "v=spf1 include:_spf.example.net -all"]
    known["_dmarc.example.com"] = ["v=DMARC1; p=reject; sp=none"]
    assert states("example.com") == {"SPF": "good", "DMARC": "good"}
    assert states("mail.example.com") == {"SPF": "missing", "DMARC": "weak"}, "The policy for those below is none."
    for record in ("v=spf1 +all", "v=spf1 mx"):
        known["example.com"] = [record]
        assert states("example.com")["SPF"] == "weak"
    known["example.com"] = ["v=spf1 -all", "v=spf1 mx -all"]
    known["_dmarc.example.com"] = ["v=DMARC1; p=none"]
    assert states("example.com") == {"SPF": "weak", "DMARC": "weak"}
    assert states("silent.example") == {"SPF": "unknown", "DMARC": "unknown"}


def test_an_owner_asks_for_the_records_and_hears_when_nobody_answers(staff_client, monkeypatch):
    nobody = Resolver(configure=False)
    nobody.nameservers, nobody.port = ["127.0.0.1"], 9
    monkeypatch.setattr(sender_dns, "PATIENCE", 0.3)
    monkeypatch.setattr("dns.resolver.Resolver", lambda: nobody)
    said = words(staff_client.post(EMAIL, {"dns": "1"}))
    assert said.count("We could not ask the domain name system") == 2
    assert "dkim=pass" in said
    said = words(staff_client.post(EMAIL, {"dns": "1", "selector": "S1._domainkey.example.com"}))
    assert said.count("We could not ask the domain name system") == 3
    refused = words(staff_client.post(EMAIL, {"dns": "1", "selector": "the google one"}))
    assert "Enter the selector only" in refused and "We could not ask" not in refused


def dkim_key(bits: int) -> str:
    """As a record holds it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def test_the_dkim_key_of_a_selector_is_judged_as_receivers_do(name_server, monkeypatch):
    known, resolver = name_server
    monkeypatch.setattr(sender_dns, "PATIENCE", 0.3)
    good, short = dkim_key(2048), dkim_key(1024)

    def judged(*records: str, domain: str = "example.com") -> tuple[str, str]:
        known.pop("s1._domainkey.example.com", None)
        if records:
            known["s1._domainkey.example.com"] = list(records)
        [found] = [each for each in sender_dns.look(domain, "s1", resolver) if each.name == "DKIM"]
        return found.state, found.words

    state, said = judged()
    assert state == "missing" and "no DKIM key at s1._domainkey.example.com" in said
    assert judged("site-verification=1")[0] == "missing"
    edwards = b64encode(bytes(32)).decode()
    for fine in (f"v=DKIM1; k=rsa; p={good}", f"p={good[:100]} {good[100:]}", f"v=DKIM1; k=ed25519; p={edwards}"):
        state, said = judged(fine)
        assert (state, "bits" in said) == ("good", False), said
    assert judged(f"v=DKIM1; p={short}")[0] == "good" and "1024 bits: ask for one of 2048" in judged(f"p={short}")[1]
    for record, said in (
        ("v=DKIM1; p=", "withdrawn"),
        (f"v=DKIM1; p={good[:-20]}", "damaged"),
        ("v=DKIM1; p=not a key", "damaged"),
        ("v=DKIM1; k=ed25519; p=AAAA", "damaged"),
        (f"v=DKIM1; t=y; p={good}", "only a test"),
    ):
        state, found = judged(record)
        assert state == "weak" and said in found
    assert judged(f"p={good}", f"p={short}")[0] == "weak"
    assert judged(f"p={good}", domain="silent.example")[0] == "unknown"
