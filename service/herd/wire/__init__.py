"""How a delta stands on the wire: groups of rows, in columns."""
