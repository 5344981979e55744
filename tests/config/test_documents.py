"""What our documents say about tests is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["docs/faults.md", "docs/hazard-log.md", "docs/threat-model.md", "docs/evidence.md"]


MODULES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}


def functions_of(file: str) -> set[str]:
    tree = ast.parse(MODULES[file].read_text())
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


@pytest.mark.long
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_a_document_names_exists(document):
    named = re.findall(r"\b(test_\w+\.py)(?:::(\w+))?", (ROOT / document).read_text())
    missing = [
        f"{file}::{name}" for file, name in named if file not in MODULES or (name and name not in functions_of(file))
    ]
    assert named
    assert not missing


def test_every_hazard_has_its_number_and_names_a_test_that_shows_its_control():
    log = (ROOT / "docs" / "hazard-log.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in log.splitlines() if re.match(r"\| C\d+ \|", line)]
    assert len(rows) >= 20
    for number, cells in enumerate(rows, start=1):
        assert len(cells) == 6, cells[0]
        assert cells[0] == f"C{number}"
        assert re.search(r"`test_\w+\.py::test_\w+`", cells[5]), cells[0]
