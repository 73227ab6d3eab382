"""Identities: certificates of a herd, and their files."""
