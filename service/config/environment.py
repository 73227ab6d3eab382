"""The `HERDBOOK_*` variables: which key each stands for, and which are none of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from service.config.problems import Problem, nearest

PREFIX = "HERDBOOK_"

# Read by other parts of the program; no keys of the configuration.
_ELSEWHERE = {
    "HERDBOOK_CONFIG",
    "HERDBOOK_URL",
    "HERDBOOK_STREAM_URL",
    "HERDBOOK_TOKEN",
    "HERDBOOK_TOKEN_FILE",
    "HERDBOOK_CA",
    "HERDBOOK_DEBUG",
    "HERDBOOK_SERVER",
    "HERDBOOK_VENV",
}
_ELSEWHERE_BEGIN = "HERDBOOK_TEST_"

# Kubernetes and Docker links set these for a service or container that is called "herdbook".
_INJECTED = re.compile(r"HERDBOOK_(SERVICE_(HOST|PORT(_.*)?)|PORT(_.*)?|NAME|ENV_.*)")


def overrides(environment: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The values that the environment gives, by variable; `known` maps variables to keys."""
    return {name: environment[name] for name in known if name in environment}


def unknown_variables(environment: Mapping[str, str], known: Mapping[str, str]) -> list[Problem]:
    """A problem for each variable that begins like ours and stands for nothing."""
    return [_unknown(name, known) for name in sorted(environment) if _is_stray(name, known)]


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that say something about a configuration."""
    kept = _ELSEWHERE - {"HERDBOOK_CONFIG", "HERDBOOK_TOKEN", "HERDBOOK_TOKEN_FILE"}
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(PREFIX) or name in kept or name.startswith(_ELSEWHERE_BEGIN)
    }


def _is_stray(name: str, known: Mapping[str, str]) -> bool:
    if not name.startswith(PREFIX) or name in known or name in _ELSEWHERE:
        return False
    return not name.startswith(_ELSEWHERE_BEGIN) and not _INJECTED.fullmatch(name)


def _unknown(name: str, known: Mapping[str, str]) -> Problem:
    near = nearest(name, known)
    advice = f"did you mean {near}?" if near else "unset it; names are HERDBOOK_SECTION_KEY"
    return Problem(f"environment, {name}", "this variable stands for no key", advice)
