"""`herdbook check`: whether a configuration is right and what it names is there."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.advice import option_words
from service.cli.checks import WARNING, Finding, look_at
from service.cli.database_options import dir_option
from service.cli.embedded import database_in, tokens_at
from service.cli.options import config_option, read_configuration
from service.cli.output import ExitCode, Output, output_option
from service.cli.place import Place
from service.config import Configuration, EffectiveValue, effective_values, example_toml


@click.command()
@config_option
@dir_option
@click.option("--example", is_flag=True, help="Print a complete, commented example and leave.")
@output_option
def check(config: Path | None, directory: Path | None, example: bool, output: Output) -> ExitCode:
    r"""Check a configuration and what it names.

    Reads the configuration as `serve` would, and reports every mistake at once, each with its
    place and what to do. If it is valid, shows what counts for each key and who said so, then
    looks at what it names: the record module, the folder of revisions, the database server with
    its settings and the account's privileges, the schema, the files that links need. What the
    account lacks is told with the GRANT that gives it.
    Passwords are never shown. Exit code 0 if all is well, 1 if not.

    \b
    Examples:
      herdbook check
      herdbook check --config /etc/herdbook.toml --json
      herdbook check --config shed.toml --dir shed
      herdbook check --example > herdbook.toml
    """
    if example:
        output.result({"example": example_toml()}, example_toml().rstrip("\n"))
        return ExitCode.DONE
    given: dict[str, object] = {}
    if directory is not None:
        private = database_in(Place(directory.absolute()), output, may_make=False)
        given["database.url"] = click.get_current_context().with_resource(private)
    configuration = read_configuration(config, given, directory)
    if directory is not None:
        configuration = tokens_at(Place(directory.absolute()), configuration)
    values = effective_values(configuration)
    _show_values(output, values)
    findings = look_at(
        configuration, options=option_words({"--config": config, "--dir": directory})
    )
    _show_findings(output, configuration, values, findings)
    return ExitCode.DONE if all(one.passed for one in findings) else ExitCode.FAILED


def _show_values(output: Output, values: list[EffectiveValue]) -> None:
    rows = [(one.name, _written(one.value), one.origin) for one in values]
    output.table(("key", "value", "from"), rows)
    output.say()


def _written(value: str | int | float | None) -> str:
    """A value as the file writes it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _mark(finding: Finding, message: str) -> str:
    """What a line begins with. A warning is no fault, also where others are told beside it."""
    return "ok    " if finding.passed or message.startswith(WARNING) else "FAILED"


def _show_findings(
    output: Output,
    configuration: Configuration,
    values: list[EffectiveValue],
    findings: list[Finding],
) -> None:
    passed = all(one.passed for one in findings)
    lines = [
        f"{_mark(finding, message)}  {finding.name}: {message}"
        for finding in findings
        for message in finding.messages
    ]
    document = {
        "passed": passed,
        "folder": str(configuration.folder),
        "values": [{"name": one.name, "value": one.value, "origin": one.origin} for one in values],
        "checks": [finding.as_json() for finding in findings],
    }
    verdict = "All is well." if passed else "Not all is well; see the lines marked FAILED."
    output.result(document, "\n".join([*lines, verdict]))
