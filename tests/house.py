"""The rules of the house as functions: each takes files and returns what is wrong, a line each."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 10

_MADE_BY_TOOLS = re.compile(r"^(\..*|__pycache__|build|dist|.*\.egg-info)$")
_SHOWN = {".ini", ".json", ".mako", ".md", ".py", ".sh", ".template", ".toml", ".yaml", ".yml", ""}
_HIDDEN_BUT_OURS = (".ci/run", ".gitignore", ".importlinter")

# Written in pieces, so that this file does not hold what it looks for.
PROMISES = re.compile(
    r"\b(TO"
    r"DO|FIX"
    r"ME|X"
    r"XX|HA"
    r"CK|for"
    r" now|not"
    r" implemented|place"
    r"holder|st"
    r"ub"
    r"|simplified"
    r" version)\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~}*/-])/(?:home|wo" r"rk|tmp/" r"lab)/\w")
REGISTRY_HOSTS = re.compile(
    r"\b(py" r"pi\.org|python" r"hosted\.org|deb\." r"debian|security\." r"debian|npm" r"js\.org)",
    re.I,
)
_CHECKING_CALL = re.compile(r"^(assert|check|expect|raises|warns|verify|fail|must)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of the house."""

    root: Path
    path: Path

    @property
    def where(self) -> str:
        """The path as a reader would write it."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def is_test(self) -> bool:
        """Whether it belongs to the tests."""
        return self.where.startswith("tests/")

    @property
    def name(self) -> str:
        """The name it is imported by."""
        return ".".join(Path(self.where).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.where)

    def functions(self) -> Iterator[Function]:
        """Every function in it, methods and inner ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


def texts(root: Path) -> Iterator[Path]:
    """Every text file of the project, found without git: what tools make is left out."""
    for path in sorted(root.iterdir()):
        if _MADE_BY_TOOLS.match(path.name) or path.is_symlink():
            continue
        if path.is_dir():
            yield from texts(path)
        elif path.suffix in _SHOWN:
            yield path
    yield from (root / name for name in _HIDDEN_BUT_OURS if (root / name).is_file())


def modules(root: Path) -> list[Module]:
    """Every Python module of the project."""
    return [Module(root, path) for path in texts(root) if path.suffix == ".py"]


def length(function: Function) -> int:
    """The lines of a function's body, its docstring apart."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno else 0


def too_long_modules(found: Iterable[Module]) -> list[str]:
    """Modules one cannot read in a sitting."""
    counted = ((module.where, module.text.count("\n")) for module in found)
    return [f"{where} has {lines} lines" for where, lines in counted if lines > MODULE_LINES]


def too_long_functions(found: Iterable[Module]) -> list[str]:
    """Functions that do not fit on a screen."""
    return [
        f"{module.where}:{function.lineno} {function.name} has {length(function)} lines"
        for module in found
        for function in module.functions()
        if length(function) > FUNCTION_LINES and not _is_revision(module)
    ]


def median_function(found: Iterable[Module]) -> float:
    """The length of the middle function."""
    return statistics.median(
        length(function) for module in found for function in module.functions()
    )


def undocumented(found: Iterable[Module]) -> list[str]:
    """Modules and tests that do not say what they are about."""
    missing = []
    for module in found:
        if ast.get_docstring(module.tree) is None:
            missing.append(f"{module.where} has no docstring")
        missing += [
            f"{module.where}:{test.lineno} {test.name} has no docstring"
            for test in _tests(module)
            if ast.get_docstring(test) is None
        ]
    return missing


def unasserting_tests(found: Iterable[Module]) -> list[str]:
    """Tests that cannot fail on a wrong outcome; calling a helper that asserts is enough."""
    found = list(found)
    asserting = {
        function.name
        for module in found
        for function in module.functions()
        if _asserts(function, set())
    }
    return [
        f"{module.where}:{test.lineno} {test.name} asserts nothing"
        for module in found
        for test in _tests(module)
        if not _asserts(test, asserting - {test.name})
    ]


def import_cycle(found: Iterable[Module]) -> list[str]:
    """The modules of one import cycle, if there is any. Imports in functions do not count."""
    named = {module.name: module for module in found}
    graph = {name: _imports(module, named.keys()) for name, module in named.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def lines_matching(pattern: re.Pattern[str], root: Path) -> list[str]:
    """Every line of the project's text files that the pattern finds."""
    return [
        f"{path.relative_to(root)}:{number} {line.strip()[:90]}"
        for path in texts(root)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def _is_revision(module: Module) -> bool:
    """Whether it is frozen history: a revision is as long as the change it writes down."""
    return "/migrations/" in f"/{module.where}"


def _tests(module: Module) -> Iterator[Function]:
    """The test functions of a test module."""
    if module.path.name.startswith("test_"):
        yield from (each for each in module.functions() if each.name.startswith("test"))


def _asserts(function: Function, asserting: set[str]) -> bool:
    """Whether the function asserts itself, or calls one of the helpers that do."""
    return any(
        isinstance(node, ast.Assert) or _checks(node, asserting) for node in ast.walk(function)
    )


def _checks(node: ast.AST, asserting: set[str]) -> bool:
    """Whether the node calls something that checks."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func).rpartition(".")[2]
    return bool(_CHECKING_CALL.match(name)) or name in asserting


def _imports(module: Module, known: Collection[str]) -> set[str]:
    """Which of the known modules this one imports when it is itself imported."""
    names: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            # A name that is no module of its own comes from the package itself.
            names |= parts if parts <= set(known) else parts | {node.module}
    return names & set(known) - {module.name}
