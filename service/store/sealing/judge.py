"""Judges the entries of one pass: which life each belongs to, and which must wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from MySQLdb import Error as DriverError

from service.store.sealing import births
from service.store.sealing.asking import ask_apart, of_single_keys
from service.store.sealing.entries import Entry, Sealed, deaths_after
from service.store.sealing.keys import KnownKeys, TableKeys, is_absent, structure_is_locked
from service.store.sealing.lives import Standing, open_ends, settle
from service.store.sealing.troubles import Troubles, is_everybodys
from service.store.transaction import Transaction

Ends = Mapping[bytes, Sequence[Entry]]

_DIED_ONCE = 2


@dataclass
class _Verdict:
    """The lives of some rows' open ends, the rows that must wait, and those to be mended."""

    lives: dict[bytes, int] = field(default_factory=dict)
    held: set[bytes] = field(default_factory=set)
    born: dict[bytes, Standing] = field(default_factory=dict)


@dataclass(frozen=True)
class _Bench:
    """What a table is judged with."""

    tx: Transaction
    known: KnownKeys
    troubles: Troubles
    above: int | None


def judge(
    tx: Transaction,
    known: KnownKeys,
    troubles: Troubles,
    entries: Sequence[Entry],
    *,
    more: bool,
) -> list[Sealed]:
    """Those of the entries that can be sealed, with their lives; rows born again are mended.

    `more`: the snapshot may show entries above these.
    """
    by_table: dict[str, dict[bytes, list[Entry]]] = defaultdict(dict)
    for (table, key), end in open_ends(entries).items():
        by_table[table][key] = end
    if not by_table:
        return settle(entries, {}, frozenset())
    bench = _Bench(tx, known, troubles, entries[-1].entry if more else None)
    free = [table for table in by_table if not troubles.locked(table)]
    found = known.of(tx, free) if free else {}
    verdicts: dict[str, _Verdict] = {}
    for table, ends in by_table.items():
        keys = found.get(table)
        if keys is not None:
            verdicts[table] = _of_table(bench, keys, ends)
        else:
            verdicts[table] = _as_written(ends) if table in free else _Verdict(held=set(ends))
    # Only now: what triggers of the application's do with a row that is mended is not to be seen
    # above.
    for table, keys in found.items():
        _bear(bench, keys, verdicts[table])
    lives = {
        (table, key): life for table, one in verdicts.items() for key, life in one.lives.items()
    }
    held = {(table, key) for table, one in verdicts.items() for key in one.held}
    return settle(entries, lives, frozenset(held))


def _as_written(ends: Ends) -> _Verdict:
    """Where there is no table to look into, the lives that triggers wrote."""
    return _Verdict({key: max(entry.life for entry in end) for key, end in ends.items()})


def _of_table(bench: _Bench, keys: TableKeys, ends: Ends) -> _Verdict:
    """The verdict on a table that may be changed or dropped at this moment.

    Whatever is wrong with it, the others are sealed. Nothing is written here.
    """
    try:
        try:
            return _look(bench, keys, ends)
        except ValueError:
            return _look_apart(bench, keys, ends)
        except DriverError as error:
            if not of_single_keys(error):
                raise
            return _look_apart(bench, keys, ends)
    except DriverError as error:
        bench.known.forget()
        if is_absent(error):
            bench.troubles.tell("%s is sealed without looking into it: %s", keys.table, str(error))
            return _as_written(ends)
        if structure_is_locked(error):
            bench.troubles.lock(keys.table)
            bench.troubles.tell("%s waits to be sealed, its structure is being changed", keys.table)
        elif is_everybodys(error):
            raise
        else:
            bench.troubles.tell("%s waits to be sealed: %s", keys.table, str(error))
        return _Verdict(held=set(ends))


def _look_apart(bench: _Bench, keys: TableKeys, ends: Ends) -> _Verdict:
    """The verdict where some of the keys cannot be asked for: these are sealed as written."""
    verdict = _Verdict()

    def look(part: list[bytes]) -> None:
        found = _look(bench, keys, {key: ends[key] for key in part})
        verdict.lives.update(found.lives)
        verdict.born.update(found.born)

    odd = ask_apart(bench.tx, keys, (keys.live, keys.dead), ends, look)
    for key, error in odd.items():
        bench.troubles.tell_of_key(keys.table, keys.in_words(bench.tx, key), error)
    verdict.lives.update(_as_written({key: ends[key] for key in odd}).lives)
    return verdict


def _look(bench: _Bench, keys: TableKeys, ends: Ends) -> _Verdict:
    """The verdict by how the rows stand and, where that does not tell, by the entries above."""
    standing = births.standings(bench.tx, keys, list(ends))
    verdict = _Verdict(
        {
            key: standing[key].life
            for key, end in ends.items()
            if key in standing and standing[key].explains(end)
        }
    )
    unsure = [key for key in ends if key not in verdict.lives]
    gone = [key for key in unsure if key not in standing]
    dead = births.dead_lives(bench.tx, keys, gone) if gone else {}
    if bench.above is not None:
        _look_above(bench.tx, keys, unsure, dead, bench.above, verdict)
    for key in (key for key in unsure if key not in verdict.lives):
        if key not in standing:
            # It went past the triggers, by TRUNCATE for instance.
            verdict.lives[key] = max(dead.get(key, 0) + 1, *(entry.life for entry in ends[key]))
        elif standing[key].dead is None:
            verdict.lives[key] = standing[key].life
        else:
            verdict.born[key] = standing[key]
    return verdict


def _look_above(
    tx: Transaction,
    keys: TableKeys,
    unsure: Sequence[bytes],
    dead: Mapping[bytes, int],
    above: int,
    verdict: _Verdict,
) -> None:
    """Find the rows whose next death is among the entries above."""
    # Of a row that died once in all, that death is the next one. This spares bulk loads that are
    # deleted again a walk through the inbox for each pass. A key that may be spelled anew dies by
    # that as well, and leaves no dead row.
    if keys.spelled_one_way:
        verdict.lives.update({key: _DIED_ONCE - 1 for key in unsure if dead.get(key) == _DIED_ONCE})
    unknown = [key for key in unsure if key not in verdict.lives]
    ends = deaths_after(tx, above, keys.table, unknown) if unknown else {}
    verdict.lives.update({key: life - 1 for key, life in ends.items()})


def _bear(bench: _Bench, keys: TableKeys, verdict: _Verdict) -> None:
    """Mend what is born again; what is held by somebody, or refuses, waits."""
    born = {
        key: standing
        for key, standing in verdict.born.items()
        if not bench.troubles.refused((keys.table, key))
    }
    mended: set[bytes] = set()

    def mend(part: list[bytes]) -> None:
        some = {key: born[key] for key in part}
        mended.update(births.mend(bench.tx, keys, some, bench.troubles))

    try:
        odd = ask_apart(bench.tx, keys, (keys.live, keys.dead), born, mend) if born else {}
        for key, refusal in odd.items():
            bench.troubles.refuse((keys.table, key), keys.in_words(bench.tx, key), refusal)
    except DriverError as error:
        bench.known.forget()
        if structure_is_locked(error):
            bench.troubles.lock(keys.table)
        elif is_everybodys(error):
            raise
        bench.troubles.tell("births in %s wait to be sealed: %s", keys.table, str(error))
    verdict.lives.update({key: born[key].mended for key in mended})
    verdict.held.update(key for key in verdict.born if key not in mended)
