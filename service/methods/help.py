"""The help text of a method, made from what it declares."""

from __future__ import annotations

import json
from collections.abc import Iterable

from service.methods.params import Parameter, Signature


def help_text(
    name: str,
    summary: str,
    signature: Signature,
    example: dict[str, object],
    notes: Iterable[str] = (),
) -> str:
    """The summary, each parameter, notes, and a call that can be copied."""
    lines = [summary, "", "Parameters:" if signature.parameters else "No parameters."]
    lines += [f"  {_described(parameter)}" for parameter in signature.parameters]
    if signature.flat:
        lines.append("  A single record can also be given by its own fields, without `record`.")
    lines += [line for note in notes for line in ("", note)]
    call = {"jsonrpc": "2.0", "method": name, "params": example, "id": 1}
    return "\n".join([*lines, "", "Example:", f"  {json.dumps(call, ensure_ascii=False)}"])


def _described(parameter: Parameter) -> str:
    """One parameter on one line."""
    needed = "" if parameter.required else " (optional)"
    return f"{' | '.join(parameter.names)}{needed}: {parameter.text}"
