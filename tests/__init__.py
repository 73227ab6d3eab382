"""The tests: a mirror of the house, and what spans rooms."""
