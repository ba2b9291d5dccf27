"""The shape of the house, proved."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "barnhand").rglob("*.py"))
LONGEST_FILE = 460


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "barnhand")))
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        (
            "import barnhand.store.store, barnhand.store.writer, barnhand.api.app",
            {"cv2", "onnxruntime", "faiss", "scipy", "torch"},
        ),
        ("import barnhand.recorder.recorder, barnhand.store.spool", {"cv2", "onnxruntime", "faiss", "sqlalchemy", "torch"}),
        ("import barnhand.cli, barnhand.analyst.analyst", {"torch"}),
        ("import barnhand.core.observation", {"scipy", "cv2", "pydantic", "av"}),
    ],
)
def test_a_room_loads_only_what_it_needs(statement: str, banned: set[str]) -> None:
    assert modules_after(statement) & banned == set()


def module_level_mutables(path: Path) -> list[str]:
    """Names bound at module level to a list, dict or set that something in the module changes."""
    tree = ast.parse(path.read_text())
    containers = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.List | ast.Dict | ast.Set)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    changing = {"append", "add", "update", "pop", "clear", "setdefault", "extend", "remove"}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in changing:
            value = node.func.value
            if isinstance(value, ast.Name) and value.id in containers:
                found.add(value.id)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in containers:
                    found.add(target.value.id)
    return sorted(found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "barnhand")))
def test_no_module_keeps_state(path: Path) -> None:
    assert module_level_mutables(path) == []


def test_the_lock_file_names_no_address() -> None:
    for name in ("requirements.lock", "web/package-lock.json"):
        text = (ROOT / name).read_text()
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert '"resolved"' not in text
        assert "--index-url" not in text
