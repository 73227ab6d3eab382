"""Record modules to learn from."""
