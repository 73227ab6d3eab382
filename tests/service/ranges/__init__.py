"""Network ranges."""
