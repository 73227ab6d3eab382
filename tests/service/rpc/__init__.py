"""Tests of JSON-RPC as values; `vectors` is the table that the transports are held to as well."""
