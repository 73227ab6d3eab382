"""What an account needs and holds."""
