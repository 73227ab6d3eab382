"""Bugs to plant: each takes one rule away that the herd needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from typing import NamedTuple

import pytest

from records import merging, states
from records.stamps import Version
from records.states import RowState
from service.herd import building, flood, held, link, link_greeting
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, LogEntry
from service.herd.flood_events import Committed
from service.herd.link_actions import Apply
from service.herd.planning import conflicts, families, incoming, plan
from service.herd.planning.draft import WRITER
from service.herd.shapes import Place
from service.herd.vectors import joined
from service.herd.waiting_rows import Waiting
from service.simulation import memory, network, node, process
from service.simulation.durable import DurableNode
from service.simulation.process import Process
from service.simulation.setting import Options


class Plant(NamedTuple):
    """A bug, and the rules that may be seen broken because of it."""

    put_in: Callable[[pytest.MonkeyPatch], None]
    rules: Collection[str]
    options: Options = Options()


def _ties_go_to_the_holder(patch: pytest.MonkeyPatch) -> None:
    """Of two writes with one stamp the one that was here stays, whoever wrote it."""
    honest = merging._later

    def later(ours: RowState, theirs: RowState, column: str) -> RowState | None:
        if ours.version(column).stamp == theirs.version(column).stamp:
            return ours if column in ours.values else theirs
        return honest(ours, theirs, column)

    patch.setattr(merging, "_later", later)


def _acknowledged_before_commit(patch: pytest.MonkeyPatch) -> None:
    """A delta is taken for committed as soon as it is here."""
    honest = Process._apply

    def apply(self: Process, action: Apply) -> None:
        number, part, delta = action.portion
        vector = joined(self.node.vector, delta.covers) if delta.last else self.node.vector
        honest(self, action)
        self.give(Committed(action.link, number, part, vector))

    patch.setattr(Process, "_apply", apply)
    patch.setitem(process._CARRY_OUT, Apply, apply)


def _repairs_not_logged(patch: pytest.MonkeyPatch) -> None:
    """What repairs write has no entries of its own."""
    patch.setattr(plan, "_own_entries", lambda _draft, _origin: ())


def _one_entry_for_several_repairs(patch: pytest.MonkeyPatch) -> None:
    """A row that is repaired twice in one go has one entry, with the later version only."""

    def differences(
        before: RowState, after: RowState
    ) -> Iterable[tuple[str, tuple[str, ...], int]]:
        if after.death is not None:
            return [(DELETE, (), after.death.died)]
        if after.life != before.life:
            return [(INSERT, (), after.latest.stamp)]
        changed = (c for c in after.values if after.version(c) != before.version(c))
        return [(UPDATE, tuple(changed), after.latest.stamp)]

    patch.setattr(plan, "_differences", differences)


def _revived_row_in_part(patch: pytest.MonkeyPatch) -> None:
    """Of a row that a repair revived only those columns travel that were written since."""
    honest = building.columns_to_send

    def columns_to_send(entries: Collection[LogEntry]) -> frozenset[str] | None:
        return honest([e for e in entries if e.kind != INSERT or e.writer != WRITER])

    patch.setattr(building, "columns_to_send", columns_to_send)


def _vector_before_the_last_part(patch: pytest.MonkeyPatch) -> None:
    """The first part of a delta is taken for all of it."""
    honest = DurableNode.apply

    def apply(
        self: DurableNode, delta: Delta, now: int, named: Set[Place] = frozenset()
    ) -> plan.Plan:
        made = honest(self, delta, now, named)
        self.vector = joined(self.vector, delta.covers)
        return made

    patch.setattr(DurableNode, "apply", apply)


def _not_sealed_before_reading(patch: pytest.MonkeyPatch) -> None:
    """A delta shows rows whose entries it does not have yet."""
    honest = Process._snapshot

    def snapshot(self: Process, action: object) -> object:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Process, "_sealed", lambda _self: None)
            return honest(self, action)  # type: ignore[arg-type]

    patch.setattr(Process, "_snapshot", snapshot)


def _waiting_rows_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Rows that could not stand in an early part do not come again with the last one."""

    def what_waits(_self: Process, _link: int, number: int) -> Waiting:
        return Waiting(number)

    patch.setattr(Process, "_what_waits", what_waits)


def _nothing_repaired(patch: pytest.MonkeyPatch) -> None:
    """What merging makes of rows is written as it is."""
    patch.setattr(plan, "_settle", lambda _draft: None)


def _pinned_rows_die(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks from below what is held on to."""
    patch.setattr(families.Family, "_held_from_below", lambda _self, _gone, _dying: set())


def _our_losses_untold(patch: pytest.MonkeyPatch) -> None:
    """What was here and lost goes into no journal."""
    patch.setattr(plan, "our_losses", lambda *_arguments: [])


def _their_losses_untold(patch: pytest.MonkeyPatch) -> None:
    """What came and lost goes into no journal."""
    patch.setattr(plan, "their_losses", lambda *_arguments: [])


class _Everything(frozenset[Version]):
    """A set in which everything is."""

    def __contains__(self, _item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


def _ordinary_updates_are_conflicts(patch: pytest.MonkeyPatch) -> None:
    """Whatever was written over counts as lost, whether it had been seen or not."""
    honest = conflicts._put_aside
    patch.setattr(
        conflicts,
        "_put_aside",
        lambda found: honest([(p, ours, kept, _Everything()) for p, ours, kept, _ in found]),
    )


def _nobody_asks(patch: pytest.MonkeyPatch) -> None:
    """Who heard of something and did not get it waits for ever."""
    patch.setattr(flood, "questions", lambda _ours, _streams: [])


def _last_clock_wins(patch: pytest.MonkeyPatch) -> None:
    """A write has the time of its node's clock, even if what it replaces is from later."""
    patch.setattr(states, "next_stamp", lambda now, _last: now)


def _entries_of_others_dropped(patch: pytest.MonkeyPatch) -> None:
    """A node keeps the rows that it gets, and not the entries to pass on."""
    honest = DurableNode.apply

    def apply(
        self: DurableNode, delta: Delta, now: int, named: Set[Place] = frozenset()
    ) -> plan.Plan:
        kept = tuple(entry for entry in delta.entries if entry.origin == delta.sender)
        return honest(self, delta._replace(entries=kept), now, named)

    patch.setattr(DurableNode, "apply", apply)


def _held_rows_stay_at_home(patch: pytest.MonkeyPatch) -> None:
    """A delta has what the tables have, and not what is held."""
    patch.setattr(node, "state_to_send", lambda ours, held: ours or (held and held.row.state))


def _defaults_win(patch: pytest.MonkeyPatch) -> None:
    """What a migration put into a new column counts as written."""
    patch.setattr(held, "merge", lambda waiting, ours: merging.merge(ours, waiting))


def _repairs_forget_held_columns(patch: pytest.MonkeyPatch) -> None:
    """A row that a node kills or revives has only the columns that the node knows."""
    patch.setattr(plan, "follow_repairs", lambda _draft: {})


def _orphans_written(patch: pytest.MonkeyPatch) -> None:
    """A child is written though its parent waits."""
    patch.setattr(plan, "hold_orphans", lambda _draft: None)


def _repairs_though_rows_wait(patch: pytest.MonkeyPatch) -> None:
    """What the table shows of a row that waits is taken for the row."""
    patch.setattr(plan, "stuck", lambda _draft, _bars: {})


def _held_rows_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What cannot be written is not kept."""
    honest = DurableNode._carry_out
    patch.setattr(
        DurableNode, "_carry_out", lambda self, made: honest(self, made._replace(held=()))
    )


def _never_tried_again(patch: pytest.MonkeyPatch) -> None:
    """What is held is not written when it could be."""
    patch.setattr(Process, "retry", lambda _self, _helds=None: None)


def _losses_beneath_untold(patch: pytest.MonkeyPatch) -> None:
    """What applications write over held values, unseen, goes into no journal."""
    patch.setattr(plan, "held_losses", lambda *_arguments: [])


def _floors_untold(patch: pytest.MonkeyPatch) -> None:
    """A node prunes, and does not note how far."""
    patch.setattr(memory.MemoryTables, "floors", lambda _self: {})


def _left_out_rows_live(patch: pytest.MonkeyPatch) -> None:
    """What a snapshot does not name stays."""
    patch.setattr(node, "left_out", lambda *_arguments: ())


def _only_the_last_part_names(patch: pytest.MonkeyPatch) -> None:
    """The rows that the parts before of a snapshot have named count as left out."""
    honest = Process._what_is_named
    patch.setattr(
        Process,
        "_what_is_named",
        lambda self, link, portion: honest(self, link, portion) and set(),
    )


def _who_is_behind_is_believed(patch: pytest.MonkeyPatch) -> None:
    """A delta is taken from a node that lacks what was pruned here."""
    patch.setattr(node, "is_behind", lambda _delta, _floors: False)


def _old_stories_are_believed(patch: pytest.MonkeyPatch) -> None:
    """A life that this node has had and forgotten counts as a new one."""
    patch.setattr(incoming, "forgotten_here", lambda *_arguments: frozenset())


def _deaths_told_once(patch: pytest.MonkeyPatch) -> None:
    """Who has forgotten a death keeps the birth that dies of it elsewhere."""
    patch.setattr(plan, "tell_again", lambda *_arguments: None)


def _new_stories_are_not_believed(patch: pytest.MonkeyPatch) -> None:
    """The higher life wins though the other side has seen and forgotten it."""
    patch.setattr(incoming, "forgotten_there", lambda *_arguments: frozenset())


def _pruned_losses_untold(patch: pytest.MonkeyPatch) -> None:
    """What was pruned before the other side had it loses without a word."""
    patch.setattr(conflicts, "pruned_unseen", lambda *_arguments: frozenset())


def _silence_retires(patch: pytest.MonkeyPatch) -> None:
    """An entry goes as soon as a node has had it, whoever lacks it, and no floor is kept."""
    honest = memory.MemoryTables.prune_oldest

    def prune_oldest(self: memory.MemoryTables, most: int, _may_go: object) -> int:
        floors = dict(self.pruned)
        gone = honest(self, most, lambda _origin, _at: True)
        self.pruned = floors
        return gone

    patch.setattr(memory.MemoryTables, "prune_oldest", prune_oldest)


def _set_back_unnoticed(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether others know more of a node than it does itself."""
    patch.setattr(link, "knows_more_of_us", lambda *_arguments: None)


def _copies_unnoticed(patch: pytest.MonkeyPatch) -> None:
    """Two nodes of one origin talk to each other."""
    patch.setattr(
        link_greeting,
        "_CHECKS",
        tuple(one for one in link_greeting._CHECKS if one is not link_greeting._our_copy),
    )


def _old_origin_kept(patch: pytest.MonkeyPatch) -> None:
    """A node that was set back, or is a copy, goes on under the origin that it has."""

    def draw(one: DurableNode) -> None:
        one.expected, one.doubtful = frozenset(), False

    patch.setattr(network, "draw", draw)


def _nothing_claimed(patch: pytest.MonkeyPatch) -> None:
    """What a node wrote under its former origin, and had not told, is told to nobody."""
    patch.setattr(DurableNode, "claim", lambda _self, _entries: None)


NEW = Options(faults=("poison", "migration", "cut"))
"""What lets rows wait."""

FORGETFUL = Options(faults=("forget", "away", "cut", "kill"))
AWAY = Options(nodes=3, steps=160, faults=("away", "forget", "cut"))
SET_BACK = Options(faults=("restore", "cut"))
COPIED = Options(faults=("clone", "cut"))

LONG = Options(
    nodes=3,
    steps=200,
    faults=(
        *("cut", "silence", "partition", "kill", "pause", "clock", "database"),
        *("poison", "migration"),
    ),
)
MUCH_NEW = Options(nodes=3, steps=300, faults=("migration", "cut", "kill"))

PLANTS: Mapping[str, Plant] = {
    "ties go to the holder": Plant(_ties_go_to_the_holder, {"sameness"}),
    "acknowledged before commit": Plant(_acknowledged_before_commit, {"truth"}),
    "repairs not logged": Plant(_repairs_not_logged, {"sameness", "refused"}),
    "one entry for several repairs": Plant(_one_entry_for_several_repairs, {"balance"}, LONG),
    "revived row in part": Plant(_revived_row_in_part, {"refused", "sameness"}),
    "vector before the last part": Plant(_vector_before_the_last_part, {"gap"}),
    "not sealed before reading": Plant(_not_sealed_before_reading, {"sameness", "refused"}),
    "waiting rows forgotten": Plant(_waiting_rows_forgotten, {"gap", "refused"}),
    "nothing repaired": Plant(_nothing_repaired, {"constraint"}),
    "pinned rows die": Plant(_pinned_rows_die, {"reason"}),
    "our losses untold": Plant(_our_losses_untold, {"balance"}),
    "their losses untold": Plant(_their_losses_untold, {"balance"}),
    "ordinary updates are conflicts": Plant(_ordinary_updates_are_conflicts, {"conflict"}),
    "nobody asks": Plant(_nobody_asks, {"rest"}),
    "the last clock wins": Plant(_last_clock_wins, {"sameness", "balance"}),
    "held rows stay at home": Plant(_held_rows_stay_at_home, {"sameness"}, NEW),
    "defaults win": Plant(_defaults_win, {"sameness"}, NEW),
    "repairs forget held columns": Plant(_repairs_forget_held_columns, {"balance"}, MUCH_NEW),
    "orphans written": Plant(_orphans_written, {"raised"}, NEW),
    "repairs though rows wait": Plant(_repairs_though_rows_wait, {"balance", "reason"}, NEW),
    "held rows forgotten": Plant(_held_rows_forgotten, {"sameness"}, NEW),
    "never tried again": Plant(_never_tried_again, {"held"}, NEW),
    "losses beneath untold": Plant(_losses_beneath_untold, {"balance"}, NEW),
    "floors untold": Plant(_floors_untold, {"gap", "sameness", "refused"}, FORGETFUL),
    "left out rows live": Plant(_left_out_rows_live, {"sameness", "balance"}, AWAY),
    "only the last part names": Plant(
        _only_the_last_part_names,
        {"sameness", "balance"},
        Options(nodes=2, steps=160, faults=AWAY.faults),
    ),
    "who is behind is believed": Plant(
        _who_is_behind_is_believed,
        {"balance", "sameness"},
        Options(nodes=3, steps=160, faults=("away", "forget", "silence")),
    ),
    "old stories are believed": Plant(
        _old_stories_are_believed,
        {"sameness", "refused"},
        Options(nodes=4, steps=160, faults=("forget", "cut")),
    ),
    "deaths told once": Plant(
        _deaths_told_once,
        {"sameness"},
        Options(nodes=3, steps=240, faults=("away", "forget", "partition", "kill")),
    ),
    "new stories are not believed": Plant(
        _new_stories_are_not_believed, {"sameness", "conflict"}, FORGETFUL
    ),
    "pruned losses untold": Plant(_pruned_losses_untold, {"balance"}, AWAY),
    "silence retires": Plant(_silence_retires, {"gap", "sameness", "refused"}, FORGETFUL),
    "set back unnoticed": Plant(_set_back_unnoticed, {"rest"}, SET_BACK),
    "copies unnoticed": Plant(_copies_unnoticed, {"origin.restored"}, COPIED),
    "old origin kept": Plant(_old_origin_kept, {"origin.restored", "sameness"}, SET_BACK),
    "nothing claimed": Plant(_nothing_claimed, {"sameness", "refused", "gap"}, COPIED),
    "entries of others dropped": Plant(_entries_of_others_dropped, {"gap"}),
}
