from django.db import models

from factsheets.models.version import ContentVersion


class ContentQuerySet(models.QuerySet):
    """Whatever changes content, one row or many, says so: pages that were kept ready are made anew."""

    def update(self, **values):
        count = super().update(**values)
        ContentVersion.changed()
        return count

    def bulk_create(self, *args, **options):
        made = super().bulk_create(*args, **options)
        ContentVersion.changed()
        return made

    def delete(self):
        deleted = super().delete()
        ContentVersion.changed()
        return deleted


class ByNaturalKey(models.Manager.from_queryset(ContentQuerySet)):
    """Finds a record by the words that name it in a fixture, `natural_key_fields`, instead of by a number."""

    def get_by_natural_key(self, *values):
        # Its number is all that a fixture asks for: a sheet would come with every page that is made from it.
        return self.only("pk").get(**dict(zip(self.model.natural_key_lookups(), values, strict=True)))


class Shown(models.Model):
    """A record that kept pages show: a change of one row or of many ends what was kept, in every process."""

    objects = ContentQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **options):
        super().save(*args, **options)
        ContentVersion.changed()

    def delete(self, *args, **options):
        deleted = super().delete(*args, **options)
        ContentVersion.changed()
        return deleted


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
