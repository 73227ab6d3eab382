"""What values there are: one kind for each column type, with its limits and its three forms.

A *kind* knows how one type of value looks in Python, in JSON and in the database, and takes it from
one to the other without losing a bit. Kinds are frozen values and do no I/O.
"""
