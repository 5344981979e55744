from django.db import models

from factsheets.models.version import ContentQuerySet, Shown


class ByNaturalKey(models.Manager.from_queryset(ContentQuerySet)):
    """Finds a record by the fields that name it in a fixture (`natural_key_fields`), not by its number."""

    def get_by_natural_key(self, *values):
        # A fixture needs only its number. A whole sheet would bring every page that is made from it.
        return self.only("pk").get(**dict(zip(self.model.natural_key_lookups(), values, strict=True)))


class NaturalKeyModel(Shown):
    """A record that fixtures name by its fields. A key field that is itself a record is named by that record's key."""

    natural_key_fields: tuple[str, ...] = ("slug",)

    objects = ByNaturalKey()

    class Meta:
        abstract = True

    @classmethod
    def natural_key_lookups(cls) -> list[str]:
        lookups = []
        for name in cls.natural_key_fields:
            field = cls._meta.get_field(name)
            if field.is_relation:
                lookups += [f"{name}__{lookup}" for lookup in field.related_model.natural_key_lookups()]
            else:
                lookups.append(name)
        return lookups

    def natural_key(self):
        key = []
        for name in self.natural_key_fields:
            value = getattr(self, name)
            key += value.natural_key() if isinstance(value, NaturalKeyModel) else [value]
        return tuple(key)
