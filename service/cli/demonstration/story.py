"""The demonstration's story: one node is loaded, all have it; one is cut off, and found again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from typing import Any

from examples.gazetteer import data
from service.cli.demonstration.asking import Entry, answer_of, journal_of, result_of
from service.cli.demonstration.looking import Sight, Window, in_step
from service.cli.demonstration.nodes import NAMES, NORTH, SOUTH, Herd
from service.cli.demonstration.tour import APART, API, LAST, TOGETHER, Step, from_journal, shown
from service.cli.output import CommandFailed, Output
from service.herd.journal import TAKEN_ALONG

_AGREE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_RECORDS_A_CALL = 500


class Story:
    """What is shown of a herd, for the time of a `with` block."""

    def __init__(self, herd: Herd, output: Output, held: ExitStack) -> None:
        self._herd = herd
        self._output = output
        self._said: dict[str, Any] = {}
        self._windows = {
            name: _opened(running.database, held) for name, running in herd.nodes.items()
        }

    def tell(self) -> None:
        """All of it; raises CommandFailed where something is not as it should be."""
        self._load()
        self._compare("loaded", "Loaded in the north, and the same on all three nodes.")
        self._call(API)
        self._herd.cut()
        self._happen("cut", "The west is cut off now. It keeps serving.")
        self._call(APART)
        self._agree(NORTH, SOUTH)
        self._compare("apart", "So they differ.", equal=False)
        self._herd.heal()
        self._happen("healed", "The west is found again.")
        self._agree()
        self._compare("together", "All have the same again, and no city is without its country.")
        entries = self._show_journal()
        self._call(TOGETHER)
        self._agree()
        self._call([self._of_the_city(entries)])
        self._agree()
        self._call(LAST)
        self._compare("end", "In the end all have the same.")

    def _load(self) -> None:
        """Load the countries and their cities in the north, unless they are there."""
        url = self._herd.nodes[NORTH].rpc
        if not result_of(url, "country.count", {}):
            self._load_into(url)
        self._agree()

    def _load_into(self, url: str) -> None:
        totals = data.totals()
        for what, method, records in (
            (data.COUNTRIES, "country.create", data.countries()),
            (data.CITIES, "city.create", data.cities()),
        ):
            with self._output.progress(f"loading {what} in the north", totals[what]) as advance:
                for part in _parts(records):
                    result_of(url, method, {"records": part})
                    advance(len(part))
            self._output.note(f"loaded {totals[what]:,} {what} in the north")

    def _agree(self, *names: str) -> None:
        """Wait until these nodes, or all, have everything; with a bar of the rows that came."""
        windows = [self._windows[name] for name in names or NAMES]
        total = self._windows[NORTH].count() * len(windows)
        shown = 0
        deadline = time.monotonic() + _AGREE_SECONDS
        with self._output.progress("the others catch up", total) as advance:
            while not in_step(windows):
                there = sum(window.count() for window in windows)
                advance(there - shown)
                shown = there
                if time.monotonic() > deadline:
                    raise CommandFailed("the nodes do not agree", _hint(self._herd))
                time.sleep(_LOOK_SECONDS)
            advance(total - shown)

    def _compare(self, name: str, why: str, *, equal: bool = True) -> None:
        """Show what each node holds; it must be equal, or must not."""
        sights = {name: window.look() for name, window in self._windows.items()}
        document = {"look": name, "nodes": {name: asdict(one) for name, one in sights.items()}}
        self._output.result(document, f"\n# {why}\n" + "\n".join(_lines(sights)))
        if (len(set(sights.values())) == 1) is not equal or any(
            one.orphans for one in sights.values()
        ):
            raise CommandFailed("the nodes are not as they should be", _hint(self._herd))

    def _show_journal(self) -> dict[str, list[Entry]]:
        """What the merge put aside, each with the nodes that noted it; all of it by node."""
        self._output.say("\n# What was put aside is in the journal of the nodes that merged it.")
        noted = {name: journal_of(running.rpc) for name, running in self._herd.nodes.items()}
        shown_already: list[Entry] = []
        for entry in (one for entries in noted.values() for one in entries):
            if entry not in shown_already:
                shown_already.append(entry)
                where = [name for name, entries in noted.items() if entry in entries]
                document = {"nodes": where, "journal": entry.as_plain()}
                self._output.result(document, f"{', '.join(where)}: {shown(entry.as_plain())}")
        return noted

    def _of_the_city(self, noted: dict[str, list[Entry]]) -> Step:
        """The call that brings back the city that was added meanwhile, where that is noted."""
        city = self._said["added"]["id"]
        for name, entries in noted.items():
            for entry in entries:
                if entry.key == {"id": city} and entry.rule == TAKEN_ALONG:
                    return from_journal(name, entry.number)
        raise CommandFailed("no journal has the city that was taken along", _hint(self._herd))

    def _happen(self, what: str, why: str) -> None:
        self._output.result({"wire": what}, f"\n# {why}")

    def _call(self, steps: Iterable[Step]) -> None:
        """Make calls and show them with their answers."""
        for step in steps:
            params = step.params(self._said)
            answer = answer_of(self._herd.nodes[step.node].rpc, step.method, params)
            self._said[step.name] = answer.get("result")
            said = shown(next(iter(answer.values())))
            text = f"\n# {step.why}\n{step.node}: {step.method} {shown(params)}\n→ {said}"
            document = {"node": step.node, "method": step.method, "params": params, **answer}
            self._output.result(document, text)


def _opened(url: str, held: ExitStack) -> Window:
    window = Window(url)
    held.callback(window.close)
    return window


def _parts(records: Iterator[Any]) -> Iterator[list[Any]]:
    """The records in pieces for one call each."""
    while part := list(islice(records, _RECORDS_A_CALL)):
        yield part


def _lines(sights: dict[str, Sight]) -> Iterator[str]:
    """What each node holds, a line each."""
    for name, one in sights.items():
        yield (
            f"{name:5}  {one.countries:,} countries  {one.cities:,} cities  "
            f"{one.orphans} orphans  digest {one.digest}"
        )


def _hint(herd: Herd) -> str:
    folders = ", ".join(running.dir for running in herd.nodes.values())
    return f"their logs tell more: node.log in {folders}"
