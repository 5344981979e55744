"""Where hard words are marked in a sheet's document."""


def nodes(value):
    for each in value if isinstance(value, list) else []:
        if isinstance(each, dict):
            yield each
            for part in each.values():
                yield from nodes(part)
        else:
            yield from nodes(each)


def nodes_of(document: dict) -> list[dict]:
    """The marked words of a document, in reading order."""
    parts = [document["in_short"]["content"], document["key_points"]]
    for section in document["sections"]:
        parts += [section["blocks"], *(statement["blocks"] for statement in section.get("evidence", []))]
    return [node for part in parts for node in nodes(part) if node.get("type") == "term"]
