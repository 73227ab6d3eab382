"""Rows that were forgotten: they died, and their dead rows were pruned with the entries.

Of two nodes one may have forgotten what the other still knows. A key that is born again where its
dead row is forgotten begins at life 1. So lives alone do not say which of two states is the later
one, and what each side had seen has to be asked:

forgotten here    the life of the row that comes was brought about by an entry that this node has
                  had, yet the row here has a lower one or there is none: it is an old story
forgotten there   the sender had seen all that the row here went through, yet its row has a lower
                  life: it is a later story, and replaces the row here
left out          a snapshot does not name the row, though its sender has the table, and its birth
                  had been seen: it died
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Set

from records.states import Death, RowState, died
from service.herd.deltas import UPDATE, Delta, DeltaRow, LogEntry
from service.herd.planning.draft import Draft
from service.herd.shapes import Place
from service.herd.tables import Tables
from service.herd.vectors import Vector, includes

FORGOTTEN = "herdbook:forgotten"
"""Who is said to have deleted a row whose death nobody knows any more."""


def is_behind(delta: Delta, floors: Vector) -> bool:
    """Whether the sender lacks what was pruned here, up to `floors`.

    What it wrote meanwhile cannot be judged here any more: whether a birth came after a death that
    this node has forgotten, for one. So nothing of it is taken until the sender has a snapshot;
    then it judges itself, and sends what became of it.
    """
    return delta.floors is None and not includes(delta.covers, floors)


def forgotten_here(delta: Delta, draft: Draft, vector: Vector) -> Set[Place]:
    """The rows of a delta whose life is one that this node, at its vector, has had and forgotten.

    The rows here must have been loaded. What comes from this node itself is what it held. A
    snapshot has no entries of what was pruned, so nothing can be told from it until this node has
    all that; and none of the deaths that it tells of by leaving rows out.
    """
    if forgets_with(delta, vector) or delta.sender == draft.origin or not draft.tables.floors():
        return frozenset()
    higher = {
        row.place
        for row in delta.rows
        if row.state.life > _life(draft.whole(row.place)) and not _was_left_out(row.state)
    }
    news = _news(delta, vector)
    return {place for place in higher if all(entry.kind == UPDATE for entry in news.get(place, ()))}


def forgotten_there(delta: Delta, draft: Draft) -> Set[Place]:
    """The rows whose sender had seen all of ours, and has another story of them.

    Of another life it need not have seen what was written in ours: that is over in any case. The
    rows here must have been loaded.
    """
    if delta.sender == draft.origin or not includes(delta.covers, draft.tables.floors()):
        return frozenset()
    doubtful = {
        row.place: ours
        for row in delta.rows
        if row.whole
        and (ours := draft.whole(row.place)) is not None
        and _may_be_later(row.state, ours, delta)
    }
    lives = {row.place: row.state.life for row in delta.rows}
    ended = {place for place, ours in doubtful.items() if ours.life > lives[place]}
    others = doubtful.keys() - ended
    return _seen(delta, draft, ended, lives=True) | _seen(delta, draft, others, lives=False)


def _seen(delta: Delta, draft: Draft, places: Set[Place], lives: bool) -> Set[Place]:
    return draft.tables.seen(delta.covers, places, lives) if places else frozenset()


def forgets_with(delta: Delta, vector: Vector) -> bool:
    """Whether a snapshot takes this node's dead rows with it, those that its sender has forgotten.

    That is where the sender has pruned what this node, at its vector, never had: dead rows here may
    have come without entries, and nothing else would ever take them away. Then all floors of the
    sender are this node's as well, also those under which it still has the entries. Else each dead
    row goes with its own entries.
    """
    return delta.floors is not None and not includes(vector, delta.floors)


def left_out(
    delta: Delta, places: Collection[Place], tables: Tables, now: int
) -> tuple[DeltaRow, ...]:
    """The rows among some that a snapshot does not name, as dead ones, for its last part.

    A row that was born here, or came, without the sender's having seen it, lives on; a stamp tells
    that, since a node that has drawn a new origin tells of its births under that one. So does one
    that came past the triggers, of which no node has heard. Who has pruned what the sender has not
    seen cannot tell the one from the other: nothing dies there.
    """
    asked = [place for place in places if names_rows_of(delta, place[0])]
    if not asked or not includes(delta.covers, tables.floors()):
        return ()
    states = {
        place: state
        for place, state in tables.rows(asked).items()
        if state.alive and state.born.stamp
    }
    unseen = tables.unseen(delta.covers, states)
    return tuple(
        DeltaRow(*place, died(state, Death(now, FORGOTTEN)), whole=True)
        for place, state in sorted(states.items(), key=repr)
        if state.born.stamp not in {version.stamp for version in unseen.get(place, ())}
    )


def names_rows_of(delta: Delta, table: str) -> bool:
    """Whether a snapshot names all rows of a table that are alive for its sender.

    A node that has dropped a class, or has not got it yet, knows nothing of the rows that others
    still have.
    """
    return delta.tables is not None and table in delta.tables


def _may_be_later(theirs: RowState, ours: RowState, delta: Delta) -> bool:
    """Whether merging would keep something of ours that may be of an earlier story."""
    if ours.life < theirs.life or ours == theirs:
        return False
    return ours.life > theirs.life or ours.born != theirs.born or delta.floors is not None


def _was_left_out(state: RowState) -> bool:
    return state.death is not None and state.death.writer == FORGOTTEN


def _life(state: RowState | None) -> int:
    return 0 if state is None else state.life


def _news(delta: Delta, vector: Vector) -> Mapping[Place, list[LogEntry]]:
    """The entries that are not surely here, by row."""
    news: dict[Place, list[LogEntry]] = defaultdict(list)
    for entry in delta.entries:
        if entry.position > vector.get(entry.origin, 0):
            news[entry.place].append(entry)
    return news
