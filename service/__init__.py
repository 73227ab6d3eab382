"""The running node: methods over JSON-RPC, the store beneath them, and the command line."""
