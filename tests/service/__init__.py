"""Tests of the running node, one folder for each room of `service`."""
