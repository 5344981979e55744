"""The content as fixtures: the entries of its YAML files, and records as an entry writes them.

A record is named by the words of its natural key, and its fields are plain values.
"""

from pathlib import Path

import yaml
from django.core.exceptions import ValidationError

# The folder, beside the YAML, of pictures that editors uploaded: digest, width and format are their names.
PICTURES = "pictures"
MAX_DEPTH = 20  # lists in lists; ours have five


class ContentError(Exception):
    """A fixture cannot be installed. The text names the file and the entry."""


# libyaml, where PyYAML was built with it, reads the fixtures ten times as fast.
class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML that refuses a name written twice in one entry; plain YAML would silently drop the first."""

    def construct_mapping(self, node, deep=False):
        names = [name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name} appears twice in one entry", node.start_mark
                )
        return super().construct_mapping(node, deep)


def entries(folder: Path, models: list) -> list[tuple]:
    """Model, fields and place of every entry of every file, in the order of `models`. Raises ContentError."""
    order = {model._meta.label_lower: (rank, model) for rank, model in enumerate(models)}
    found = []
    files = sorted(folder.glob("*.yaml")) + sorted(folder.glob("sheets/*.yaml"))
    if not files:
        raise ContentError(f"There are no fixtures in {folder}.")
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            _check_depth(text)
            listed = yaml.load(text, Loader=StrictLoader) or []  # noqa: S506 - it is safe
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ContentError(f"{path.name} is not valid YAML: {error}") from error
        if not isinstance(listed, list):
            raise ContentError(f"{path.name} is not a list of entries. Start each entry with “- model:”.")
        for number, entry in enumerate(listed, start=1):
            where = f"{path.name}, entry {number}"
            if not isinstance(entry, dict) or str(entry.get("model")) not in order:
                raise ContentError(f"{where}: model is missing or unknown.")
            if not isinstance(entry.get("fields"), dict):
                raise ContentError(f"{where}: fields are missing.")
            rank, model = order[entry["model"]]
            found.append((rank, len(found), model, entry["fields"], where))
    return [(model, fields, where) for rank, _, model, fields, where in sorted(found, key=lambda item: item[:2])]


def _check_depth(text: str) -> None:
    """Raises YAMLError for what would overflow the stack, and end the process, when it is read.

    libyaml's reader calls itself for each level.
    """
    depth = 0
    for event in yaml.parse(text, Loader=StrictLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, "its lists are nested too deeply", event.start_mark)


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
            values[name] = plain(getattr(instance, name))
    return values


def plain(value):
    """As JSON can hold it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _words_of(records) -> list[list[str]]:
    """Their natural keys. Asks for these alone: a whole sheet with all that is made from it would come for one word."""
    keys = records.values_list(*records.model.natural_key_lookups())
    return [list(map(str, key)) for key in keys]


class Stored:
    """What the database held of each model when it was first asked about: whole tables, so that an upgrade that finds nearly all
    as it was does not ask for each record and each reference alone.
    """

    def __init__(self) -> None:
        self._words: dict[type, dict] = {}
        self._rows: dict[type, dict[str, dict]] = {}
        self._many: dict[object, dict[int, list]] = {}

    def is_as(self, model, key: str, fields: dict) -> bool:
        """Whether the record of this key holds just these values, as an entry gives them or as they were kept."""
        row = self._rows_of(model).get(key)
        return row is not None and all(
            self._is(model._meta.get_field(name), row, value) for name, value in fields.items()
        )

    def _is(self, model_field, row: dict, value) -> bool:
        if model_field.many_to_many:
            return self._others(model_field).get(row["pk"], []) == sorted(value or [])
        if model_field.is_relation:
            return self._words_of(model_field.related_model).get(row[model_field.attname]) == value
        return plain(row[model_field.attname]) == plain(value)

    def _rows_of(self, model) -> dict[str, dict]:
        if model not in self._rows:
            words, names = self._words_of(model), [column.attname for column in model._meta.concrete_fields]
            rows = model._base_manager.values("pk", *names)
            self._rows[model] = {" ".join(words[row["pk"]]): row for row in rows}
        return self._rows[model]

    def _others(self, model_field) -> dict[int, list]:
        if model_field not in self._many:
            words, found = self._words_of(model_field.related_model), self._many.setdefault(model_field, {})
            ends = model_field.m2m_field_name(), model_field.m2m_reverse_field_name()
            for number, other in model_field.remote_field.through._base_manager.values_list(*ends):
                found.setdefault(number, []).append(words.get(other, []))
            for listed in found.values():
                listed.sort()
        return self._many[model_field]

    def _words_of(self, model) -> dict[int, list[str]]:
        if model not in self._words:
            listed = model._base_manager.values_list("pk", *model.natural_key_lookups())
            self._words[model] = {number: list(map(str, words)) for number, *words in listed}
        return self._words[model]


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
