"""Tests of capture: its values, its triggers on both servers, and what checks find."""
