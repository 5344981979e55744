"""What patients tell us is ciphertext in the database, bound to its row and column, under keys that can change."""

import base64
from pathlib import Path

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.serializers import serialize
from django.db import connection, transaction
from django.db.models import Q

from backcare.core.encryption import CannotDecrypt, EncryptedTextField, decrypt, encrypt, key_ring, keyed_hash, new_key
from enquiries.actions import triage
from enquiries.models import Enquiry, EnquiryEvent
from tests.conftest import consultation

WORDS = ["", "Ada", "line\nline", "Zoë – 痛み 🦴 \u202e\u200d", "x" * 20_000]
ENCRYPTED = ["name", "email", "phone", "best_time", "description"]


def raw(model, pk) -> dict[str, bytes]:
    """A row as the database stores it, past the model."""
    names = [field.column for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
    key = model._meta.pk.get_db_prep_value(pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM {model._meta.db_table} WHERE id = %s", [key])  # noqa: S608 - our own names
        return {name: bytes(value or b"") for name, value in zip(names, cursor.fetchone(), strict=True)}


def overwrite(pk, column: str, value: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE enquiries_enquiry SET {column} = %s WHERE id = %s",  # noqa: S608 - our own names
            [connection.Database.Binary(value), Enquiry._meta.pk.get_db_prep_value(pk, connection)],
        )


# --- encryption ---


@pytest.mark.parametrize("words", WORDS)
def test_what_is_sealed_opens_to_the_same_words_in_the_same_place_only(words):
    sealed = encrypt(words, context="table:row:column")
    assert decrypt(sealed, context="table:row:column") == words
    assert words.encode() not in sealed or not words
    assert encrypt(words, context="table:row:column") != sealed, "The nonce was used twice."
    for elsewhere in ("table:row:other", "table:other:column", "other:row:column", ""):
        with pytest.raises(CannotDecrypt, match="changed, or moved"):
            decrypt(sealed, context=elsewhere)


def test_no_byte_can_be_changed_or_cut_off():
    sealed = encrypt("Ada", context="here")
    for place in range(len(sealed)):
        broken = bytearray(sealed)
        broken[place] ^= 1
        with pytest.raises(CannotDecrypt):
            decrypt(bytes(broken), context="here")
    for length in range(len(sealed)):
        with pytest.raises(CannotDecrypt):
            decrypt(sealed[:length], context="here")
    with pytest.raises(CannotDecrypt):
        decrypt(b"Ada Example, who was never encrypted at all", context="here")


def test_the_length_of_a_stored_value_is_a_step_and_says_no_more():
    overhead = 2 + 12 + 16
    sizes = {"": 64, "Ada": 64, "x" * 63: 64, "x" * 64: 128, "x" * 127: 128, "x" * 128: 256, "痛" * 100: 512}
    sizes |= {"x" * 4000: 4096, "ends in zeros\0\0": 64, "ends like padding\u0080\0": 64}
    for words, size in sizes.items():
        sealed = encrypt(words, context="here")
        assert (len(sealed) - overhead, decrypt(sealed, context="here")) == (size, words)


def test_a_value_from_before_there_was_padding_opens_and_the_one_is_never_taken_for_the_other():
    old = encrypt("Ada", context="here", padded=False)
    assert (len(old), decrypt(old, context="here")) == (33, "Ada")
    for sealed in (old, encrypt("Ada", context="here")):
        swapped = bytes([3 - sealed[0]]) + sealed[1:]
        with pytest.raises(CannotDecrypt, match="changed, or moved"):
            decrypt(swapped, context="here")


def test_a_new_key_comes_first_and_the_old_one_still_reads(settings):
    old, new = f"1:{base64.b64encode(b'o' * 32).decode()}", f"2:{base64.b64encode(b'n' * 32).decode()}"
    settings.FIELD_ENCRYPTION_KEYS = [old]
    before = encrypt("Ada", context="here")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert decrypt(before, context="here") == "Ada"
    after = encrypt("Ada", context="here")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert decrypt(after, context="here") == "Ada"
    with pytest.raises(CannotDecrypt, match="key 1 is not in FIELD_ENCRYPTION_KEYS"):
        decrypt(before, context="here")


def test_a_key_with_the_right_number_and_the_wrong_bytes_opens_nothing(settings):
    settings.FIELD_ENCRYPTION_KEYS = [f"1:{base64.b64encode(b'o' * 32).decode()}"]
    sealed = encrypt("Ada", context="here")
    settings.FIELD_ENCRYPTION_KEYS = [f"1:{base64.b64encode(b'n' * 32).decode()}"]
    with pytest.raises(CannotDecrypt, match="changed, or moved"):
        decrypt(sealed, context="here")


GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ([], "missing"),
        ([GOOD], "does not start with an id"),
        ([f"0:{GOOD}"], "does not start with an id"),
        ([f"256:{GOOD}"], "does not start with an id"),
        ([f"²:{GOOD}"], "does not start with an id"),
        (["1:"], "0 bytes long. It must be 32"),
        (["1:not base64!"], "not valid base64"),
        ([f"1:{base64.b64encode(b'short').decode()}"], "5 bytes long. It must be 32"),
        ([f"1:{GOOD}", f"1:{GOOD}"], "Key 2 in FIELD_ENCRYPTION_KEYS has the same id"),
    ],
)
def test_a_key_that_is_no_key_is_refused_without_being_shown(settings, keys, complaint):
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
        key_ring()
    assert not any(key.partition(":")[2] and key.partition(":")[2] in str(refused.value) for key in keys)


def test_a_key_that_we_make_is_a_key_that_we_take(settings):
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    assert [len(secret) for secret in key_ring().values()] == [32]
    assert new_key() != new_key()
    assert new_key(beside=[f"{number}:x" for number in range(1, 256) if number != 7]).startswith("7:")


def test_a_keyed_hash_differs_by_purpose_by_key_and_by_where_the_parts_end(settings):
    known = keyed_hash("a", "b", purpose="submission")
    assert known == keyed_hash("a", "b", purpose="submission")
    others = {keyed_hash("ab", purpose="submission"), keyed_hash("a", "b", purpose="other")}
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    others.add(keyed_hash("a", "b", purpose="submission"))
    assert len(others | {known}) == 4


# --- the field ---


@pytest.mark.parametrize("words", WORDS)
def test_a_row_reads_back_what_was_written_in_every_way_of_reading(db, words):
    pk = consultation(description=words).pk
    assert Enquiry.objects.get(pk=pk).description == words
    assert Enquiry.objects.defer("description").get(pk=pk).description == words
    assert Enquiry.objects.only("description").get(pk=pk).description == words
    assert Enquiry.objects.only("kind").get(pk=pk).description == words
    assert EnquiryEvent.objects.select_related("enquiry").get(enquiry=pk).enquiry.description == words
    again = Enquiry.objects.get(pk=pk)
    again.refresh_from_db()
    assert again.description == words
    again.refresh_from_db(fields=["description"])
    assert (again.description, again.name) == (words, "Ada Example")


def test_saving_a_row_that_was_read_keeps_every_word(db):
    pk = consultation().pk
    before = raw(Enquiry, pk)
    read = Enquiry.objects.get(pk=pk)
    read.save()
    assert raw(Enquiry, pk) == before, "What nobody touched was written again."
    read = Enquiry.objects.get(pk=pk)
    assert read.name == "Ada Example"
    read.save()
    deferred = Enquiry.objects.defer("name").get(pk=pk)
    deferred.save()
    kept = Enquiry.objects.get(pk=pk)
    assert [getattr(kept, name) for name in ENCRYPTED] == [
        "Ada Example",
        "ada@example.com",
        "+442079460018",
        "mornings",
        "An ache low in my back for two months.",
    ]
    read.name = "Grace Example"
    read.save(update_fields=["name"])
    assert Enquiry.objects.get(pk=pk).name == "Grace Example"


def test_rows_made_in_bulk_are_sealed_too(db):
    made = [Enquiry(kind="question", name=f"Person {n}", submission_key=str(n)) for n in range(3)]
    Enquiry.objects.bulk_create(made)
    assert {kept.name for kept in Enquiry.objects.all()} == {"Person 0", "Person 1", "Person 2"}
    assert not any(b"Person" in raw(Enquiry, one.pk)["name"] for one in made)


def test_a_value_moved_to_another_row_or_column_does_not_open(db):
    one, other = consultation().pk, consultation(name="Grace Example").pk
    overwrite(one, "name", raw(Enquiry, other)["name"])
    overwrite(one, "best_time", raw(Enquiry, one)["description"])
    moved = Enquiry.objects.get(pk=one)
    for name in ("name", "best_time"):
        with pytest.raises(CannotDecrypt, match="changed, or moved"):
            getattr(moved, name)
    assert moved.description == "An ache low in my back for two months."
    assert Enquiry.objects.get(pk=other).name == "Grace Example"


def test_one_broken_value_does_not_hide_the_enquiry_from_staff(staff_client):
    kept = consultation()
    broken = bytearray(raw(Enquiry, kept.pk)["name"])
    broken[-1] ^= 1
    overwrite(kept.pk, "name", bytes(broken))
    for address in (kept.get_admin_url(), "/admin/enquiries/enquiry/"):
        page = staff_client.get(address)
        assert page.status_code == 200
        assert "This text cannot be opened: changed, or moved" in page.content.decode()
    assert "An ache low in my back" in staff_client.get(kept.get_admin_url()).content.decode()


def test_old_rows_open_after_the_key_was_changed_and_new_ones_use_the_new_key(db, settings):
    old = settings.FIELD_ENCRYPTION_KEYS
    pk = consultation().pk
    number = next(number for number in range(1, 256) if number not in key_ring())
    settings.FIELD_ENCRYPTION_KEYS = [f"{number}:{GOOD}", *old]
    assert Enquiry.objects.get(pk=pk).name == "Ada Example"
    later = consultation(name="Grace Example")
    assert {sealed[1] for sealed in raw(Enquiry, later.pk).values() if sealed} == {number}
    settings.FIELD_ENCRYPTION_KEYS = [f"{number}:{GOOD}"]
    assert Enquiry.objects.get(pk=later.pk).name == "Grace Example"
    with pytest.raises(CannotDecrypt, match="is not in FIELD_ENCRYPTION_KEYS"):
        Enquiry.objects.get(pk=pk).name  # noqa: B018


@pytest.mark.parametrize(
    "question",
    [
        {"name": "Ada Example"},
        {"name__contains": "Ada"},
        {"email__iexact": "ada@example.com"},
        {"name__in": ["Ada Example"]},
        {"name__gt": ""},
    ],
)
def test_an_encrypted_column_cannot_be_searched(db, question):
    consultation()
    for look in (Enquiry.objects.filter, Enquiry.objects.exclude):
        with pytest.raises((FieldError, TypeError)):
            list(look(**question))
    with pytest.raises((FieldError, TypeError)):
        list(Enquiry.objects.filter(Q(kind="report") | Q(**question)))


def test_no_plain_text_gets_past_the_model(db):
    kept = consultation()
    with pytest.raises(TypeError, match="name is encrypted"), transaction.atomic():
        Enquiry.objects.filter(pk=kept.pk).update(name="Grace Example")
    kept.name = "Grace Example"
    with pytest.raises(TypeError, match="name is encrypted"), transaction.atomic():
        Enquiry.objects.bulk_update([kept], ["name"])
    with pytest.raises(TypeError, match="is not serialised"):
        serialize("json", [kept])
    assert Enquiry.objects.get().name == "Ada Example"


def test_values_hands_out_ciphertext_only(db):
    consultation()
    assert b"Ada" not in bytes(Enquiry.objects.values_list("name", flat=True).get())


CANARIES = {
    "name": "Canaryname Finch",
    "email": "canarymail@example.com",
    "phone": "+442079460199",
    "best_time": "canarytime at dusk",
    "description": "canarywords about my back",
}


def database_bytes() -> bytes:
    """Everything that the database keeps of our tables: its files, or on PostgreSQL every column as the server sends it."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        parts = [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm", "-journal")]
        found = [part.read_bytes() for part in parts if part.exists()]
        assert len(found) >= 2, "The database file or its write-ahead log was not found."
        return b"".join(found)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_read_binary_file(pg_relation_filepath('enquiries_enquiry'))")
        return sent_rows() + bytes(cursor.fetchone()[0])


def sent_rows() -> bytes:
    """Every column of enquiries and their timelines, as the server sends it."""
    dumped = []
    with connection.cursor() as cursor:
        for model in (Enquiry, EnquiryEvent):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608 - our own names
            for row in cursor.fetchall():
                dumped += [bytes(part) if isinstance(part, bytes | memoryview) else str(part).encode() for part in row]
    return b"\n".join(dumped)


def test_the_database_holds_no_word_of_a_patient_in_plain_text(transactional_db, staff):
    kept = consultation(**CANARIES)
    triage.triage(enquiry=kept, by=staff, to="in_progress", note="canarynote of ours")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
    stored = database_bytes()
    assert kept.reference.encode() in stored, "The bytes that were looked at are not those of this enquiry."
    for word in [*CANARIES.values(), "canary", "Finch", "2079460199", "dusk"]:
        for encoding in ("utf-8", "utf-16-le"):
            assert word.encode(encoding) not in stored, f"“{word}” lies in the database in plain text."
    assert {name: getattr(Enquiry.objects.get(), name) for name in CANARIES} == CANARIES
    assert [event.note for event in kept.events.all()][-1] == "canarynote of ours"
