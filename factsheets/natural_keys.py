"""Records as fixtures write them: a record named by the words of its natural key, its fields as plain values."""

from django.core.exceptions import ValidationError


def check_names(model, fields: dict) -> None:
    for name in fields:
        model._meta.get_field(name)
    for model_field in model._meta.many_to_many:
        if not model_field.blank and not fields.get(model_field.name):
            raise ValueError(f"{model_field.name}: name at least one.")


def key_of(model, fields: dict) -> str:
    """The words that name the entry, as `natural_key` would give them once it is a record."""
    words = []
    for name in model.natural_key_fields:
        value = fields.get(name)
        if value in (None, "", []):
            raise ValueError(f"{name} is missing.")
        words += value if isinstance(value, list) else [value]
    return " ".join(map(str, words))


def named(model, key: str):
    """The record that these words name, or None."""
    return model.objects.filter(**dict(zip(model.natural_key_lookups(), key.split(), strict=True))).first()


def must_find(related, reference, name: str) -> None:
    try:
        related._default_manager.get_by_natural_key(*reference)
    except (related.DoesNotExist, TypeError, ValueError) as error:
        words = " ".join(map(str, reference))
        raise LookupError(f"{name}: there is no {related._meta.verbose_name} {words}.") from error


def default_of(model_field):
    """What a record holds in a field that its fixture did not name yet."""
    if model_field.many_to_many:
        return []
    return None if model_field.is_relation else model_field.get_default()


def values_of(instance, names, m2m_data=None) -> dict:
    """The named fields as plain values that can be kept and compared: a record becomes its natural key."""
    values = {}
    for name in names:
        model_field = instance._meta.get_field(name)
        if model_field.many_to_many:
            if m2m_data is not None:
                words = _words_of(model_field.related_model.objects.filter(pk__in=m2m_data.get(name, [])))
            else:  # which may have been fetched with the record
                words = [list(map(str, each.natural_key())) for each in getattr(instance, name).all()]
            values[name] = sorted(words)
        elif model_field.is_relation:
            related = model_field.related_model.objects.filter(pk=getattr(instance, model_field.attname))
            values[name] = next(iter(_words_of(related)), None)
        else:
            value = getattr(instance, name)
            values[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return values


def _words_of(records) -> list[list[str]]:
    """Their natural keys. Asks for these alone: a whole sheet with all that is made from it would come for one word."""
    keys = records.values_list(*records.model.natural_key_lookups())
    return [list(map(str, key)) for key in keys]


def take_over(stored, offered, names) -> bool:
    """Saves the named fields as offered. False when the record would be wrong with them; raises when the fixture is."""
    many = {name for name in names if stored._meta.get_field(name).many_to_many}
    for name in set(names) - many:
        attname = stored._meta.get_field(name).attname
        setattr(stored, attname, getattr(offered.object, attname))
    try:
        stored.full_clean()
    except ValidationError:
        offered.object._state.adding = False  # or it would be refused for being there already
        offered.object.full_clean()
        return False
    stored.save()
    for name in many:
        getattr(stored, name).set(offered.m2m_data.get(name, []))
    return True
