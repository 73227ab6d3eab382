"""The statements that make an account and give it privileges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schema.capture.quoting import quoted
from service.privileges.needs import Need

PASSWORD = "<password>"
"""Stands for the password, without quotes: a statement that is run as it is printed is refused."""

_SPECIAL = ("\\", "_", "%")


@dataclass(frozen=True)
class Account:
    """An account of a database server: the user, and from where it connects."""

    user: str
    host: str

    @classmethod
    def parse(cls, text: str) -> Account:
        """The account in what CURRENT_USER() says; a user's name may hold an @, a host none."""
        user, _, host = text.rpartition("@")
        return cls(user, host)

    def __str__(self) -> str:
        return f"{quoted(self.user)}@{quoted(self.host)}"


@dataclass(frozen=True)
class Target:
    """The database that privileges are for.

    In a GRANT its name is a pattern, unless the server has partial_revokes on (MySQL): there it is
    taken as it is, backslashes included.
    """

    database: str
    is_literal: bool = False

    @property
    def pattern(self) -> str:
        """What a GRANT calls this database and no other."""
        name = self.database
        for special in () if self.is_literal else _SPECIAL:
            name = name.replace(special, f"\\{special}")
        return name


def create_user(account: Account) -> str:
    """The statement that makes the account; PASSWORD has to be replaced in it."""
    return f"CREATE USER {account} IDENTIFIED BY {PASSWORD};"


def grants(needs: Iterable[Need], target: Target, account: Account) -> tuple[str, ...]:
    """The statements that give these privileges: those on the database, those on the server."""
    needs = tuple(needs)
    scopes = (
        (f"{quoted(target.pattern)}.*", [need for need in needs if not need.everywhere]),
        ("*.*", [need for need in needs if need.everywhere]),
    )
    return tuple(
        f"GRANT {', '.join(need.privilege for need in some)} ON {scope} TO {account};"
        for scope, some in scopes
        if some
    )
