"""Tests of what a record is, without a database."""
