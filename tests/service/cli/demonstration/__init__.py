"""The parts of `herdbook demo`."""
