"""node.update: what can be said of a node, and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import ValuesRefused
from service.methods.ports import Change
from tests.service.methods.calls import places
from tests.service.methods.test_family import ID, family

NODE = {
    "id": ID,
    "name": "barn",
    "origin": 7,
    "site": "north",
    "urls": ["http://barn:8650/"],
    "fingerprint": None,
    "weight": 3,
    "state": "draining",
}
SAID: dict[str, Any] = {
    "site": "north", "urls": ["http://barn:8650/"], "weight": 3, "state": "draining",
}  # fmt: skip


def test_what_people_say_of_a_node_reaches_the_store() -> None:
    """One node or many; the whole record comes back."""
    api, store = family([NODE])
    told = {**NODE, "id": str(ID)}
    assert api.call("node.update", {"id": str(ID), **SAID}) == told
    change = Change((ID,), SAID)
    assert store.asked[0] == "update"
    assert (store.asked[1].name, store.asked[2:]) == ("node", ([change], []))
    assert api.call("node.update", {"records": [{"id": str(ID), "site": None}]}) == [told]
    assert store.asked[2] == [Change((ID,), {"site": None})]


def test_what_a_node_says_of_itself_is_not_changed() -> None:
    """All that is wrong is told at once."""
    api, _store = family()
    bad = {"id": str(ID), "name": "x", "origin": 1, "fingerprint": "y", "weight": -1, "state": "up"}
    error = api.refused("node.update", {"records": [{"id": str(ID)}, bad, 7]})
    assert isinstance(error, ValuesRefused)
    assert set(places(error)) >= {
        (1, "/name", "node.own_field"),
        (1, "/origin", "node.own_field"),
        (1, "/fingerprint", "node.own_field"),
        (1, "/weight", "value.out_of_range"),
        (1, "/state", "value.not_a_choice"),
        (2, "", "value.wrong_type"),
    }
    error = api.refused("node.update", {"id": str(ID), "name": "stall"})
    assert places(error) == [(None, "/name", "node.own_field")]


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        (["nonsense"], "'nonsense' is no URL; write one such as https://barn.example.org:8650/"),
        (["http://"], "'http://' is no URL"),
        (["http://barn:99999/"], "is no URL"),
        (["http://ba rn/"], "is no URL"),
        (["http://barn/", "a:b"], "'a:b' is no URL"),
        (["http://me:secret@barn/"], "holds a name or a password, which all nodes would show"),
        ("http://barn/", "urls is a list of URLs"),
        ([7], "urls is a list of URLs"),
        ({"a": "http://barn/"}, "urls is a list of URLs"),
    ],
    ids=str,
)
def test_where_a_node_can_be_reached_is_a_list_of_urls(urls: object, said: str) -> None:
    """Anything else is refused, at its place."""
    api, _store = family()
    (failure,) = api.refused("node.update", {"id": str(ID), "urls": urls}).failures
    assert failure.code in ("node.url", "value.wrong_type")
    assert failure.pointer.startswith("/urls")
    assert said in failure.message
    assert "secret" not in failure.message


@pytest.mark.parametrize(
    "urls",
    [None, [], ["https://barn.example.org:8650/rpc", "http://10.0.0.1/", "tcp://[2001:db8::1]:1"]],
    ids=str,
)
def test_urls_of_any_scheme_are_taken(urls: object) -> None:
    """Also none."""
    api, store = family([NODE])
    api.call("node.update", {"id": str(ID), "urls": urls})
    assert store.asked[2] == [Change((ID,), {"urls": urls})]
