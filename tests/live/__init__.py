"""Whole nodes, each a process of its own on a real server."""
