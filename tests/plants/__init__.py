"""Bugs that are planted into a copy of the sources, and the tests that must see them.

tox -e planted
"""
