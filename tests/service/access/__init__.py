"""The room of tokens, roles and decisions."""
