"""Who may ask for what: tokens, roles, and the decision. No file, no network, no clock, no chance.

Law of this room: a refusal tells what is needed, and of a token that is not known nothing at all.
"""
