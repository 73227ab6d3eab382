"""What becomes of the children when parents are deleted: restrict, cascade, set_null.

The foreign keys in the database do nothing by themselves, so that every change is an ordinary
statement. All is decided before anything is written, as one SQL DELETE would decide it: a child
that refers with `restrict` and stays keeps every parent, at any depth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from records.catalogue import Catalogue
from records.errors import Failure
from records.relation import CASCADE, RESTRICT, SET_NULL
from records.validation import Key, Row, key_to_json
from records.values import RecordInfo, ReferenceInfo
from schema.capture.triggers import MOMENT, NOW
from service.errors import Conflict
from service.methods.undo_port import graveyard
from service.store import sql, writer
from service.store.order import circle, layers, reachable
from service.store.reader import select_by_keys
from service.store.transaction import Transaction

NAMED_IN_A_MESSAGE = 3
"""How many of the records in the way a message names; the count tells of the others."""

Doomed = dict[str, dict[Key, Key]]
"""Keys that are to be deleted, by record class, each with the key at the root of its cascade."""


@dataclass
class Plan:
    """What a deletion will do.

    `inner` has, by class, for a row those that must refer to it and are of its own class: in one
    statement the server takes them in an order of its own and checks after each.
    """

    doomed: Doomed
    inner: dict[str, dict[Key, set[Key]]] = field(default_factory=dict)
    released: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    held: list[tuple[RecordInfo, Key, Key]] = field(default_factory=list)


def delete(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> None:
    """Delete these records, as the keys are in their rows, and do what that asks for.

    Raises Conflict, with the index of the key and what refers to it, if a child restricts it.
    """
    locked = sql.among(record, record.key, len(keys))
    tx.rows(
        f"SELECT 1 FROM {sql.quoted(record.table)} WHERE {locked} FOR UPDATE",
        writer.key_parameters(record, keys),
    )
    plan = plan_deletion(tx, record, keys)
    refused = list(refusals(tx, plan, record, keys))
    if refused:
        raise Conflict(refused)
    carry_out(tx, plan)


def carry_out(tx: Transaction, plan: Plan) -> None:
    """Do what is planned, children first. All that goes has the same moment of death."""
    tx.execute(f"SET {MOMENT} = {NOW}")
    try:
        lost = list(_references_in_circles(tx, plan.doomed))
        _release(tx, plan)
        for name in children_first(tx.catalogue, plan.doomed):
            inner = plan.inner.get(name, {})
            for keys in layers({key: inner.get(key, ()) for key in plan.doomed[name]}):
                writer.delete(tx, tx.catalogue.records[name], keys)
        for record, changes in lost:
            writer.update(tx, graveyard(record), changes)
    finally:
        # The connection goes on to serve others. One that is lost is made anew, without it.
        tx.execute(f"SET {MOMENT} = NULL")


def plan_deletion(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> Plan:
    """Follow the references downwards, level by level, and lock what is found.

    The rows with these keys are locked already.
    """
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
            if child is parent and not reference.allow_none:
                plan.inner.setdefault(child.name, {}).setdefault(parent_key, set()).add(key)
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
    """The keys of the children of some parents, each with its parent's; locked.

    The parent's key is read from the parent: where a collation takes other letters, or spaces at
    the end, for the same, the child may have it in another form.
    """
    parent = tx.catalogue.records[reference.target]
    width = len(child.key)
    for part in writer.chunks(parents, writer.ROWS_A_STATEMENT):
        rows = tx.rows(
            _children_statement(child, reference, parent, len(part)),
            writer.key_parameters(parent, part),
        )
        for raw in rows:
            yield (
                writer.key_from_database(child, raw[:width]),
                writer.key_from_database(parent, raw[width:]),
            )


def _children_statement(
    child: RecordInfo, reference: ReferenceInfo, parent: RecordInfo, count: int
) -> str:
    """The query for the children of `count` parents."""
    own = ", ".join(f"c.{sql.column(child, name)}" for name in child.key)
    theirs = [f"p.{sql.column(parent, name)}" for name in parent.key]
    pairs = zip(reference.fields, reference.target_fields, strict=True)
    matches = " AND ".join(
        f"c.{sql.column(child, here)} = p.{sql.column(parent, there)}" for here, there in pairs
    )
    wanted = ", ".join([sql.tuple_of(["?"] * len(theirs))] * count)
    return (
        f"SELECT {own}, {', '.join(theirs)} FROM {sql.quoted(parent.table)} AS p "
        f"JOIN {sql.quoted(child.table)} AS c ON {matches} "
        f"WHERE {sql.tuple_of(theirs)} IN ({wanted}) FOR UPDATE"
    )


def refusals(
    tx: Transaction, plan: Plan, record: RecordInfo, keys: Sequence[Key | None]
) -> Iterator[Failure]:
    """A failure for each named record that something holds on to."""
    reasons: dict[Key, list[str]] = {}
    for root, reason in [*_holders(plan, record), *_circles(tx, plan)]:
        reasons.setdefault(root, []).append(reason)
    for index, key in enumerate(keys):
        for reason in () if key is None else reasons.get(key, ()):
            yield Failure("reference.restricted", reason, index=index)


def _holders(plan: Plan, record: RecordInfo) -> Iterator[tuple[Key, str]]:
    """For each record that is held, what records of other classes hold it."""
    holders: dict[tuple[Key, str], list[Key]] = {}
    classes = {child.name: child for child, _held, _root in plan.held}
    for child, held, root in plan.held:
        if held not in plan.doomed.get(child.name, {}):
            holders.setdefault((root, child.name), []).append(held)
    for (root, name), found in holders.items():
        named = found[:NAMED_IN_A_MESSAGE]
        shown = ", ".join(str(key_to_json(classes[name], key)) for key in named)
        more = ", …" if len(found) > NAMED_IN_A_MESSAGE else ""
        refer = "refers" if len(found) == 1 else "refer"
        yield (
            root,
            f"{len(found)} {name} still {refer} to {record.name} {key_to_json(record, root)}, or "
            f"to what would be deleted with it: {shown}{more}; delete or move that first",
        )


def _circles(tx: Transaction, plan: Plan) -> Iterator[tuple[Key, str]]:
    """A row that must refer to itself, or rows to each other: the server deletes none of them."""
    for name, inner in plan.inner.items():
        found = circle(inner)
        if found:
            record = tx.catalogue.records[name]
            shown = " → ".join(str(key_to_json(record, key)) for key in found)
            yield (
                plan.doomed[name][found[0]],
                f"the references of {name} {shown} lead back to where they begin and cannot be "
                "null; let one of them refer to another record first",
            )


def released_circles(catalogue: Catalogue, doomed: Doomed) -> list[tuple[str, str]]:
    """References that may be NULL by which doomed classes refer to each other in a circle.

    Each by its class and name. A class that refers to itself is such a circle.
    """
    parents = {name: _parents(catalogue, name, doomed) for name in doomed}
    return [
        (name, reference.name)
        for name in doomed
        for reference in catalogue.records[name].references.values()
        if reference.allow_none
        and reference.target in doomed
        and name in {reference.target, *reachable(parents, reference.target)}
    ]


def _references_in_circles(
    tx: Transaction, doomed: Doomed
) -> Iterator[tuple[RecordInfo, list[tuple[Key, Row]]]]:
    """What doomed rows say in the references that are let go of only so that they can be deleted.

    The dead keep it, so that they come back as they were.
    """
    for name, reference_name in released_circles(tx.catalogue, doomed):
        record = tx.catalogue.records[name]
        fields = record.references[reference_name].fields
        for part in writer.chunks(list(doomed[name]), writer.ROWS_A_STATEMENT):
            found = select_by_keys(tx, record, part, fields)
            pairs = zip(part, found, strict=True)
            changes = [(key, row) for key, row in pairs if row and None not in row.values()]
            if changes:
                yield record, changes


def _parents(catalogue: Catalogue, name: str, within: Container[str]) -> set[str]:
    """The classes a class refers to, among some."""
    targets = (reference.target for reference in catalogue.records[name].references.values())
    return {target for target in targets if target in within}


def _release(tx: Transaction, plan: Plan) -> None:
    """Children that stay let go; so do doomed rows that refer to each other in a circle."""
    for (name, reference_name), keys in plan.released.items():
        child = tx.catalogue.records[name]
        staying = [key for key in keys if key not in plan.doomed.get(name, {})]
        writer.set_null(tx, child, child.references[reference_name], staying)
    for name, reference_name in released_circles(tx.catalogue, plan.doomed):
        record = tx.catalogue.records[name]
        writer.set_null(tx, record, record.references[reference_name], plan.doomed[name])


def children_first(catalogue: Catalogue, doomed: Doomed) -> list[str]:
    """The doomed classes so that none is deleted while another still refers to it."""
    released = set(released_circles(catalogue, doomed))
    children: dict[str, set[str]] = {name: set() for name in doomed}
    for name in doomed:
        for reference in catalogue.records[name].references.values():
            stands = (name, reference.name) not in released
            if stands and reference.target in doomed and reference.target != name:
                children[reference.target].add(name)
    return [name for layer in layers(children) for name in layer]
