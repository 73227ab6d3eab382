"""The command line: one module per command, a frame that loads only the one that is called."""
