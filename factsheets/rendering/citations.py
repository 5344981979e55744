"""The numbers of a sheet's sources, in the order in which they are read."""

from factsheets.models import Source
from factsheets.rendering.markdown import BodyError


class Citations:
    """Numbers sources in reading order, and remembers where each is first cited, for the link back."""

    def __init__(self):
        self.known = set(Source.objects.values_list("key", flat=True))
        self.first: dict[str, str] = {}

    def number(self, key: str, place: str = "") -> int:
        """`place` is where the source is shown: the address of a section, if no citation in the text names it."""
        if key not in self.known:
            raise BodyError(f"No source has the short name {key}. Add the source, or take it out of the text.")
        self.first.setdefault(key, place)
        return list(self.first).index(key) + 1

    def apply(self, node) -> None:
        if isinstance(node, list):
            for part in node:
                self.apply(part)
        elif isinstance(node, dict):
            if node.get("type") == "cite":
                is_first = node["key"] not in self.first
                node["number"] = self.number(node["key"])
                if is_first:
                    self.first[node["key"]] = node["id"] = f"cite-{node['number']}"
            else:
                for value in node.values():
                    if isinstance(value, list | dict):
                        self.apply(value)
