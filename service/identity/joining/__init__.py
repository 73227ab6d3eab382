"""How a new node gets its certificate: invitations, what both sides say, and what each believes.

Law of this room: as in the one around it. Time and chance come in; what was said is answered only
when what it changes is kept.
"""
