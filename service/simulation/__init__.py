"""Many nodes in one process, on a clock and a network of their own: the herd's rules, tried out.

Everything follows from one seed. The rules are those that real nodes run (`service.herd`); only
tables, clock and network are made up.
"""
