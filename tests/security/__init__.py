"""Attacks on whole nodes that must fail. docs/security.md names the test of each attack."""
