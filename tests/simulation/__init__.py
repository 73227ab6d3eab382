"""Whole herds from one number, and whether their rules are really looked at."""
