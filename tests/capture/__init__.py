"""What triggers capture: each kind of plain SQL, and what it leaves in the inbox and beside."""
