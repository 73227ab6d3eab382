"""The catalogue: all record classes of an application as plain values, checked as a whole."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType

from records.base import Record, finish_classes, is_concrete, references_of
from records.declaration import problems_of_all, problems_of_class
from records.description import describe
from records.errors import DeclarationError, ModuleMissing
from records.family import FAMILY
from records.fields import MISSING
from records.values import CollectionInfo, FieldInfo, KeyInfo, Order, RecordInfo, ReferenceInfo

__all__ = [
    "MISSING",
    "Catalogue",
    "CollectionInfo",
    "FieldInfo",
    "KeyInfo",
    "Order",
    "RecordInfo",
    "ReferenceInfo",
    "catalogue_of",
    "is_built_in",
    "load_catalogue",
    "record_classes",
    "with_family",
    "without_family",
]


@dataclass(frozen=True)
class Catalogue:
    """All record classes, by name; parents and children are always both in it."""

    records: Mapping[str, RecordInfo]

    def children_of(self, name: str) -> Iterator[tuple[RecordInfo, ReferenceInfo]]:
        """Every reference to the record `name`, with the class that holds it."""
        for record in self.records.values():
            for reference in record.references.values():
                if reference.target == name:
                    yield record, reference


def load_catalogue(module: str) -> Catalogue:
    """The catalogue of an importable module of record classes, and of Herdbook's own family.

    Raises DeclarationError with every problem: the module cannot be imported, holds no record
    class, or classes are declared wrongly.
    """
    try:
        loaded = importlib.import_module(module)
    except Exception as error:
        kind = ModuleMissing if _is_missing(module, error) else DeclarationError
        raise kind([_import_problem(module, error)]) from error
    return with_family(catalogue_of(record_classes(loaded)))


def record_classes(module: ModuleType) -> list[type[Record]]:
    """The record classes a module holds, declared there or imported into it."""
    return [value for value in vars(module).values() if is_concrete(value)]


def catalogue_of(classes: Iterable[type[Record]]) -> Catalogue:
    """The catalogue of these classes and of the parents they refer to.

    Raises DeclarationError with every problem of every class.
    """
    finish_classes()
    found = _with_parents(classes)
    problems = [line for cls in found for line in problems_of_class(cls)]
    if not found:
        problems = ["there is no record class; derive one from records.Record"]
    if problems:
        raise DeclarationError(problems)
    records = [describe(cls) for cls in found]
    problems = list(problems_of_all(records))
    if problems:
        raise DeclarationError(problems)
    return Catalogue(MappingProxyType({record.name: record for record in records}))


def is_built_in(record: RecordInfo) -> bool:
    """Whether a record class is one of Herdbook's own family."""
    return record.cls in FAMILY


def with_family(catalogue: Catalogue) -> Catalogue:
    """The catalogue, and Herdbook's own family after it, if it was not in it."""
    family = {record.name: record for record in map(describe, FAMILY)}
    return Catalogue(MappingProxyType({**without_family(catalogue).records, **family}))


def without_family(catalogue: Catalogue) -> Catalogue:
    """What the application declares."""
    own = {name: each for name, each in catalogue.records.items() if not is_built_in(each)}
    return Catalogue(MappingProxyType(own))


def _is_missing(module: str, error: Exception) -> bool:
    """Whether it is the module itself that is not there, and not one that it imports."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    return bool(name) and f"{module}.".startswith(f"{name}.")


def _import_problem(module: str, error: Exception) -> str:
    """Why a module could not be imported, with the line that failed."""
    if _is_missing(module, error):
        return f"the record module {module} does not exist on the import path"
    return f"the record module {module} fails: {type(error).__name__}: {error}{_place(error)}"


def _place(error: Exception) -> str:
    """The user's own line that failed: none of ours, and none of Python's."""
    if isinstance(error, SyntaxError):
        # Its text names the file and the line.
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = (str(Path(__file__).parent), sysconfig.get_path("stdlib"), "<frozen")
    own = [frame for frame in frames if not frame.filename.startswith(ours)]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def _with_parents(classes: Iterable[type[Record]]) -> list[type[Record]]:
    """The classes and all they refer to, each once, in order."""
    found: dict[type[Record], None] = {}
    waiting = list(classes)
    while waiting:
        cls = waiting.pop(0)
        if cls not in found:
            found[cls] = None
            targets = (reference.target_class(cls) for _name, reference in references_of(cls))
            waiting.extend(target for target in targets if is_concrete(target))
    return list(found)
