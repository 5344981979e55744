"""Very many rows at once, made by the database from one that came by the front door."""

from django.db import connection

from enquiries.models import Enquiry, OutgoingMessage, SearchToken

# Copies of one enquiry, then a copy of one mail and a name to find it by for each of them. All names are our own.
ENQUIRIES = """
INSERT INTO {enquiries} ({columns})
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number})
SELECT {values} FROM numbers, {enquiries} model WHERE model.id = {model}
"""
MAILS = """
INSERT INTO {mails} ({columns})
SELECT {values} FROM {enquiries} copy, {mails} model WHERE model.id = {model} AND copy.submission_key LIKE 'copy %'
"""
WORDS = "INSERT INTO {words} (enquiry_id, key) SELECT id, {key} FROM {enquiries} WHERE submission_key LIKE 'copy %'"
ROWS_OF_COPIES = "DELETE FROM {table} WHERE enquiry_id IN (SELECT id FROM {enquiries} WHERE reference LIKE 'C0%')"
COPIES = "DELETE FROM {enquiries} WHERE reference LIKE 'C0%'"
TABLES = {
    "enquiries": Enquiry._meta.db_table,
    "mails": OutgoingMessage._meta.db_table,
    "words": SearchToken._meta.db_table,
}


def on_sqlite() -> bool:
    return connection.vendor == "sqlite"


def columns_of(model, own: dict[str, str]) -> dict[str, str]:
    """The columns of a table, and for each what a copy holds: something of its own, or what the model row holds."""
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    return {"columns": ", ".join(columns), "values": ", ".join(own.get(each, f"model.{each}") for each in columns)}


def run(statement: str, **parts) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**TABLES, **parts))


def copies_of(enquiry: Enquiry, mail: OutgoingMessage, number: int) -> None:
    """So many copies of an enquiry, each with a copy of one of its mails. Their words are sealed to another row, and stay shut."""
    new_id = "lower(hex(randomblob(16)))" if on_sqlite() else "gen_random_uuid()"
    key = "random()" if on_sqlite() else "(random() * 9e18)::bigint"
    own = {name: f"'copy ' || n || '{name[:2]}'" for name in ("submission_key", "email_key", "phone_key")}
    own |= {"id": new_id, "reference": "'C0' || n"}
    model, its_mail = (f"'{pk.hex if on_sqlite() else pk}'" for pk in (enquiry.pk, mail.pk))
    run(ENQUIRIES, **columns_of(Enquiry, own), number=number, model=model)
    run(MAILS, **columns_of(OutgoingMessage, {"id": new_id, "enquiry_id": "copy.id"}), model=its_mail)
    run(WORDS, key=key)
    if not on_sqlite():
        run("ANALYZE")  # as PostgreSQL does by itself in time; nobody does it for SQLite


def without_copies() -> None:
    """Faster than by way of each row."""
    for table in ("enquiries_searchtoken", "enquiries_outgoingmessage", "enquiries_enquiryevent"):
        run(ROWS_OF_COPIES, table=table)
    run(COPIES)
