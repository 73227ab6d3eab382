"""Addresses are read without leaving anything that only a look through everything removes."""

from __future__ import annotations

import gc

import pytest

from records.kinds.network import parse_address


@pytest.mark.parametrize("text", ["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"])
def test_an_address_that_is_read_leaves_nothing_in_a_circle(text: str) -> None:
    """Under load such circles are looked for again and again, and nothing else runs meanwhile."""
    parse_address(text)
    gc.collect()
    gc.disable()
    try:
        assert parse_address(text) is not None
        assert gc.collect() == 0
    finally:
        gc.enable()
