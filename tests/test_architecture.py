"""The house rules that no single module can check: imports point downwards, tests mirror the tree, names stay ours."""

from __future__ import annotations

import ast
import functools
import io
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("stereo", "datasets", "pruning", "quant", "finetune", "hwcost")
OWN_FOLDERS = sorted(
    path.name for path in (ROOT / "src/disparsity").iterdir() if path.is_dir() and not path.is_symlink()
)

LAYERS = (
    {"base"},
    {"registries"},
    {"stereo", "datasets"},
    {"pruning", "quant"},
    {"finetune", "hwcost"},
    {"checkpoint"},
    {"evaluation", "recipe"},
    {"cost"},
    {"run", "export"},
    {"report"},
    {"sweep"},
    {"pipeline"},
    {"api"},
    {"cli"},
    {"__init__", "__main__"},
)
"""Parts of the package from the ground up; a part may import itself and the parts of lower layers."""

UNKNOWN_TO = {
    "stereo": {"datasets", "pruning", "quant"},
    "datasets": {"stereo", "pruning", "quant"},
    "pruning": {"stereo", "datasets", "quant"},
    "quant": {"stereo", "datasets", "pruning"},
    "hwcost": {"stereo", "datasets", "finetune"},
}
"""Lower or equal parts that these must not import either: methods take losses, batches and layers as arguments."""

UNTESTED = {
    # a bar on a terminal and nothing else
    "src/disparsity/base/progress.py",
}
"""Modules without a test file of their own."""

UNTESTED_FOLDERS = ("hwcost/tracing",)
"""Folders whose tests are still grouped by subject, not by file."""

SMALL_LINES = 40
GENERIC = {*FOLDERS, "recipes", "cli", "tests", "models", "utils"}


def modules() -> list[Path]:
    """Every source file, as a path from the root, without following the links."""
    own = list((ROOT / "src/disparsity").glob("*.py"))
    own += [path for folder in OWN_FOLDERS for path in (ROOT / "src/disparsity" / folder).rglob("*.py")]
    linked = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in own + linked)


@functools.cache
def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it the statement stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names |= {_named(node.module, alias.name) for alias in node.names}
    return names


def _named(module: str, name: str) -> str:
    """The module that `from module import name` is about: the submodule if there is one."""
    inner = ROOT / "src" / module.replace(".", "/") / name
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").is_file() else module


def ours(path: Path) -> set[str]:
    """First names below the package that a file imports: `stereo`, `errors`, `recipe`, ..."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("disparsity.")}


def code_lines(path: Path) -> int:
    """Lines with code on them: no comments, docstrings or blanks."""
    text = (ROOT / path).read_text(encoding="utf-8")
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines |= set(range(token.start[0], token.end[0] + 1))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        first = node.body[0] if isinstance(node, documented) and node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            assert first.end_lineno is not None
            lines -= set(range(first.lineno, first.end_lineno + 1))
    return len(lines)


def test_the_modules_are_found() -> None:
    found = {path.as_posix() for path in modules()}
    assert {"stereo/networks/stereonet.py", "finetune/modes/base.py", "src/disparsity/recipe/recipe.py"} <= found
    assert not any(path.startswith("src/disparsity/stereo") for path in found)


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to: a folder, or a module of src/disparsity."""
    parts = path.with_suffix("").parts
    return parts[2] if parts[0] == "src" else parts[0]


PARTS = sorted(set(map(part_of, modules())))


def test_every_part_has_a_layer() -> None:
    assert sorted(set.union(*LAYERS)) == [part for part in PARTS if part not in ("recipes", "__pycache__")]


@pytest.mark.parametrize("part", PARTS)
def test_imports_point_downwards(part: str) -> None:
    height = next(number for number, layer in enumerate(LAYERS) if part in layer)
    known = {part, *set().union(*LAYERS[:height])} - UNKNOWN_TO.get(part, set())
    files = [path for path in modules() if part_of(path) == part]
    assert [(path.as_posix(), name) for path in files for name in sorted(ours(path) - known - {"__version__"})] == []


def reached(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Everything that can be reached from a module over one or more imports."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def guarded(path: Path) -> set[str]:
    """What a file imports for type checkers only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom) and inner.module:
                    names |= {_named(inner.module, alias.name) for alias in inner.names}
    return names


def test_no_circles_among_modules() -> None:
    dotted = {}
    for path in modules():
        parts = path.with_suffix("").parts
        parts = parts[2:] if parts[0] == "src" else parts
        dotted[".".join(("disparsity", *parts)).removesuffix(".__init__")] = path
    graph = {name: (imported(path) - guarded(path)) & set(dotted) for name, path in dotted.items()}
    assert [name for name in graph if name in reached(name, graph)] == []


def test_no_generic_top_level_names_are_imported() -> None:
    files = [*modules(), *(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))]
    files += [path.relative_to(ROOT) for path in (ROOT / "benchmarks").rglob("*.py")]
    wrong = {str(path): found for path in files if (found := {n.split(".")[0] for n in imported(path)} & GENERIC)}
    assert wrong == {}
    assert set(FOLDERS) & set(sys.modules) == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_are_links_into_the_package(folder: str) -> None:
    link = ROOT / "src/disparsity" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("../..") / folder


def home(test: Path) -> str:
    """The source file that a test file is named after: `tests/stereo/test_metrics.py` is about `stereo/metrics.py`."""
    folder = test.relative_to(ROOT / "tests").parent
    return (folder / test.name.removeprefix("test_")).as_posix()


def mirrored(path: Path) -> str:
    """Where in the tests' tree a source file is looked for."""
    return path.as_posix().removeprefix("src/")


def test_every_module_of_some_size_has_a_test_file() -> None:
    tested = {home(path) for path in (ROOT / "tests").rglob("test_*.py")}
    missing = [
        path.as_posix()
        for path in modules()
        if mirrored(path) not in tested
        and path.name != "__init__.py"
        and path.as_posix() not in UNTESTED
        and not path.as_posix().startswith(UNTESTED_FOLDERS)
        and code_lines(path) > SMALL_LINES
    ]
    assert missing == []


def test_exceptions_are_still_needed() -> None:
    tested = {home(path) for path in (ROOT / "tests").rglob("test_*.py")}
    assert [path for path in sorted(UNTESTED) if not (ROOT / path).is_file()] == []
    assert [path for path in sorted(UNTESTED) if path.removeprefix("src/") in tested] == []


def test_tests_are_no_package() -> None:
    assert [str(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


def called(path: Path) -> set[str]:
    """Functions that a file calls by a dotted name, such as ``torch.load``."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_torch_archives_are_read_in_one_place_and_nothing_is_pickled() -> None:
    readers = [str(path) for path in modules() if "torch.load" in called(path)]
    assert readers == ["stereo/networks/published.py"]
    unsafe = {"pickle", "marshal", "shelve", "dill", "joblib"}
    assert [str(path) for path in modules() if {name.split(".")[0] for name in imported(path)} & unsafe] == []
