"""One body in, its calls out; their results in, one body out.

    exchange = Exchange(limits)
    for call in exchange.receive(body):
        ...run it, then exchange.succeed(call, result) or exchange.fail(call, error)...
    reply = exchange.body()         # None: there is nothing to answer

The laws: every request is answered exactly once and no notification ever; answers stand in the
order of their requests, in whatever order the results came; and no input raises anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import ResultTooLarge
from service.rpc import codec, messages
from service.rpc.faults import Fault, Faults
from service.rpc.limits import Limits
from service.rpc.messages import Batch, Id, Invalid, Message, Notification, Params, Request
from service.rpc.refusals import BodyTooLarge, ExchangeMisuse, Unencodable


@dataclass(frozen=True, slots=True)
class Call:
    """A call to run: what it asks for and its place in the body."""

    place: int
    message: Request | Notification

    @property
    def method(self) -> str:
        """The name of the method, as the client sent it."""
        return self.message.method

    @property
    def params(self) -> Params:
        """The parameters by position or by name, exactly as sent; None when there were none."""
        return self.message.params


class Exchange:
    """The session over one body. Results are encoded as they come, so that none is kept whole."""

    def __init__(self, limits: Limits | None = None, faults: Faults | None = None) -> None:
        self._limits = limits or Limits()
        self._faults = faults or Faults()
        self._bytes_left = self._limits.result_bytes
        self._answers: dict[int, bytes] = {}
        self._open: set[int] = set()
        self._in_batch = False

    def receive(self, body: bytes) -> tuple[Call, ...]:
        """The calls to run, in order; none when the body is refused as a whole."""
        try:
            message = self._read(body)
        except Exception as error:
            self.refuse(error)
            return ()
        self._in_batch = isinstance(message, Batch)
        items = message.messages if isinstance(message, Batch) else (message,)
        found = (self._admit(place, item) for place, item in enumerate(items))
        calls = tuple(call for call in found if call is not None)
        self._open = {call.place for call in calls}
        return calls

    def succeed(self, call: Call, result: object) -> Fault | None:
        """Take the result of a call. Returns the fault sent instead, if it cannot be sent."""
        if isinstance(call.message, Notification):
            self._close(call)
            return None
        try:
            answer = codec.encode(messages.success(call.message.id, result))
        except Unencodable as error:
            return self.fail(call, error)
        if len(answer) > self._bytes_left:
            return self.fail(call, self._too_large(len(answer)))
        self._close(call)
        self._bytes_left -= len(answer)
        self._answers[call.place] = answer
        return None

    def fail(self, call: Call, error: BaseException) -> Fault:
        """Take the exception a call ended with. Returns the fault it became."""
        self._close(call)
        fault = self._faults.translate(error)
        if isinstance(call.message, Request):
            self._answers[call.place] = self._failure(call.message.id, fault)
        return fault

    def refuse(self, error: BaseException) -> bytes:
        """Answer the whole with one error, under no id: it is no body, or did not become one."""
        self._answers[0] = self._failure(None, self._faults.translate(error))
        return self._answers[0]

    def body(self) -> bytes | None:
        """The reply, or None when nothing is to be answered."""
        if self._open:
            raise ExchangeMisuse(f"{len(self._open)} calls have neither result nor error yet")
        answers = [self._answers[place] for place in sorted(self._answers)]
        if not answers:
            return None
        return b"[" + b",".join(answers) + b"]" if self._in_batch else answers[0]

    def _read(self, body: bytes) -> Message | Batch:
        """The message in a body; raises what the body as a whole is refused for."""
        if len(body) > self._limits.body_bytes:
            raise BodyTooLarge(
                f"the body has {len(body)} bytes, the limit is {self._limits.body_bytes}"
            )
        return messages.read(codec.decode(body, self._limits.nesting), self._limits.batch_items)

    def _admit(self, place: int, message: Message) -> Call | None:
        """The call in a message; an invalid one is answered at once."""
        if not isinstance(message, Invalid):
            return Call(place, message)
        fault = self._faults.translate(message.error)
        self._answers[place] = self._failure(message.id, fault)
        return None

    def _close(self, call: Call) -> None:
        """Note that a call has ended."""
        if call.place not in self._open:
            raise ExchangeMisuse(f"call {call.place} is not one that waits for its outcome")
        self._open.remove(call.place)

    def _failure(self, id_: Id, fault: Fault) -> bytes:
        """An encoded error, shortened if it finds no room. Errors are sent even past the limit."""
        try:
            answer = codec.encode(messages.failure(id_, fault))
        except Unencodable as error:
            fault = self._faults.translate(error)
            answer = codec.encode(messages.failure(id_, fault))
        if len(answer) > self._bytes_left:
            answer = codec.encode(messages.failure(id_, fault.in_brief()))
        self._bytes_left = max(0, self._bytes_left - len(answer))
        return answer

    def _too_large(self, size: int) -> ResultTooLarge:
        """What a client is told in place of a result: also that its call did run."""
        limit = self._limits.result_bytes
        rest = f", of which {self._bytes_left} are left in this batch" if self._in_batch else ""
        return ResultTooLarge(
            f"the call was carried out, but its answer has {size} bytes; the limit is {limit}{rest}"
        )
