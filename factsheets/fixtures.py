"""Reads the YAML files of an edition of the content."""

from pathlib import Path

import yaml

# The folder, beside the YAML, of pictures that editors uploaded: digest, width and format are their names.
PICTURES = "pictures"


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
                    None, None, f"{name} is there twice in one entry", node.start_mark
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
            listed = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader) or []  # noqa: S506 - it is safe
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
