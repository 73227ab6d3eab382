"""JSON-RPC 2.0 as values: bytes in, calls out; results in, bytes out. Nothing here does I/O.

A transport makes one `exchange.Exchange` for each body it receives, runs the calls that come out
of it, and sends what `Exchange.body` gives back.
"""
