"""The ranges of all nodes in the database: read, added, given out, and followed in memory.

rows        ranges as values, from the tables
adding      one more range, by hand
adding_all  many more, by hand or out of a file
giving      the next free block of this node's pools
reshaping   one that is split, several that are merged
counting    what is free of pools
spaces      what is free in these pools, in memory
book        all ranges in memory, and what is asked of them
following   keeps the book true
stored      the port of the methods
"""
