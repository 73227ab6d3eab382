"""What an account lacks of what it needs, in words, each with the statement that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from service.privileges.held import Held, held_on
from service.privileges.needs import SERVING, Need, healing, migrating
from service.privileges.statements import Account, Target, grants
from service.server.versions import ServerKind

TRIGGERS_FORBIDDEN = (
    "the server's binary log is on and log_bin_trust_function_creators is off, so that accounts "
    "without SUPER can make no triggers, as `herdbook schema upgrade` has to; SET GLOBAL "
    "log_bin_trust_function_creators = 1; and the same in the server's configuration file"
)

_UNREAD = (
    "a line of SHOW GRANTS was not understood, and what it gives or takes back is not counted: "
    "{}; see for yourself that the account holds what `herdbook grant --print` prints"
)
_SUPER = Need("SUPER", "no setting of the server can be gone past", everywhere=True)
_CHANGING = frozenset({"CREATE", "ALTER", "DROP", "INDEX"})


@dataclass(frozen=True)
class Standing:
    """An account, with the privileges it holds on a database of a server of this kind."""

    account: Account
    target: Target
    kind: ServerKind
    held: Held

    @classmethod
    def read(
        cls, account: Account, target: Target, kind: ServerKind, lines: Iterable[str]
    ) -> Standing:
        """From what SHOW GRANTS says."""
        return cls(account, target, kind, held_on(target, lines))

    def lacks(self, needs: Iterable[Need]) -> tuple[Need, ...]:
        """What of this the account does not hold."""
        return tuple(
            need
            for need in needs
            if not self.held.gives(need.privilege, everywhere=need.everywhere)
        )

    def without_serving(self) -> tuple[str, ...]:
        """What keeps a node from its work."""
        return tuple(map(self._line, self.lacks(SERVING)))

    def further(self, *, triggers_forbidden: bool) -> tuple[str, ...]:
        """What else is missing: for a node to heal itself, and for migrations; and what is unsure.

        `triggers_forbidden`: the server makes no triggers for accounts without SUPER.
        """
        missing = self.lacks(migrating(self.kind))
        lines = [f"WARNING: {_UNREAD.format(line)}" for line in self.held.unread]
        lines += [f"WARNING: {self._line(need)}" for need in self.lacks(healing(self.kind))]
        if {need.privilege for need in missing} >= _CHANGING:
            return (*lines, self._serves_only(missing))
        lines += [f"WARNING: {self._line(need)}" for need in missing]
        if triggers_forbidden and self.lacks([_SUPER]):
            lines.append(f"WARNING: {TRIGGERS_FORBIDDEN}")
        return tuple(lines)

    def _serves_only(self, missing: tuple[Need, ...]) -> str:
        names = ", ".join(need.privilege for need in missing)
        (mend,) = grants(missing, self.target, self.account)
        return (
            f"{self.account} serves only, which is well if another account runs `herdbook schema "
            f"upgrade`; for that it lacks {names}; {mend}"
        )

    def _line(self, need: Need) -> str:
        (mend,) = grants([need], self.target, self.account)
        return f"{self.account} lacks {need.privilege}: without it {need.without}; {mend}"
