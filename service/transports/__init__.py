"""The Twisted shells around the core: bytes in, bytes out, and nothing decided here twice.

`web` speaks HTTP within bounds, `calls` runs calls within bounds; `http` and `admin` are the two
listeners built from them.
"""
