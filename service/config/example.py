"""A complete example file, written from the same table that reads it."""

from __future__ import annotations

import json
from itertools import groupby

from service.config.keys import Setting
from service.config.values import settings

_HEADING = """\
# Herdbook configuration. Lines that begin with # are comments; a key that is commented out shows
# its default. Every key can also be set by an environment variable, HERDBOOK_SECTION_KEY, which
# counts more than this file. Relative paths start at this file's folder.
"""


def example_toml() -> str:
    """The example, valid as it stands, every key with its meaning and its default."""
    groups = groupby(settings(), key=lambda setting: setting.section)
    sections = [f"\n[{name}]\n{''.join(map(_entry, members))}" for name, members in groups]
    return _HEADING + "".join(sections)


def _entry(setting: Setting) -> str:
    """One key with its comment; commented out where the default would do."""
    comment = "".join(f"# {line}\n" for line in setting.about.split("\n"))
    shown = setting.default if setting.example is None else setting.example
    if shown is None:
        return f'{comment}# {setting.key} = "..."\n'
    mark = "# " if setting.example is None else ""
    # JSON and TOML write text and numbers alike.
    return f"{comment}{mark}{setting.key} = {json.dumps(shown)}\n"
