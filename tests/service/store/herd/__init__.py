"""Tests of the herd's side of the database."""
