"""Sealing: giving the entries that triggers wrote their positions in the changelog.

scan       from where the inbox is read (values in, decision out)
lease      who seals (values in, decision out)
lives      which life each entry belongs to (values in, decision out)
entries    the entries, read from the inbox and written into the changelog
judge      which life each entry of a pass gets, and which entries wait
asking     keys that a table can be asked for, told from others
troubles   what keeps single tables and rows from being sealed
births     rows that are born again: what of them stands in the tables
passes     one pass: a transaction that seals what it can see
room       passes one after the other, in a thread
lane       the same, as the reactor sees it
"""
