"""Network ranges given to nodes: what they are, how they are read, given out, found and disputed.

Two laws. Nothing here knows a database, a network, a clock or chance: ranges come in as values, and
what is to be written comes out as values. And whatever is decided between two ranges is decided by
what they are, never by which came first to this node: all nodes decide alike.
"""
