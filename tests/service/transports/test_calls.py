"""How calls are run: in order, within their time, counted, and brought to an end."""

from __future__ import annotations

import contextlib
import gc
import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from service.errors import OutcomeUnknown
from service.metrics import CallMetrics
from service.rpc.limits import Limits
from service.rpc.messages import Params
from service.transports.calls import CallRunner
from tests.service.transports.live import call
from tests.service.transports.memory import has_fired


class Stable:
    """A runner whose calls wait for the test, under a clock that the test moves."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.begun: list[str] = []
        self.waiting: list[Deferred[Any]] = []
        metrics = CallMetrics(self.registry, {"hold", "commit"})
        self.runner = CallRunner(self._respond, limits or Limits(), metrics, self.clock)

    def answer(self, *bodies: bytes) -> Deferred[bytes | None]:
        """Begin to answer one call, or a batch of several."""
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        return Deferred.fromCoroutine(self.runner.answer(body))

    def sample(self, name: str, **labels: str) -> float | None:
        """A number that the metrics show."""
        return self.registry.get_sample_value(name, labels)

    async def _respond(self, method: str, params: Params) -> object:
        self.begun.append(f"{method} {params}")
        self.waiting.append(Deferred())
        try:
            return await self.waiting[-1]
        except CancelledError as cancelled:
            if method == "commit":
                raise OutcomeUnknown("the commit was under way") from cancelled
            raise


@pytest.fixture
def stable() -> Stable:
    """A runner with the usual limits."""
    return Stable()


def outcome(answered: Deferred[bytes | None]) -> Any:
    """The decoded reply of an answer that is there."""
    reply = getattr(answered, "result", None)
    assert isinstance(reply, bytes)
    return json.loads(reply)


def codes(answered: Deferred[bytes | None]) -> list[int]:
    """The numbers of the errors in a batch's reply."""
    return [answer["error"]["code"] for answer in outcome(answered)]


def test_the_calls_of_a_batch_run_one_after_the_other(stable: Stable) -> None:
    """A client may rely on the first call having ended when the second begins."""
    answered = stable.answer(call("hold", [1], 1), call("hold", [2], 2))
    assert stable.begun == ["hold [1]"]
    stable.waiting[0].callback("first")
    assert stable.begun == ["hold [1]", "hold [2]"]
    assert not has_fired(answered)
    stable.waiting[1].callback("second")
    assert [answer["result"] for answer in outcome(answered)] == ["first", "second"]


def test_different_bodies_run_side_by_side(stable: Stable) -> None:
    """A slow call of one client does not delay another's."""
    slow, quick = stable.answer(call("hold", ["slow"])), stable.answer(call("hold", ["quick"]))
    stable.waiting[1].callback(2)
    assert outcome(quick)["result"] == 2
    assert not has_fired(slow)
    assert stable.runner.pending == 1


def test_a_call_that_takes_too_long_is_stopped_and_told_so() -> None:
    """The time limit ends the work as well as the waiting; later calls of the batch still run."""
    stable = Stable(Limits(call_seconds=5.0))
    answered = stable.answer(call("hold", [1], 1), call("hold", [2], 2))
    stable.clock.advance(4.9)
    assert len(stable.begun) == 1
    stable.clock.advance(0.2)
    assert len(stable.begun) == 2
    stable.waiting[1].callback("in time")
    late, other = outcome(answered)
    assert late["error"]["code"] == -32002
    assert late["error"]["message"] == "hold took longer than 5 seconds"
    assert other["result"] == "in time"
    assert stable.clock.getDelayedCalls() == []


def test_a_commit_cut_short_by_the_time_limit_keeps_its_own_error() -> None:
    """Nobody is told that nothing was written when that is not known."""
    stable = Stable(Limits(call_seconds=5.0))
    answered = stable.answer(call("commit"))
    stable.clock.advance(5.0)
    assert outcome(answered)["error"]["code"] == -32003


def test_cancelling_ends_the_call_and_begins_no_other(stable: Stable) -> None:
    """What a client that left had asked for is not continued."""
    answered = stable.answer(call("hold"), call("hold"))
    left: list[object] = []
    answered.addErrback(lambda failure: left.append(failure.value))
    answered.cancel()
    assert isinstance(left[0], CancelledError)
    assert len(stable.begun) == 1
    assert stable.runner.pending == 0
    assert stable.clock.getDelayedCalls() == []
    assert stable.sample("herdbook_rpc_calls_total", method="hold", outcome="cancelled") == 1


def test_the_number_of_pending_bodies_is_limited() -> None:
    """The runner says that it is busy, and no longer so when a call has ended."""
    stable = Stable(Limits(pending_calls=1))
    assert stable.runner.refusal() is None
    stable.answer(call("hold"))
    refusal = stable.runner.refusal()
    assert refusal is not None
    assert refusal.code == "server.busy"
    stable.waiting[0].callback(None)
    assert stable.runner.refusal() is None


def test_draining_waits_for_what_runs(stable: Stable) -> None:
    """All calls of a batch are still answered, and only then the drain ends."""
    answered = stable.answer(call("hold"), call("hold"))
    drained = stable.runner.drain(10.0)
    refusal = stable.runner.refusal()
    assert refusal is not None
    assert refusal.code == "server.shutting_down"
    stable.waiting[0].callback(1)
    assert not has_fired(drained)
    stable.waiting[1].callback(2)
    assert [answer["result"] for answer in outcome(answered)] == [1, 2]
    assert has_fired(drained)
    assert stable.clock.getDelayedCalls() == []


def test_draining_ends_in_bounded_time(stable: Stable) -> None:
    """What takes too long is cancelled and answered, and what has not begun is not begun."""
    answered = stable.answer(call("hold"), call("hold"))
    commit = stable.answer(call("commit"))
    drained = stable.runner.drain(10.0)
    stable.clock.advance(9.9)
    assert not has_fired(drained)
    stable.clock.advance(0.1)
    assert has_fired(drained)
    assert codes(answered) == [-32004, -32004]
    assert outcome(commit)["error"]["code"] == -32003
    assert len(stable.begun) == 2
    assert stable.clock.getDelayedCalls() == []


def test_a_call_that_will_not_stop_does_not_hold_up_the_drain() -> None:
    """A node stops in bounded time even when one of its methods does not listen."""
    clock, later = Clock(), Deferred[None]()

    async def stubborn(method: str, params: Params) -> object:
        with contextlib.suppress(CancelledError):
            await Deferred[None]()
        await later
        return "at last"

    runner = CallRunner(stubborn, Limits(), CallMetrics(CollectorRegistry(), set()), clock)
    answered = Deferred.fromCoroutine(runner.answer(call("hold")))
    drained = runner.drain(10.0)
    clock.advance(10.0)
    assert has_fired(drained)
    assert not has_fired(answered)
    later.callback(None)
    assert outcome(answered)["result"] == "at last"


def test_draining_twice_tells_both(stable: Stable) -> None:
    """A second signal to stop does no harm."""
    stable.answer(call("hold"))
    drains = [stable.runner.drain(10.0), stable.runner.drain(5.0)]
    stable.clock.advance(5.0)
    assert [drained.called for drained in drains] == [True, True]
    assert stable.runner.drain(1.0).called


def test_readiness_follows_the_refusal(stable: Stable) -> None:
    """A load balancer learns of the shutdown before clients do."""
    ready = Deferred.fromCoroutine(stable.runner.readiness())
    stable.runner.drain(1.0)
    stopping = Deferred.fromCoroutine(stable.runner.readiness())
    assert [getattr(found, "result", "missing") for found in (ready, stopping)] == [
        None,
        "the node is shutting down",
    ]


def test_calls_are_counted_by_method_and_outcome(stable: Stable) -> None:
    """The metrics tell how many calls run, ended well, and ended in which error."""
    answered = [stable.answer(call("hold")) for _ in range(3)]
    assert stable.sample("herdbook_rpc_calls_in_flight") == 3
    stable.clock.advance(0.3)
    stable.waiting[0].callback(1)
    stable.waiting[1].callback(object())
    stable.clock.advance(30.0)
    assert all(answer.called for answer in answered)
    for name in ("ok", "server.internal", "server.timeout"):
        assert stable.sample("herdbook_rpc_calls_total", method="hold", outcome=name) == 1
    assert stable.sample("herdbook_rpc_calls_in_flight") == 0
    assert stable.sample("herdbook_rpc_seconds_sum", method="hold") == pytest.approx(30.9)
    assert stable.sample("herdbook_rpc_seconds_bucket", method="hold", le="0.5") == 2


def test_made_up_method_names_share_one_series(stable: Stable) -> None:
    """A client cannot fill the metrics by calling names at random."""
    for number in range(20):
        stable.answer(call(f"made.up.{number}"))
        stable.waiting[-1].callback(None)
    assert stable.sample("herdbook_rpc_calls_total", method="unknown", outcome="ok") == 20
    assert stable.sample("herdbook_rpc_calls_total", method="made.up.1", outcome="ok") is None


def test_a_body_that_is_refused_runs_nothing(stable: Stable) -> None:
    """Broken bodies are answered without a call."""
    assert outcome(stable.answer(b"{"))["error"]["code"] == -32700
    assert stable.begun == []


def test_a_commit_that_cannot_be_cancelled_ends_its_batch_too(
    stable: Stable, caplog: pytest.LogCaptureFixture
) -> None:
    """What a client that left had asked for is not continued, whatever the call under way says.

    Nobody but the log is told that its outcome is unknown.
    """
    answered = stable.answer(call("commit"), call("hold"))
    left: list[object] = []
    answered.addErrback(lambda failure: left.append(failure.value))
    answered.cancel()
    assert isinstance(left[0], CancelledError)
    assert stable.begun == ["commit []"]
    assert stable.runner.pending == 0
    assert stable.clock.getDelayedCalls() == []
    assert stable.sample("herdbook_rpc_calls_total", method="commit", outcome="cancelled") == 1
    assert "the commit was under way" in caplog.text


def test_a_call_that_ends_well_in_spite_of_being_cancelled_ends_its_batch_too() -> None:
    """Its result is dropped when it comes."""
    begun: list[str] = []
    later = Deferred[object]()

    async def stubborn(method: str, params: Params) -> object:
        begun.append(method)
        with contextlib.suppress(CancelledError):
            await Deferred[None]()
        return await later

    runner = CallRunner(stubborn, Limits(), CallMetrics(CollectorRegistry(), set()), Clock())
    body = b"[" + call("hold") + b"," + call("other") + b"]"
    answered = Deferred.fromCoroutine(runner.answer(body))
    left: list[object] = []
    answered.addErrback(lambda failure: left.append(failure.value))
    answered.cancel()
    later.callback(None)
    assert isinstance(left[0], CancelledError)
    assert begun == ["hold"]


def test_nothing_is_kept_of_calls_that_have_ended() -> None:
    """A node that has answered many calls is no larger for it."""

    async def quick(method: str, params: Params) -> object:
        return params

    runner = CallRunner(quick, Limits(), CallMetrics(CollectorRegistry(), set()), Clock())
    before = deferreds()
    for number in range(20):
        answered = Deferred.fromCoroutine(runner.answer(call("echo", [number])))
        assert outcome(answered)["result"] == [number]
    del answered
    assert deferreds() == before


def deferreds() -> int:
    """How many Deferreds there are in this process."""
    gc.collect()
    return sum(isinstance(thing, Deferred) for thing in gc.get_objects())
