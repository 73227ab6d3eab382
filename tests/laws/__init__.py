"""Laws that hold for whatever is generated."""
