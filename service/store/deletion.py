"""What becomes of the children when parents are deleted: restrict, cascade, set_null.

The foreign keys in the database do nothing by themselves, so that every change is an ordinary
statement. All is decided before anything is written, as one SQL DELETE would decide it: a child
that refers with `restrict` and stays keeps every parent, at any depth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from records.catalogue import Catalogue
from records.errors import Failure
from records.relation import CASCADE, RESTRICT, SET_NULL
from records.validation import Key, key_to_json
from records.values import RecordInfo, ReferenceInfo
from service.errors import Conflict
from service.store import sql, writer
from service.store.transaction import Transaction

NAMED_IN_A_MESSAGE = 3
"""How many of the records in the way a message names; the count tells of the others."""

Doomed = dict[str, dict[Key, Key]]
"""Keys that are to be deleted, by record class, each with the key at the root of its cascade."""


@dataclass
class Plan:
    """What a deletion will do."""

    doomed: Doomed
    released: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    held: list[tuple[RecordInfo, Key, Key]] = field(default_factory=list)


def delete_dependents(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> None:
    """Do all that deleting these records asks for, but for deleting themselves.

    Raises Conflict, with the index of the key and what refers to it, if a child restricts it.
    """
    plan = plan_deletion(tx, record, keys)
    refused = list(refusals(plan, record, keys))
    if refused:
        raise Conflict(refused)
    carry_out(tx, plan, record, besides=keys)


def carry_out(tx: Transaction, plan: Plan, record: RecordInfo, besides: Iterable[Key] = ()) -> None:
    """Do what is planned, children first, but leave out the rows `besides` of `record`."""
    _release(tx, plan)
    left_out = set(besides)
    for name in _children_first(tx.catalogue, plan.doomed):
        spared = left_out if name == record.name else ()
        gone = [key for key in reversed(plan.doomed[name]) if key not in spared]
        _delete_rows(tx, tx.catalogue.records[name], gone)


def plan_deletion(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> Plan:
    """Follow the references downwards, level by level, and lock what is found."""
    plan = Plan({record.name: {key: key for key in keys}})
    waiting = deque([(record, list(keys))])
    while waiting:
        waiting.extend(_next_level(tx, plan, *waiting.popleft()))
    return plan


def _next_level(
    tx: Transaction, plan: Plan, parent: RecordInfo, keys: list[Key]
) -> Iterator[tuple[RecordInfo, list[Key]]]:
    """Sort the children of some doomed parents into the plan; those that are doomed as well."""
    roots = plan.doomed[parent.name]
    for child, reference in tx.catalogue.children_of(parent.name):
        fresh = []
        for key, parent_key in _children(tx, child, reference, keys):
            known = plan.doomed.setdefault(child.name, {})
            if reference.on_delete == CASCADE and key not in known:
                known[key] = roots[parent_key]
                fresh.append(key)
            elif reference.on_delete == SET_NULL:
                plan.released.setdefault((child.name, reference.name), []).append(key)
            elif reference.on_delete == RESTRICT:
                plan.held.append((child, key, roots[parent_key]))
        if fresh:
            yield child, fresh


def _children(
    tx: Transaction, child: RecordInfo, reference: ReferenceInfo, parents: list[Key]
) -> Iterator[tuple[Key, Key]]:
    """The keys of the children of some parents, each with its parent's; locked."""
    names = (*child.key, *reference.fields)
    kinds = [child.fields[name].kind for name in names]
    reference_kinds = kinds[len(child.key) :]
    for part in writer.chunks(parents, writer.ROWS_A_STATEMENT):
        rows = tx.rows(
            f"SELECT {sql.columns(child, names)} FROM {sql.quoted(child.table)} "
            f"WHERE {sql.among(child, reference.fields, len(part))} FOR UPDATE",
            [
                kind.to_database(value)
                for key in part
                for kind, value in zip(reference_kinds, key, strict=True)
            ],
        )
        for raw in rows:
            values = [kind.from_database(value) for kind, value in zip(kinds, raw, strict=True)]
            yield tuple(values[: len(child.key)]), tuple(values[len(child.key) :])


def refusals(plan: Plan, record: RecordInfo, keys: Sequence[Key | None]) -> Iterator[Failure]:
    """A failure for each named record that something holds on to."""
    holders: dict[Key, dict[str, list[str]]] = {}
    for child, held, root in plan.held:
        if held not in plan.doomed.get(child.name, {}):
            named = holders.setdefault(root, {}).setdefault(child.name, [])
            named.append(str(key_to_json(child, held)))
    for index, key in enumerate(keys):
        in_the_way = {} if key is None else holders.get(key, {})
        for name, found in in_the_way.items():
            shown = ", ".join(found[:NAMED_IN_A_MESSAGE])
            more = ", …" if len(found) > NAMED_IN_A_MESSAGE else ""
            refer = "refers" if len(found) == 1 else "refer"
            yield Failure(
                "reference.restricted",
                f"{len(found)} {name} still {refer} to this {record.name}, or to what would be "
                f"deleted with it: {shown}{more}; delete or move that first",
                index=index,
            )


def _circular(
    catalogue: Catalogue, names: Iterable[str]
) -> Iterator[tuple[RecordInfo, ReferenceInfo]]:
    """References by which these classes refer to each other in a circle, or to themselves."""
    within = set(names)
    parents = {name: _parents(catalogue, name, within) for name in within}
    for name in within:
        for reference in catalogue.records[name].references.values():
            if reference.target in within and name in _reachable(parents, reference.target):
                yield catalogue.records[name], reference


def _reachable(parents: dict[str, set[str]], start: str) -> set[str]:
    """`start` and all its parents' parents."""
    found, waiting = {start}, [start]
    while waiting:
        fresh = parents[waiting.pop()] - found
        found |= fresh
        waiting.extend(fresh)
    return found


def _parents(catalogue: Catalogue, name: str, within: set[str]) -> set[str]:
    """The classes a class refers to, among some."""
    targets = {reference.target for reference in catalogue.records[name].references.values()}
    return targets & within


def _release(tx: Transaction, plan: Plan) -> None:
    """Children that stay let go; so do doomed rows that refer to each other in a circle."""
    for (name, reference_name), keys in plan.released.items():
        child = tx.catalogue.records[name]
        staying = [key for key in keys if key not in plan.doomed.get(name, {})]
        writer.set_null(tx, child, child.references[reference_name], staying)
    for record, reference in _circular(tx.catalogue, plan.doomed):
        if reference.allow_none:
            writer.set_null(tx, record, reference, plan.doomed[record.name])


def _delete_rows(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> None:
    """Delete rows of one class, the last that was found first.

    Rows that must refer to others of their class go one by one: in one statement the server
    takes them in an order of its own and checks after each.
    """
    own = (info for info in record.references.values() if info.target == record.name)
    if all(info.allow_none for info in own):
        writer.delete(tx, record, keys)
        return
    for key in keys:
        writer.delete(tx, record, [key])


def _children_first(catalogue: Catalogue, doomed: Doomed) -> list[str]:
    """The doomed classes so that none is deleted while another still refers to it."""
    within = set(doomed)
    circular = {(record.name, info.target) for record, info in _circular(catalogue, within)}
    children: dict[str, set[str]] = {name: set() for name in within}
    for name in within:
        for parent in _parents(catalogue, name, within):
            if (name, parent) not in circular:
                children[parent].add(name)
    return list(TopologicalSorter(children).static_order())
