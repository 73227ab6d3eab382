"""Alembic's environment: runs what `schema.runner` prepared. It is not meant to be run alone."""

from schema.operations import run_migrations

run_migrations()
