"""herd.status and herd.graph: how this node stands among its siblings."""

from __future__ import annotations

from collections.abc import Iterator

from records.kinds.base import JsonSchema
from service.herd.status import HerdState, SiblingState
from service.herd.vectors import Vector
from service.methods.feed_json import moment_json
from service.methods.held_json import REASONS
from service.methods.help import help_text
from service.methods.herd_port import Aside, Herd, Known, KnownSibling
from service.methods.journal_json import CONFLICTS
from service.methods.params import Arguments, Signature
from service.methods.registry import Handler, Method

_COUNTS: JsonSchema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_STATUS_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "origin": {"type": "integer", "minimum": 1},
        "schema": {"type": "string"},
        "vector": _COUNTS,
        "siblings": {"type": "array", "items": {"type": "object"}},
        "alarms": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "object"}},
        "held": _COUNTS,
        "journal": {"type": "object"},
    },
    "required": [
        "name",
        "origin",
        "schema",
        "vector",
        "siblings",
        "alarms",
        "warnings",
        "held",
        "journal",
    ],
}
_GRAPH_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "self": {"type": "integer", "minimum": 1},
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
        "links": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "integer"}},
        },
    },
    "required": ["self", "names", "links"],
}
_STATUS_NOTE = (
    "`siblings` are the links and addresses of this node and, with an `address` of null, siblings "
    "that it has met and is not linked with. `they_lack` counts the changes here that a sibling is "
    "not known to have; `they_lack_seconds` is how long the oldest of them that the changelog "
    "still holds has been here. `clock_ahead_seconds` is how far ahead of this node's clock its "
    "latest write was stamped, if that is more than half a second. Nobody waits for what a "
    "`retired` one acknowledges, also while it is linked. `alarms` need somebody now, `warnings` "
    "can wait for some time. Of the journal the newest entries are counted: those with a number "
    "above `counted_above`, which is 0 where that is all."
)
_GRAPH_NOTE = (
    "A node knows its own links only. `herdbook herd graph` asks several nodes and puts together "
    "what they tell."
)


class HerdMethods:
    """The methods about the node and its siblings."""

    def __init__(self, herd: Herd) -> None:
        self._herd = herd

    def methods(self) -> Iterator[Method]:
        """Each method with its description."""
        yield _method(
            "herd.status",
            "This node and its siblings: links, what each lacks, what is held and what was put "
            "aside.",
            _STATUS_SCHEMA,
            self.status,
            _STATUS_NOTE,
        )
        yield _method(
            "herd.graph",
            "The nodes that this one knows, and its links with them.",
            _GRAPH_SCHEMA,
            self.graph,
            _GRAPH_NOTE,
        )

    async def status(self, arguments: Arguments) -> object:
        """`herd.status`."""
        arguments.problems.raise_any()
        state = self._herd.state()
        known = await self._herd.known(_vectors(state))
        return status_json(state, known, await self._herd.aside())

    async def graph(self, arguments: Arguments) -> object:
        """`herd.graph`."""
        arguments.problems.raise_any()
        state = self._herd.state()
        return graph_json(state, await self._herd.known(_vectors(state)))


def status_json(state: HerdState, known: Known, aside: Aside) -> dict[str, object]:
    """Everything that is known of how a node stands."""
    met = {sibling.origin: sibling for sibling in known.siblings}
    linked = {sibling.origin for sibling in state.siblings if sibling.origin is not None}
    told = [_linked(each, met.get(each.origin or 0)) for each in state.siblings]
    told += [_away(sibling) for sibling in known.siblings if sibling.origin not in linked]
    return {
        "name": state.name,
        "origin": known.origin,
        "schema": state.schema,
        "vector": {str(origin): position for origin, position in sorted(known.vector.items())},
        "siblings": told,
        "alarms": [alarm._asdict() for alarm in state.alarms],
        "warnings": [warning._asdict() for warning in state.warnings],
        "held": {reason: aside.held.get(reason, 0) for reason in (*REASONS, *aside.held)},
        "journal": _journal_json(aside),
    }


def graph_json(state: HerdState, known: Known) -> dict[str, object]:
    """The links of a node, both ways, and every node that it has met, by origin.

    Who is retired belongs to the herd no more, unless it is linked.
    """
    own = known.origin
    linked = sorted(_vectors(state))
    names = {
        one.origin: one.name for one in known.siblings if not one.retired or one.origin in linked
    }
    names |= {each.origin: each.name for each in state.siblings if each.origin and each.name}
    names[own] = state.name
    links: dict[int, list[int]] = {origin: [] for origin in names}
    links[own] = linked
    links |= {origin: [own] for origin in linked}
    return {
        "self": own,
        "names": {str(origin): name for origin, name in sorted(names.items())},
        "links": {str(origin): others for origin, others in sorted(links.items())},
    }


def _vectors(state: HerdState) -> dict[int, Vector]:
    """What siblings have that are linked now, by origin."""
    return {
        each.origin: each.vector
        for each in state.siblings
        if each.origin is not None and each.vector is not None
    }


def _linked(state: SiblingState, known: KnownSibling | None) -> dict[str, object]:
    """A sibling that is linked, or an address that is dialled."""
    lacks = None if known is None or state.vector is None else known.lacks_seconds
    seen = None if known is None else moment_json(known.seen_at)
    ahead = None if known is None else known.ahead_seconds
    return {
        **state.as_plain(),
        "retired": known is not None and known.retired,
        "they_lack_seconds": lacks,
        "clock_ahead_seconds": ahead,
        "seen_at": seen,
    }


def _away(known: KnownSibling) -> dict[str, object]:
    """A sibling that was met and is not linked now."""
    return {
        "address": None,
        "name": known.name,
        "origin": known.origin,
        "state": "not linked" if known.state == "active" else known.state,
        "retired": known.retired,
        "they_lack": known.lacks,
        "they_lack_seconds": known.lacks_seconds,
        "clock_ahead_seconds": known.ahead_seconds,
        "met_at": moment_json(known.met_at) if known.met_at else None,
        "seen_at": moment_json(known.seen_at) if known.seen_at else None,
    }


def _journal_json(aside: Aside) -> dict[str, object]:
    journal = aside.journal
    conflicts = [noted for rule, noted in journal.items() if rule in CONFLICTS]
    repairs = [noted for rule, noted in journal.items() if rule not in CONFLICTS]
    return {
        "conflicts": sum(noted.total for noted in conflicts),
        "conflicts_last_hour": sum(noted.last_hour for noted in conflicts),
        "repairs": sum(noted.total for noted in repairs),
        "repairs_last_hour": sum(noted.last_hour for noted in repairs),
        "by_rule": {rule: noted.total for rule, noted in sorted(journal.items())},
        "counted_above": aside.above,
    }


def _method(name: str, summary: str, result: JsonSchema, handler: Handler, *notes: str) -> Method:
    """One method with its help; none of them takes parameters."""
    signature = Signature()
    text = help_text(name, summary, signature, {}, notes)
    return Method(name, summary, text, signature, result, {}, handler)
