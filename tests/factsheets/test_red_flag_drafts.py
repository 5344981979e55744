"""Red flags change only as a draft of the whole set, which a second person, a clinician, approves."""

import pytest
from django.urls import reverse

from factsheets import approvals, safety_drafts
from factsheets.models import Approval, FactSheet, InstalledRecord, SafetyAdvice, SafetyDraft, SafetyEdition
from tests.support.desk import conflict_in, errors_of, person, values_of
from tests.support.edition import release
from tests.support.html import text, tree
from tests.support.outbox import deliver, text_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]
CLINICIAN = {"confirm": "on"}
OLD_SHORT = "new trouble peeing, or controlling pee or poo"
NEW, SHORT = "you cannot hold your pee, and it is new", "new trouble holding your pee"
SHEET = "/fact-sheets/about-back-pain/"


def at(name: str, *args) -> str:
    return reverse(f"admin:factsheets_safetyadvice_{name}", args=args)


HOME = "admin:factsheets_safetyadvice_changelist"


class Desk:
    """Edith who writes, Una who writes too, and Clive who approves, each in turn in one browser."""

    def __init__(self, client):
        self.client = client
        self.people = {"Edith": person("Edith", "editor"), "Una": person("Una", "editor")}
        self.people["Clive"] = person("Clive", "clinician")
        self.sit("Edith")

    def sit(self, name: str):
        self.client.force_login(self.people[name])
        return self

    def get(self, name: str, *args) -> str:
        return text(tree(self.client.get(at(name, *args))))

    def post(self, name: str, *args, **values):
        return self.client.post(at(name, *args), values, follow=True)

    def values(self, *args) -> dict:
        """What the form of a flag holds, as a browser would send it untouched."""
        page = tree(self.client.get(at("flag" if args else "new", *args)))
        [form] = [each for each in page.iter("form") if "clinician" in each.get("class", "")]
        found = {each.get("name"): (each.text or "").removeprefix("\n") for each in form.iter("textarea")}
        for each in form.iter("input"):
            if each.get("type") != "checkbox" or each.get("checked") is not None:
                found[each.get("name")] = each.get("value", "on")
        return found

    def edit(self, code: str, **changes):
        return self.client.post(at("flag", code), self.values(code) | changes, follow=True)

    def step(self, name: str, *, note: str = "", version=None):
        draft = safety_drafts.current()
        version = version if version is not None else draft.version if draft else ""
        return self.post("step", name, note=note, version=version)

    def sign(self, **changes):
        page = tree(self.client.get(at("sign")))
        digests = [each.get("value") for each in page.iter("input") if each.get("name") == "digest"]
        return self.client.post(at("sign"), {"digest": (digests or ["x" * 64])[0], **CLINICIAN, **changes}, follow=True)


@pytest.fixture
def desk(client) -> Desk:
    return Desk(client)


def live(code: str = "RF-E2") -> SafetyAdvice:
    return SafetyAdvice.objects.get(code=code)


def said_by(response) -> str:
    return text(tree(response))


@pytest.mark.both
def test_a_change_reaches_patients_only_with_a_second_persons_approval(desk, client, mail_through):
    sheet = FactSheet.objects.get(slug="about-back-pain")
    before, short_before = live().text, live().short_text
    said = said_by(
        desk.edit("RF-E2", text=NEW, short_text=SHORT, phrases="cannot hold pee.\n\n  wet   myself ", patterns="")
    )
    assert "Patients see the old wording until it is approved" in said
    assert (live().text, live().patterns) != (NEW, ["cannot hold pee", "wet myself"])
    assert before in text(tree(client.get("/get-help-now/"))) and short_before in text(tree(client.get(SHEET)))
    page = tree(client.get(reverse(HOME)))
    assert NEW.split()[-1] in " ".join(text(each) for each in page.iter("ins"))
    assert "Draft, being written" in text(page)
    assert "Sent. A clinician" in said_by(desk.step("send", note="NHS has new words."))
    assert desk.sit("Una").client.get(at("sign")).status_code == 403
    front = text(tree(desk.sit("Clive").client.get("/admin/")))
    assert "Read and approve the draft red flags NHS has new words." in front
    assert NEW in desk.get("sign") and "NHS has new words." in desk.get("sign")
    for page in (desk.get("sign"), desk.get("changelist")):
        assert "The short emergency card: on every page" in page and "“Check your symptoms”" in page
        assert f"{sheet.title}: Should I worry? Where you may feel an emergency says “{OLD_SHORT}”" in page, (
            "It repeats the sign."
        )
        assert "Long-term pain: " not in page
    deliver()
    assert "Published: red flags, edition 2" in said_by(desk.sign())
    deliver()
    told = [(each["To"], each["Subject"]) for each in mail_through.messages]
    assert told == [("clive@example.com", "Please review: Red flags"), ("edith@example.com", "Published: Red flags")]
    asked, answered = mail_through.messages
    assert at("sign") in text_of(asked)
    assert "Edith wrote: “NHS has new words.”" in text_of(asked) and "Edith wrote: “NHS has new words.”" in words_of(
        asked
    )
    assert NEW not in text_of(asked) and "published the changes. Readers see them now." in words_of(answered)
    # A sheet that repeats the flag is read again, and the flag's author may not sign it.
    newest = sheet.editions.first()
    assert (newest.actor, newest.changes) == ("Edith", [f"Changed: warning sign “{OLD_SHORT.capitalize()}”"])
    assert not FactSheet.objects.get(slug="long-term-pain").editions.filter(actor="Edith").exists()
    assert (live().text, live().patterns) == (NEW, ["cannot hold pee", "wet myself"])
    for address, words in [("/get-help-now/", NEW), (SHEET, SHORT), (f"{SHEET}text/", SHORT), ("/check/1/", NEW)]:
        assert words in " ".join(text(tree(client.get(address))).split()).lower(), address
    edition = SafetyEdition.objects.first()
    assert (edition.actor, edition.authors, edition.note) == ("Clive", "Edith", "NHS has new words.")
    assert edition.changes == [f"Changed: {live().short_text.capitalize()} (RF-E2)"]
    made = Approval.objects.get()
    assert (made.clinician, made.version.split(",")[0]) == ("Clive (HCPC PH123456)", "edition 2")
    assert approvals.standing("red_flags").approval == made
    assert "edition 2" in text(tree(client.get("/check/"))) and not safety_drafts.current()
    history = desk.get("editions")
    assert "written by Edith" in history and "Edition 1" in history


@pytest.mark.once
def test_whoever_wrote_a_part_cannot_approve_it(desk):
    everything = person("Olga", "editor")
    everything.is_superuser = True
    everything.save()
    desk.people["Olga"] = everything
    desk.edit("RF-E2", text=NEW)
    desk.sit("Olga").edit("RF-R2", why="It may be more.")
    desk.sit("Edith").step("send")
    assert "You wrote part of this draft" in desk.sit("Olga").get("changelist")
    digest = safety_drafts.digest_of(safety_drafts.current())
    response = desk.client.post(at("sign"), {"digest": digest, **CLINICIAN})
    assert response.status_code == 422 and "You wrote part of this draft" in errors_of(response)
    assert live().text != NEW and not Approval.objects.exists()
    assert "Published" in said_by(desk.sit("Clive").sign())
    assert SafetyEdition.objects.first().authors == "Edith, Olga"


def test_only_what_was_sent_and_read_can_be_approved(desk, mail_through):
    desk.edit("RF-E2", text=NEW)
    digest = safety_drafts.digest_of(safety_drafts.current())
    desk.sit("Clive")
    assert "being written" in desk.get("sign")
    refused = desk.client.post(at("sign"), {"digest": digest, **CLINICIAN})
    assert "not waiting" in errors_of(refused)
    desk.sit("Edith").step("send")
    digest = safety_drafts.digest_of(safety_drafts.current())
    desk.edit("RF-E2", text=f"{NEW}, or it burns")
    assert safety_drafts.current().state == "writing", "A change takes it back."
    desk.step("send")
    refused = desk.sit("Clive").client.post(at("sign"), {"digest": digest, **CLINICIAN})
    assert refused.status_code == 422 and "The draft changed while you were reading it" in errors_of(refused)
    assert "Say in one sentence what should change" in said_by(desk.step("send-back", note="No."))
    assert "Sent back" in said_by(desk.step("send-back", note="Burning is another sign."))
    assert "Burning is another sign." in desk.sit("Edith").get("changelist")
    assert live().text != NEW
    deliver()
    assert [(each["To"], each["Subject"]) for each in mail_through.messages] == [
        ("edith@example.com", "Sent back to you: Red flags")
    ], "What Clive was asked to read is no longer there to be read."
    assert "Clive wrote: “Burning is another sign.”" in words_of(mail_through.messages[0])
    assert "sent back to you by Clive, Burning is another sign." in text(tree(desk.client.get("/admin/")))
    assert "Clive sent it back: Burning is another sign." in text(tree(desk.client.get(reverse(HOME))))
    assert "sent back to you" not in text(tree(desk.sit("Una").client.get("/admin/"))), "She wrote none of it."


def test_what_two_people_write_at_once_is_not_lost(desk):
    opened = desk.values("RF-E2")
    desk.sit("Una").edit("RF-R2", why="Hers.")
    desk.sit("Edith")
    assert "Changed in the draft" in said_by(
        desk.client.post(at("flag", "RF-E2"), opened | {"why": "His."}, follow=True)
    )
    desk.sit("Una").edit("RF-E2", why="Hers, too.")
    desk.sit("Edith")
    clash = desk.client.post(at("flag", "RF-E2"), opened | {"why": "His again."})
    assert clash.status_code == 422 and "Una saved this while you had it open." in errors_of(clash)
    assert conflict_in(clash)["What it can mean"] == ("Hers, too.", "His again.")
    assert "Una has had this open" not in text(tree(clash)), "She saved, and left."
    flags = {flag["code"]: flag for flag in safety_drafts.current().content}
    assert (flags["RF-E2"]["why"], flags["RF-R2"]["why"]) == ("Hers, too.", "Hers.")
    desk.client.post(at("flag", "RF-E2"), values_of(clash))
    assert safety_drafts.find(safety_drafts.current().content, "RF-E2")["why"] == "His again."
    overview = text(tree(desk.client.get(reverse(HOME))))
    assert "Hers, too." in overview, "What was put in its place is in the steps."
    desk.sit("Una").client.get(at("flag", "RF-E2"))
    assert "Una has had this open since" in text(tree(desk.sit("Edith").client.get(at("flag", "RF-E2"))))
    version = safety_drafts.current().version
    desk.sit("Una").edit("RF-R3", why="Hers.")
    late = said_by(desk.sit("Edith").step("send", note="Better words now.", version=version))
    assert "A colleague changed the draft while you were reading it" in late
    [note] = [
        each
        for each in tree(desk.step("send", note="Kept words.", version=0)).iter("input")
        if each.get("id") == "note"
    ]
    assert note.get("value") == "Kept words."
    desk.edit("RF-R1", why="Another.")
    opened = desk.values("RF-R1")
    desk.sit("Clive").client.get("/admin/")
    desk.sit("Una").step("discard")
    gone = desk.sit("Edith").client.post(at("flag", "RF-R1"), opened | {"why": "Typed at length."})
    assert gone.status_code == 422 and b"Typed at length." in gone.content


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"short_text": " ".join(["word"] * 13)}, "12 words or fewer"),
        ({"short_text": "a sign. Another one"}, "full stops"),
        ({"short_text": ""}, "Enter the short text"),
        ({"text": "you are ill. Or you are not"}, "begins with “Or”"),
        ({"text": "x" * 401}, "at most 400"),
        ({"text": "a\x00b"}, "Null characters"),
        ({"patterns": "a\x00b"}, "Null characters"),
        ({"patterns": "numb + {nowhere}"}, "There is no word list “nowhere”"),
        ({"phrases": "wet myself\n\nnumb | tingly"}, "Line 3, “numb | tingly”: Use words only here"),
        ({"sources-0": "zebra crossing"}, "There is no source “zebra crossing”"),
        ({"in_assessment": ""}, "asks RF-E2 as emergency"),
    ],
)
@pytest.mark.once
def test_what_cannot_be_published_is_refused_with_a_sentence_and_keeps_what_was_typed(desk, changes, message):
    response = desk.edit("RF-E2", why="Typed at length.", **changes)
    assert response.status_code == 422 and message in errors_of(response)
    assert b"Typed at length." in response.content
    assert not SafetyDraft.objects.exists()


@pytest.mark.once
def test_flags_are_added_moved_and_retired_within_the_rules(desk, client):
    new = {
        "tier": "emergency",
        "text": "your back is on fire like a zebrafish",
        "short_text": "a back on fire",
        "in_assessment": "on",
    }
    assert "Added to the draft, as RF-X1" in said_by(desk.post("new", **new, patterns="zebrafish*"))
    order = [flag["code"] for flag in safety_drafts.current().content if flag["tier"] == "emergency"]
    assert order[-1] == "RF-X1"
    desk.post("shift", "RF-X1", way="up")
    moved = [flag["code"] for flag in safety_drafts.current().content if flag["tier"] == "emergency"]
    assert moved == [*order[:-2], "RF-X1", order[-2]]
    desk.post("shift", order[0], way="up")
    assert "asks RF-E1 as emergency" in said_by(desk.post("retire", "RF-E1"))
    assert "” retired in the draft" in said_by(desk.post("retire", "RF-R11"))
    assert "gives RF-R2 as a reason" in said_by(desk.post("retire", "RF-R2"))
    assert "on this card" in errors_of(desk.edit("RF-R1", on_compact_card="on"))
    assert "can be asked" in errors_of(desk.edit("RF-R1", in_assessment="on"))
    desk.edit("RF-U2", phrases="", patterns="")
    assert "No word patterns" in desk.get("changelist")
    desk.step("send")
    assert "Published" in said_by(desk.sit("Clive").sign())
    said = text(tree(client.get("/check/1/")))
    assert "Your back is on fire" in said
    found = tree(client.get("/search/?q=zebrafish"))
    assert "Get help now" in " ".join(text(each) for each in found.iter("h3"))
    assert "You see this first because the words you searched for" in text(found), "Recognised at once."
    assert f"{live('RF-U2').short_text.capitalize()} has no word patterns" in text(tree(client.get("/admin/")))
    assert not SafetyAdvice.objects.filter(code="RF-R11").exists()
    desk.sit("Edith").post("retire", "RF-X1")
    assert "RF-X2" in said_by(desk.post("new", **new)), "A number is not given twice."


@pytest.mark.once
def test_the_last_flag_of_a_tier_stays(desk, monkeypatch):
    monkeypatch.setattr(safety_drafts, "requirements", [])
    routine = list(SafetyAdvice.objects.filter(tier="routine").values_list("code", flat=True))
    for code in routine[:-1]:
        assert "” retired in the draft" in said_by(desk.post("retire", code))
    assert "Each tier must keep at least one" in said_by(desk.post("retire", routine[-1]))
    assert [flag["code"] for flag in safety_drafts.current().content if flag["tier"] == "routine"] == routine[-1:]


@pytest.mark.once
def test_the_draft_is_previewed_on_a_sheet_and_in_the_check_and_patients_see_nothing_of_it(desk, client):
    desk.edit("RF-E2", text=NEW, short_text=SHORT)
    desk.edit("RF-U2", text="you have lost a stone")
    patient = type(client)()
    for name, words, address in [
        ("sheet", SHORT, SHEET),
        ("check-1", NEW, "/check/1/"),
        ("check-2", "you have lost a stone", "/get-help-now/"),
    ]:
        shown = desk.client.get(at("preview", name))
        assert words in text(tree(shown)).lower(), name
        assert "Patients cannot see it yet" in text(tree(shown))
        assert "no-store" in shown["Cache-Control"] and "check" not in shown.cookies
        assert words not in text(tree(patient.get(address))).lower()
    assert desk.client.get(at("preview", "nothing")).status_code == 404
    assert desk.client.get(at("preview", "sheet") + "?sheet=long-term-pain").status_code == 200
    assert desk.client.post(at("preview", "check-1"), {"emergency": "RF-E1"}).status_code == 302


@pytest.mark.once
def test_an_earlier_edition_comes_back_as_a_draft(desk):
    old = live().text
    desk.edit("RF-E2", text=NEW)
    desk.post("retire", "RF-R11")
    assert "already an open draft" in said_by(desk.post("edition", 1))
    desk.step("send")
    desk.sit("Clive").sign()
    desk.sit("Edith")
    page = tree(desk.client.get(at("edition", 2)))
    assert NEW.split()[-1] in " ".join(text(each) for each in page.iter("ins"))
    assert "already see the wording of edition" in said_by(desk.post("edition", 2))
    assert "copied to a draft" in said_by(desk.post("edition", 1))
    assert live().text == NEW
    desk.step("send")
    assert "edition 3" in said_by(desk.sit("Clive").sign())
    assert live().text == old and SafetyAdvice.objects.filter(code="RF-R11").exists()
    assert live().sources.count() > 0
    assert SafetyEdition.objects.get(number=3).content == SafetyEdition.objects.get(number=1).content


def test_a_release_and_an_open_draft_do_not_fight(desk, tmp_path):
    desk.edit("RF-E2", text=NEW)
    release(tmp_path, "RF-R2", text="it stops you from living your days")
    assert live("RF-R2").text == "it stops you from living your days"
    assert safety_drafts.find(safety_drafts.current().content, "RF-E2")["text"] == NEW
    assert "The live red flags have changed" in desk.get("changelist")
    assert "Update the draft first" in said_by(desk.step("send"))
    assert "Draft updated" in said_by(desk.step("update"))
    assert [change.part[-7:] for change in safety_drafts.difference(safety_drafts.current())] == ["(RF-E2)"]
    desk.step("send")
    desk.sit("Clive").sign()
    assert (live("RF-E2").text, live("RF-R2").text) == (NEW, "it stops you from living your days")


@pytest.mark.once
def test_newer_words_for_what_staff_changed_go_into_a_draft(desk, tmp_path):
    desk.edit("RF-R2", text="it stops you from doing things")
    desk.step("send")
    desk.sit("Clive").sign()
    desk.sit("Edith")
    release(tmp_path, "RF-R2", text="it stops you from living your days")
    assert live("RF-R2").text == "it stops you from doing things", "Staff words stay."
    installed = InstalledRecord.objects.exclude(offered={}).get()
    values = {"record": installed.pk, "field": "text", "take": "newer"}
    said = said_by(desk.client.post(reverse("admin:factsheets_offers"), values, follow=True))
    assert "The new wording is in the draft." in said
    assert live("RF-R2").text == "it stops you from doing things"
    desk.step("send")
    desk.sit("Clive").sign()
    assert live("RF-R2").text == "it stops you from living your days"
    assert "No differences to settle" in text(tree(desk.client.get(reverse("admin:factsheets_offers"))))


def test_nobody_changes_a_live_flag_by_hand(client, staff_client):
    """Not even the owner."""
    record = live()
    values = {"text": NEW, "short_text": "x", "_save": "Save"}
    address = reverse("admin:factsheets_safetyadvice_change", args=[record.pk])
    assert staff_client.post(address, values).status_code == 403
    assert b'name="text"' not in staff_client.get(address).content
    assert staff_client.get(reverse("admin:factsheets_safetyadvice_add")).status_code == 403
    assert staff_client.post(reverse("admin:factsheets_safetyadvice_delete", args=[record.pk])).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}
    staff_client.post(reverse(HOME), chosen)
    assert live().text == record.text
