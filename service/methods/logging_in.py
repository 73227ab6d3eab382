"""session.login: a token shown over a connection that stays."""

from __future__ import annotations

from collections.abc import Iterator

from records.kinds.base import JsonSchema
from service.access.roles import LOGIN
from service.errors import StreamNeeded
from service.methods.caller import current_caller
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Method, described

_TOKEN = Parameter(
    "token", "the token, as `herdbook token add` showed it", {"type": "string"}, required=True
)
_LOGGED_IN: JsonSchema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "role": {"type": "string", "enum": ["read", "write", "admin"]},
        "until": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["name", "role", "until"],
}


class LoginMethods:
    """The one method. It acts on the connection it is called over."""

    def methods(self) -> Iterator[Method]:
        """It, with its description."""
        yield described(
            LOGIN,
            "Show a token; it counts for all that follows on this connection.",
            Signature((_TOKEN,)),
            _LOGGED_IN,
            {"token": "hb_..."},
            self.login,
            "Only over the stream (listen.stream). Over HTTP each request has its token in the "
            "header `Authorization: Bearer TOKEN`.",
        )

    async def login(self, arguments: Arguments) -> object:
        """`session.login`."""
        secret = arguments.get("token")
        if "token" in arguments.values and not isinstance(secret, str):
            arguments.problems.add("value.wrong_type", "token is text", arguments.place("token"))
        arguments.problems.raise_any()
        caller = current_caller()
        if caller is None or caller.session is None or caller.visitor is None:
            raise StreamNeeded(f"{LOGIN} needs a connection that stays")
        token = caller.visitor.show(str(secret))
        until = None if token.until is None else token.until.isoformat().replace("+00:00", "Z")
        return {"name": token.name, "role": token.role.word, "until": until}
