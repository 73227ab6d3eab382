"""Lines in which there is no call: whoever may come in is told of each, strangers of a few."""

from __future__ import annotations

import pytest

from service.transports.stream_limits import STRANGER_LINES
from tests.service.access.tokens import door, secret, token
from tests.service.transports.guarded import Guarded, code_of


def test_a_stranger_who_sends_no_calls_is_sent_away() -> None:
    """He is told what is wrong with his first lines, and then that he needs a token."""
    stranger = Guarded(door(token(1, "read"), required=True)).connect()
    for _ in range(STRANGER_LINES + 5):
        stranger.send(b"[\n")
    codes = [code_of(answer) for answer in stranger.received()]
    assert codes == ["json.invalid"] * STRANGER_LINES + ["access.required"]
    assert stranger.is_closed()


@pytest.mark.parametrize(("required", "shown"), [(True, secret(1)), (False, None)])
def test_who_may_come_in_is_told_of_each_line_that_is_no_call(
    required: bool, shown: str | None
) -> None:
    """Somebody who tries things by hand keeps his connection."""
    client = Guarded(door(token(1, "read"), required=required)).connect()
    if shown is not None:
        client.ask("session.login", shown)
    for _ in range(STRANGER_LINES + 5):
        client.send(b"[\n")
    assert {code_of(answer) for answer in client.received()} == {"json.invalid"}
    assert not client.is_closed()
