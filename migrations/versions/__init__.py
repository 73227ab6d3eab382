"""Frozen revisions. None is ever changed; a test holds what they make to `schema/system.py`."""
