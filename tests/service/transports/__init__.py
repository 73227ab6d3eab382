"""Tests of the Twisted shells, over real sockets and, where time matters, in memory."""
