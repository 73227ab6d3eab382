"""What `herdbook demo` shows: three nodes, a tour of their API, and a wire that is cut."""
