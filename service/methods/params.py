"""Parameters of methods: what they are, and how those that were sent find their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from records.kinds.base import JsonSchema
from records.validation import suggest
from service.methods.problems import MOST_SUGGESTIONS, Place, Problems

Params: TypeAlias = list[object] | dict[str, object] | None
"""As they came over the wire: by position, by name, or absent."""

_LONGEST_SHOWN = 100
_MOST_NOTED = 100
"""Unknown names of one call that are each told; no honest call has more."""


@dataclass(frozen=True)
class Parameter:
    """One parameter. Where `many` is a name, a list given by position is taken under that name.

    So `record` with `many="records"` is one record or several.
    """

    name: str
    text: str
    schema: JsonSchema = field(repr=False)
    required: bool = False
    many: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Under which names it can be sent."""
        return (self.name,) if self.many is None else (self.name, self.many)


@dataclass(frozen=True)
class Signature:
    """The parameters of a method, in the order of their positions.

    `flat` are fields whose values may be given by their own names, as one record: then what is
    given so stands for the first parameter.
    """

    parameters: tuple[Parameter, ...] = ()
    flat: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arguments:
    """What was sent, by parameter, the place each value had, and what is wrong so far.

    A method goes on reading where there are problems, to find the others, and raises them then.
    """

    values: Mapping[str, object]
    places: Mapping[str, Place]
    problems: Problems

    def get(self, name: str) -> object:
        """The value of a parameter; null counts as absent."""
        return self.values.get(name)

    def place(self, name: str) -> Place:
        """Where it stood."""
        return self.places.get(name, (name,))


def bind(signature: Signature, params: Params) -> Arguments:
    """The arguments of a call; what is unknown or missing is noted in their problems."""
    problems = Problems()
    if isinstance(params, list):
        arguments = _by_position(signature, params, problems)
    else:
        arguments = _by_name(signature, params or {}, problems)
    for parameter in signature.parameters:
        if parameter.required and all(name not in arguments.values for name in parameter.names):
            named = " or ".join(parameter.names)
            problems.add("params.missing", f"{named} must be given", (parameter.name,))
    return arguments


def _by_position(signature: Signature, params: Sequence[object], problems: Problems) -> Arguments:
    """Each value goes to the parameter at its position."""
    parameters = signature.parameters
    if len(params) > len(parameters):
        listed = ", ".join(parameter.name for parameter in parameters) or "none"
        problems.add(
            "params.too_many",
            f"{len(params)} parameters, where these are known: {listed}",
            (len(parameters),),
        )
    values: dict[str, object] = {}
    places: dict[str, Place] = {}
    for at, (parameter, value) in enumerate(zip(parameters, params, strict=False)):
        name = parameter.many if parameter.many and isinstance(value, list) else parameter.name
        values[name], places[name] = value, (at,)
    return Arguments(values, places, problems)


def _by_name(signature: Signature, params: Mapping[str, object], problems: Problems) -> Arguments:
    """Each value goes to the parameter of its name, what is left to the record given flat."""
    known = [name for parameter in signature.parameters for name in parameter.names]
    values: dict[str, object] = {name: value for name, value in params.items() if name in known}
    places: dict[str, Place] = {name: (name,) for name in values}
    rest = {name: value for name, value in params.items() if name not in known}
    subject = signature.parameters[0] if signature.flat else None
    if subject is not None and not any(name in values for name in subject.names):
        _note_misspelt_options(signature, rest, known, problems)
        values[subject.name], places[subject.name] = rest, ()
    elif rest:
        _note_unknown(signature, rest, known, problems)
    for parameter in signature.parameters:
        if len([name for name in parameter.names if name in values]) > 1:
            both = " and ".join(parameter.names)
            problems.add(
                "params.conflicting", f"{both} cannot be given together", (parameter.name,)
            )
    return Arguments(values, places, problems)


def _note_unknown(
    signature: Signature, rest: Mapping[str, object], known: Sequence[str], problems: Problems
) -> None:
    """Note names that no parameter has."""
    for name in islice(rest, _MOST_NOTED):
        if name in signature.flat:
            subject = signature.parameters[0]
            problems.add(
                "params.conflicting",
                f"{name} stands beside {' or '.join(subject.names)}; put it inside",
                (name,),
            )
        else:
            shown = name[:_LONGEST_SHOWN]
            problems.add(
                "params.unknown",
                f"there is no parameter {shown}{problems.suggest(shown, known)}",
                (name,),
            )


def _note_misspelt_options(
    signature: Signature, rest: dict[str, object], known: Sequence[str], problems: Problems
) -> None:
    """Note names that are near an option and near no field, and take them out of the record.

    Only the first strange names are looked at; the others are told as fields that are not there.
    """
    strange = (name for name in list(rest) if name not in signature.flat)
    for name in islice(strange, MOST_SUGGESTIONS):
        shown = name[:_LONGEST_SHOWN]
        near = suggest(shown, known)
        if near and not suggest(shown, signature.flat):
            problems.add("params.unknown", f"there is no parameter {shown}{near}", (name,))
            del rest[name]
