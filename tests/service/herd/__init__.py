"""Tests of replication without I/O."""
