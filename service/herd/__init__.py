"""Replication without I/O: what travels between nodes, and how it becomes one.

Nothing here knows a network, a database, a clock or chance. Moments and states come in as values;
what is to be written or sent comes out as values.
"""
