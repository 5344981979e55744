"""Every column of the database is declared: whose it is, why, how it is protected, and when it ends."""

import re

import pytest
from django.db import connection
from django.db.models import BigIntegerField
from django.test import Client

from backcare.core import encryption
from backcare.core.encryption import EncryptedTextField
from enquiries.privacy import register, retention
from factsheets import page_cache
from tests.support.clinic_settings import set_clinic
from tests.support.html import parse, text

# The tests' own copies of the content, and the database's own lists.
NOT_OURS = re.compile(r"^(kept_|sqlite_)")


def columns_of_the_database() -> dict[str, set[str]]:
    """As the database says it, so that no table of any package is missed."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            if not NOT_OURS.match(name):
                cursor.execute(f'SELECT * FROM "{name}" LIMIT 0')  # noqa: S608 - the database's own names
                found[name] = {column[0] for column in cursor.description}
    return found


def test_every_column_of_every_table_is_declared_and_nothing_else(db):
    there, declared = columns_of_the_database(), register.tables()
    wrong = []
    for table in sorted(there.keys() - declared.keys()):
        columns = ", ".join(sorted(there[table]))
        wrong.append(
            f"Table {table} is not declared. Add it under `tables` in enquiries/privacy/register.yaml."
            " If it says nothing about a person:\n"
            f"  {table}: {{people: nobody, plain: [{columns}]}}\n"
            f"Otherwise as enquiries_enquiry is: people, title, about, plain, and for each personal column what, why, how, ends."
        )
    wrong += [f"Table {table} is declared and gone. Take it out." for table in sorted(declared.keys() - there.keys())]
    for table in sorted(there.keys() & declared.keys()):
        for column in sorted(there[table] - declared[table].columns):
            wrong.append(
                f"{table}.{column} is not declared. In enquiries/privacy/register.yaml add it to {table}: to `plain` if it says "
                f"nothing about a person, else to `personal`:\n"
                f"      {column}: {{what: In words that the person reads, why: account, how: plain, ends: trace}}"
            )
        for column in sorted(declared[table].columns - there[table]):
            wrong.append(f"{table}.{column} is declared and gone. Take it out of enquiries/privacy/register.yaml.")
        for column in sorted(set(declared[table].plain) & set(declared[table].personal)):
            wrong.append(f"{table}.{column} is declared twice.")
    assert not wrong, "\n".join(wrong)


def test_what_is_said_to_be_encrypted_is_and_the_other_way_round():
    said = {
        (table.name, column.name)
        for table in register.tables().values()
        for column in table.personal.values()
        if column.protection == "encrypted"
    }
    is_ = {
        (model._meta.db_table, field.column)
        for model, fields in encryption.sealed_columns().items()
        for field in fields
    }
    assert said == is_
    assert ("enquiries_enquiry", "description") in said


def test_what_is_said_to_be_hashed_is_no_text_that_anybody_can_read():
    """A mark has room for a hash and is made by one of our functions; nothing of people's own words is among them."""
    hashed = {
        f"{table.name}.{column.name}"
        for table in register.tables().values()
        for column in table.personal.values()
        if column.protection == "hashed"
    }
    assert {"enquiries_enquiry.email_key", "enquiries_searchtoken.key", "backcare_limit.key"} <= hashed
    for place in sorted(hashed - {"auth_user.password", "staff_recoverycode.hash"}):
        table, column = place.split(".")
        field = next(each for each in register.tables()[table].model._meta.concrete_fields if each.column == column)
        is_short = isinstance(field, BigIntegerField)  # the first 64 bits of one
        assert is_short or field.max_length == 64, f"{place} is no HMAC-SHA-256 in hex."
        assert not isinstance(field, EncryptedTextField)


def test_each_table_about_people_can_be_read_by_them(db, subtests):
    for table in [table for table in register.tables().values() if table.people != "nobody"]:
        with subtests.test(table=table):
            assert table.title
            assert table.about.endswith(".")
            for column in table.personal.values():
                assert column.what[0].isupper()
                assert "_" not in column.what
                assert re.search(r"Article 6\(1\)", column.basis)
                column.ends.format(**register.periods())


def test_every_kind_that_ends_has_a_rule_that_ends_it(db):
    """What the register promises, the purge does."""
    ruled = {rule.name for rule in retention.RULES}
    assert ruled >= {
        "summaries",
        "reports",
        "enquiries",
        "spam",
        "messages",
        "records",
        "sessions",
        "search_misses",
        "limits",
    }
    ends = {column.ends for table in register.tables().values() for column in table.personal.values()}
    names = set(re.findall(r"\{(\w+)\}", " ".join(ends)))
    assert names == set(register.periods()), "A period is promised and not in force, or the other way round."


# --- the page ---

ADDRESS = "/privacy/what-we-hold/"


def test_the_page_says_every_personal_detail_of_patients_and_readers(db, client):
    words = text(parse(client.get(ADDRESS))).lower()
    for people in ("patients", "readers"):
        for table in register.about(people):
            assert table.title.lower() in words
            for column in table.personal.values():
                if column.people == people:
                    assert column.what.lower() in words, f"{table.name}.{column.name}"


def test_each_detail_has_a_heading_and_its_three_answers_and_no_wide_table(db, client):
    page = parse(client.get(ADDRESS))
    details = page.findall(".//ul[@class='plainlist held']/li")
    asked = [register.in_words(table) for people in ("patients", "readers") for table in register.about(people)]
    assert len(details) == sum(len(rows) for rows in asked) > 10
    for detail in details:
        assert text(detail.find("h3"))
        assert [text(each) for each in detail.iter("dt")] == ["Why", "How it is protected", "How long"]
        assert all(text(each) for each in detail.iter("dd"))
    assert page.find(".//table") is None


def test_the_periods_on_the_pages_are_those_in_force(db, settings, monkeypatch):
    monkeypatch.setattr(page_cache, "cache", page_cache.LRUCache(1))  # no page from before the change
    set_clinic(enquiry_retention_months=7, report_retention_days=11)
    held, privacy = (text(parse(Client().get(address))) for address in (ADDRESS, "/privacy/"))
    assert "7 months after we close it" in held
    assert "11 days after the email is sent" in held
    assert "we delete your details 7 months after your request is closed" in privacy


def test_the_page_is_linked_and_in_the_sitemap_and_shows_nothing_of_anybody(db, client):
    assert f'href="{ADDRESS}"' in client.get("/privacy/").content.decode()
    assert ADDRESS in client.get("/sitemap.xml").content.decode()
    response = client.get(ADDRESS)
    assert not response.cookies
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_a_register_that_is_not_sound_is_refused():
    with pytest.raises(ValueError, match="people is “everybody”"):
        register._table("t", {"people": "everybody", "plain": ["id"]}, {})
    with pytest.raises(ValueError, match="a table about patients has 0 personal columns"):
        register._table("t", {"people": "patients", "plain": ["id"]}, {})
