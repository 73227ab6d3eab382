"""Every method of a node, as tests that try something on each of them need it."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from records.catalogue import load_catalogue
from service.methods.api import build_registry
from tests.live.node import RECORDS

_ANY: Any = Mock()

METHODS = {
    method.name: method
    for method in build_registry(load_catalogue(RECORDS), _ANY, _ANY, 1.0, _ANY, _ANY, _ANY, _ANY)
}
"""By name; none of these can be called. Nodes that serve RECORDS have the same ones."""
