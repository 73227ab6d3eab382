"""`herdbook simulate`: many made-up herds, each from one number, until a rule breaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import Pool

import click

from service.cli.output import ExitCode, Output, output_option
from service.simulation.durable import MOST_NODES
from service.simulation.run import Run, run
from service.simulation.setting import FAULTS, USUAL_STEPS, Options
from service.simulation.telling import told
from service.simulation.totals import Totals

USUAL_SEEDS = 100
BATCH = 20
"""Seeds that another process is given at once."""


class FaultNames(click.ParamType[tuple[str, ...]]):
    """Names of faults, with commas between; `all` or `none`."""

    name = "names"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The faults that are named."""
        if isinstance(value, tuple):
            return value
        if value in ("all", "none"):
            return FAULTS if value == "all" else ()
        names = tuple(str(value).split(","))
        unknown = [name for name in names if name not in FAULTS]
        if unknown:
            known = ", ".join(FAULTS)
            self.fail(f"there is no fault {', '.join(unknown)}; there are {known}", param, ctx)
        return names


@dataclass
class Series:
    """Seeds that are run one after the other. `failed` is the one at which a rule broke."""

    first: int
    many: int
    options: Options
    totals: Totals
    failed: Run | None = None
    stopped: bool = False
    seconds: float = 0.0

    @property
    def seeds(self) -> range:
        """All of them, in their order."""
        return range(self.first, self.first + self.many)


@click.command()
@click.option(
    "--seeds",
    type=click.IntRange(1),
    help=f"How many herds to run. [default: {USUAL_SEEDS}, or 1 with --seed]",
)
@click.option("--seed", type=click.IntRange(0), help="The first seed. [default: 1]")
@click.option("--nodes", type=click.IntRange(2, MOST_NODES), help="Nodes of each herd.")
@click.option(
    "--steps",
    type=click.IntRange(0),
    default=USUAL_STEPS,
    show_default=True,
    help="Writes and faults of each herd before it is left in peace.",
)
@click.option(
    "--faults",
    type=FaultNames(),
    default="all",
    show_default=True,
    help=f"What may go wrong: all, none, or some of {', '.join(FAULTS)}.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that run seeds side by side.",
)
@click.option("--whole", is_flag=True, help="Tell the whole story, not only of the rows at issue.")
@output_option
def simulate(
    seeds: int | None,
    seed: int | None,
    nodes: int | None,
    steps: int,
    faults: tuple[str, ...],
    workers: int,
    whole: bool,
    output: Output,
) -> ExitCode:
    r"""Let many small herds live through faults, and look whether every rule holds.

    Needs no server and no network: rows, clocks, connections and crashes are made up, all from one
    number, the seed. What merges, repairs and spreads changes is what nodes run. The first seed at
    which a rule breaks is told as a story, and breaks in the same way each time. Exit code 0 if all
    rules held, 1 if one broke.

    \b
    Examples:
      herdbook simulate --seeds 2000
      herdbook simulate --seed 63 --whole
      herdbook simulate --seeds 100000 --workers 2
      herdbook simulate --seeds 50 --nodes 8 --steps 400 --faults kill,partition
    """
    usual = USUAL_SEEDS if seed is None else 1
    options = Options(nodes, steps, faults)
    series = Series(1 if seed is None else seed, seeds or usual, options, Totals())
    _run_all(series, workers, output)
    if series.failed is not None:
        _tell(series.failed, series.options, whole, output)
    output.result(_document(series, whole), _summary(series))
    if series.stopped:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE if series.failed is None else ExitCode.FAILED


def _run_all(series: Series, workers: int, output: Output) -> None:
    """Run the seeds, until one fails or somebody has had enough."""
    began = time.monotonic()
    with output.progress("seeds", series.many) as advance:
        try:
            if workers == 1:
                _run_here(series, advance)
            else:
                _run_apart(series, workers, advance)
        except KeyboardInterrupt:
            series.stopped = True
    series.seconds = time.monotonic() - began


def _run_here(series: Series, advance: Callable[[], None]) -> None:
    for seed in series.seeds:
        ended = run(seed, series.options)
        series.totals.add(ended)
        if ended.broken is not None:
            series.failed = ended
            break
        advance()


def _run_apart(series: Series, workers: int, advance: Callable[[], None]) -> None:
    """Run the seeds in other processes; the first that fails is run here once more."""
    options = repeat(series.options)
    with Pool(workers) as pool:
        for totals, failed in pool.imap(_run_one, zip(series.seeds, options, strict=False), BATCH):
            series.totals += totals
            if failed is not None:
                series.failed = run(failed, series.options)
                break
            advance()


def _run_one(seed_and_options: tuple[int, Options]) -> tuple[Totals, int | None]:
    """What a seed came to, small enough to be sent; with its number if it failed."""
    ended = run(*seed_and_options)
    totals = Totals()
    totals.add(ended)
    return totals, None if ended.broken is None else ended.seed


def _tell(failed: Run, options: Options, whole: bool, output: Output) -> None:
    for line in told(failed, whole):
        output.say(line)
    output.say()
    output.say(f"Again: {_again(failed.seed, options)}")
    output.say()


def _again(seed: int, options: Options) -> str:
    """The command that runs one seed as it was run."""
    words = ["herdbook simulate", f"--seed {seed}"]
    if options.nodes is not None:
        words.append(f"--nodes {options.nodes}")
    if options.steps != USUAL_STEPS:
        words.append(f"--steps {options.steps}")
    if tuple(options.faults) != FAULTS:
        words.append(f"--faults {','.join(options.faults) or 'none'}")
    return " ".join(words)


def _document(series: Series, whole: bool) -> dict[str, object]:
    totals, failed = series.totals, series.failed
    document: dict[str, object] = {
        "seeds": totals.seeds,
        "first": series.first,
        "stopped": series.stopped,
        "virtual_hours": round(totals.hours, 3),
        "seconds": round(series.seconds, 3),
        **{name: totals.of(name) for name in _COUNTED},
        "faults": totals.faults,
        "failed": None,
    }
    if failed is not None and failed.broken is not None:
        document["failed"] = {
            "seed": failed.seed,
            "rule": failed.broken.rule,
            "text": failed.broken.text,
            "again": _again(failed.seed, series.options),
            "story": told(failed, whole),
        }
    return document


_COUNTED = ("changes", "refused", "deltas", "messages", "conflicts", "repairs")


def _summary(series: Series) -> str:
    totals, failed = series.totals, series.failed
    if failed is not None:
        verdict = f"Seed {failed.seed} breaks a rule: {failed.broken}"
    elif series.stopped:
        verdict = f"Stopped before all {series.many} were run; every rule held so far."
    else:
        verdict = "Every rule held."
    rate = totals.seeds / series.seconds if series.seconds else 0.0
    seeds = "1 seed" if totals.seeds == 1 else f"{totals.seeds:,} seeds"
    counted = ", ".join(f"{totals.of(name):,} {name}" for name in _COUNTED)
    faults = ", ".join(f"{name} {count:,}" for name, count in totals.faults.items()) or "none"
    return "\n".join(
        (
            f"{seeds}, {totals.hours:.2f} virtual hours, {rate:.0f} seeds/s",
            counted,
            f"{totals.of('faults'):,} faults: {faults}",
            verdict,
        )
    )
