"""The ranges of all nodes in the database: read, added, given out, and followed in memory.

rows        ranges as values, from the tables
adding      one more range, by hand
adding_all  many more, by hand or out of a file
own_pools   the pools of this node, locked
giving      the next free blocks of them, to many at once
desk        who waits for a block, and is served with others
reshaping   one that is split, several that are merged
counting    what is free of pools
spaces      what is free in these pools, in memory
book        all ranges in memory, and what is asked of them
following   keeps the book true
stored      the port of the methods
"""
