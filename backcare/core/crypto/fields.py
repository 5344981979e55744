"""A model field for text that nobody should be able to read from the database file."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

from backcare.core.crypto.encryption import decrypt, encrypt
from backcare.core.crypto.keys import guard

if TYPE_CHECKING:
    TextField = models.Field[str, str]
else:
    TextField = models.Field


class Ciphertext(bytes):
    """Ciphertext as it came from the database, opened when the attribute is read."""


class EncryptedAttribute(DeferredAttribute):
    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if value is None:
            return ""  # of a row that was just made; from the database it comes so
        if instance is not None and isinstance(value, Ciphertext):
            value = decrypt(value, context=self.field.context_for(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        # Only a descriptor that also sets comes before the instance's own dictionary, where the ciphertext lies.
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(TextField):
    """Text that is ciphertext in the database. It needs a primary key that is known before saving (a UUID)."""

    descriptor_class = EncryptedAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A column that is added to a table has no rows to encrypt an empty text for, so there it may be null, which reads as "".
        # Such a column always keeps no text as null, so that a constraint can tie it to another column.
        default = None if kwargs.get("null") else ""
        super().__init__(*args, **{"default": default, "blank": True, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for option in ("default", "blank", "editable"):
            kwargs.pop(option, None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def context_for(self, instance: models.Model) -> str:
        return f"{instance._meta.db_table}:{instance.pk}:{self.column}"

    def from_db_value(self, value: bytes | None, expression: Any, connection: BaseDatabaseWrapper) -> str | Ciphertext:
        return "" if value is None else Ciphertext(value)

    def pre_save(self, instance: models.Model, add: bool) -> Ciphertext | None:
        stored = instance.__dict__.get(self.attname, "")
        if isinstance(stored, Ciphertext):
            return stored  # untouched since it was read: keep the bytes as they are
        if self.null and not stored:
            return None
        guard()
        return Ciphertext(encrypt(str(stored or ""), context=self.context_for(instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Ciphertext):
            # A plain value can only come from update() or a filter, which have no row to bind it to.
            raise TypeError(f"{self.name} is encrypted: save it through its model, and find it by its keyed hash.")
        return value if value is None else connection.Database.Binary(value)

    def get_lookup(self, lookup_name: str) -> Any:
        # "exact" is for ciphertext, such as "if it is still what I read"; get_db_prep_value refuses any other value.
        return super().get_lookup(lookup_name) if lookup_name in {"isnull", "exact"} else None

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.name} is encrypted and is not serialised.")

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        return None
