"""What a server says of itself is understood, and one that is too old is refused."""

from __future__ import annotations

import pytest

from service.server import ServerKind, ServerTooOld, ServerVersion, require_supported
from service.server.versions import parse_version

SAID = {
    "10.11.19-MariaDB-0+deb12u1": (ServerKind.MARIADB, (10, 11, 19)),
    "5.5.5-10.11.6-MariaDB-log": (ServerKind.MARIADB, (10, 11, 6)),
    "11.4.2-MariaDB": (ServerKind.MARIADB, (11, 4, 2)),
    "mariadbd  Ver 10.6.0-MariaDB for Linux on x86_64": (ServerKind.MARIADB, (10, 6, 0)),
    "9.7.4-2": (ServerKind.MYSQL, (9, 7, 4)),
    "8.0.23": (ServerKind.MYSQL, (8, 0, 23)),
    "8.4.0-commercial": (ServerKind.MYSQL, (8, 4, 0)),
    "/opt/9.1/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL)": (ServerKind.MYSQL, (8, 0, 36)),
    "9.2": (ServerKind.MYSQL, (9, 2, 0)),
}


@pytest.mark.parametrize(("text", "expected"), SAID.items())
def test_a_version_is_read_from_what_the_server_says(
    text: str, expected: tuple[ServerKind, tuple[int, int, int]]
) -> None:
    """Kind and numbers are the same whether the program or the running server says them."""
    assert require_supported(text) == ServerVersion(*expected)


@pytest.mark.parametrize(
    "text", ["10.5.23-MariaDB", "5.5.5-10.3.1-MariaDB", "8.0.22", "5.7.44-log"]
)
def test_an_old_server_is_refused(text: str) -> None:
    """The error names the server's version and the oldest ones that will do."""
    with pytest.raises(ServerTooOld, match=r"needs MariaDB 10\.6\.0 or MySQL 8\.0\.23") as caught:
        require_supported(text)
    assert str(parse_version(text)) in str(caught.value)


def test_text_without_a_version_is_refused() -> None:
    """Something that is no MySQL or MariaDB is refused with its own words."""
    with pytest.raises(ServerTooOld, match="PostgreSQL"):
        parse_version("PostgreSQL fifteen")
