"""From record classes to tables, and from one schema to the next.

The law of this room: Alembic compares and SQLAlchemy writes the SQL; neither is done again here.
"""
