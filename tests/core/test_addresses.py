"""Addresses: “Did you mean gmail.com?” finds slips and refuses nothing, and what is played back is what was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcare.core.addresses import COMMON, REAL, in_words, suggestion
from enquiries.models import Enquiry
from tests.support.consultation_form import first_step, follow
from tests.support.forms import form
from tests.support.html import form_at, parse, sent, text

SLIPS = {
    "gmial.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gnail.com": "gmail.com",
    "GMAIL.CON": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.cm": "gmail.com",
    "gmailc.om": "gmail.com",
    "gmial.con": "gmail.com",
    "gmail.co.uk": "gmail.com",
    "icould.com": "icloud.com",
    "iclod.com": "icloud.com",
    "hotmial.co.uk": "hotmail.co.uk",
    "hotmail.couk": "hotmail.co.uk",
    "hotmail.co.k": "hotmail.co.uk",
    "hotmal.com": "hotmail.com",
    "hotmail.cmo": "hotmail.com",
    "outlok.com": "outlook.com",
    "outloo.com": "outlook.com",
    "yaho.co.uk": "yahoo.co.uk",
    "yahooo.com": "yahoo.com",
    "yahoo.com.uk": "yahoo.co.uk",
    "yahoo.con": "yahoo.com",
    "live.couk": "live.co.uk",
    "btintenet.com": "btinternet.com",
    "btinternt.co": "btinternet.com",
    "talktlak.net": "talktalk.net",
    "virginmeda.com": "virginmedia.com",
    "vrignmedia.com": "virginmedia.com",
    "bluyonder.co.uk": "blueyonder.co.uk",
    "ntlword.com": "ntlworld.com",
    "protonmal.com": "protonmail.com",
    "sky.con": "sky.com",
    "nhs.nte": "nhs.net",
    "aol.cmo": "aol.com",
    "larkfield-plumbing.couk": "larkfield-plumbing.co.uk",
    "example.con": "example.com",
}
# Other people's domains, however similar to a known one.
RIGHT = [
    *("ymail.com", "mail.com", "email.com", "live.com", "gmx.com", "rocketmail.com", "fsmail.net", "aol.co.uk"),
    *("yahoo.fr", "yahoo.ie", "yahoo.com.au", "yahoo.co.in", "yahoo.ca", "hotmail.fr", "outlook.ie", "outlook.cz"),
    *("we.com", "he.com", "ask.com", "man.com", "nhs.scot", "wales.nhs.uk", "pm.me", "hey.com", "zoho.com", "o2.co.uk"),
    *(
        "example.com",
        "example.co",
        "doctors.org.uk",
        "cam.ac.uk",
        "london.gov.uk",
        "post.gmail.com",
        "xn--mnchen-3ya.de",
    ),
]


def test_a_slip_is_answered_with_the_domain_that_was_meant(subtests):
    for typed, meant in SLIPS.items():
        with subtests.test(typed=typed, meant=meant):
            assert suggestion(f"Ada.Example+back@{typed}") == f"Ada.Example+back@{meant}"


def test_a_right_domain_is_left_alone_in_any_case(subtests):
    for domain in sorted({*COMMON, *REAL, *RIGHT}):
        with subtests.test(domain=domain):
            assert suggestion(f"ada@{domain}") == ""
            assert suggestion(f"ada@{domain.upper()}") == ""


def test_any_letter_left_out_or_swapped_in_a_common_name_is_noticed(subtests):
    for domain in [domain for domain in COMMON if len(domain.partition(".")[0]) >= 5]:
        with subtests.test(domain=domain):
            name, _, end = domain.partition(".")
            left_out = {name[:place] + name[place + 1 :] for place in range(len(name))}
            swapped = {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)} - {name}
            for slip in left_out | swapped:
                if f"{slip}.{end}" not in REAL:
                    assert suggestion(f"ada@{slip}.{end}") == f"ada@{domain}", slip


@given(st.text(max_size=80) | st.from_regex(r"[a-z.]{0,9}@[a-z.]{0,16}", fullmatch=True))
@pytest.mark.long
def test_whatever_is_typed_there_is_an_answer_and_only_the_domain_may_differ(typed):
    meant = suggestion(typed)
    if meant:
        assert meant.rpartition("@")[0] == typed.rpartition("@")[0] != ""
        assert meant != typed
        assert suggestion(meant) == "", "One suggestion leads to another."


@pytest.mark.parametrize("domain", ["gmial.com", "hotmail.couk", "yaho.co.uk"])
def test_an_address_that_looks_wrong_is_accepted_like_any_other(client, db, domain):
    answer = client.post("/report/", form("report", email=f"ada@{domain}"))
    assert (answer.status_code, answer["Location"]) == (303, "/report/sent/")
    assert Enquiry.objects.get().email == f"ada@{domain}"
    assert f"We are sending it to ada@{domain}." in text(parse(client.get("/report/sent/")))


@pytest.mark.parametrize("kind", ["consultation", "question"])
def test_a_slip_is_asked_about_before_it_is_sent_and_one_press_puts_it_right(client, db, kind):
    address = f"/{kind}/"
    answers = form(kind, email="ada@gmial.com", step=None)
    if kind == "consultation":
        answers = first_step(email="ada@gmial.com")
    check = client.post(address, answers)
    assert "Did you mean ada@gmail.com? You typed ada@gmial.com." in text(parse(check))
    filled_in = sent(form_at(parse(check), address))
    right = follow(client, client.post(address, filled_in | {f"{kind}-step": "meant"}))
    assert "Did you mean" not in text(parse(right))
    again = sent(form_at(parse(right), address))
    assert {**filled_in, f"{kind}-email": ["ada@gmail.com"]} == again | {f"{kind}-seal": filled_in[f"{kind}-seal"]}
    client.post(address, again | {f"{kind}-step": "send"})
    assert Enquiry.objects.get().email == "ada@gmail.com"
    client.post(address, filled_in | {f"{kind}-step": "send"})
    assert Enquiry.objects.count() == 2, "Whoever did mean it may send it."


def test_a_domain_in_another_script_is_played_back_as_it_was_typed(client, db):
    typed = "ada@bücher.example"
    check = text(parse(client.post("/question/", form("question", email=typed, step=None))))
    assert typed in check
    assert "xn--" not in check
    client.post("/report/", form("report", email=typed))
    sent_to = client.get("/report/sent/").content.decode()
    assert f"We are sending it to <strong>{typed}</strong>" in sent_to
    assert "xn--" not in sent_to
    assert f'value="{typed}"' in client.get("/report/sent/change/").content.decode()
    assert Enquiry.objects.get().email == "ada@xn--bcher-kva.example"
    assert in_words("ada@xn--0.example") == "ada@xn--0.example", "Not a word in any script."
