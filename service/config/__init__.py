"""Configuration: one TOML file, `HERDBOOK_*` environment over it, frozen values out.

This is the room's door; `values` says what can be set, `loading` how the layers become one.
"""

from __future__ import annotations

from service.config.environment import without_settings
from service.config.example import example_toml
from service.config.keys import EffectiveValue
from service.config.loading import effective_values, load_configuration
from service.config.problems import ConfigurationError, Problem
from service.config.sources import DEFAULT_FILE, find_file
from service.config.values import Configuration

__all__ = [
    "DEFAULT_FILE",
    "Configuration",
    "ConfigurationError",
    "EffectiveValue",
    "Problem",
    "effective_values",
    "example_toml",
    "find_file",
    "load_configuration",
    "without_settings",
]
