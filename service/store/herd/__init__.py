"""The herd's side of the database: what siblings are told of it, and what they told is written.

described   what tables are like, read from the database: columns, keys, rules between rows
values      a value as it is read without loss, and a row's key as bytes and back
rows        rows live and dead with their clocks, as merging takes them
"""
