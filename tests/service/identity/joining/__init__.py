"""Tests of how a new node gets its certificate."""
