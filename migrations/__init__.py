"""The history of Herdbook's own tables: Alembic's environment and frozen revisions."""
