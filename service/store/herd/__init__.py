"""The herd's side of the database: what siblings are told of it, and what they told is written.

described   what tables are like, read from the database: columns, keys, rules between rows
values      a value as it is read without loss, and a row's key as bytes and back
rows        rows live and dead with their clocks, as merging takes them

reading     a delta, read in one snapshot, in parts:
  snapshots     the snapshot, and what it shows of the node
  unsealed      what it shows that has no position yet
  lines         the lines of the changelog
  spool         these by row, in a file
  unborn        births that are left out of it
  states        rows as siblings are told them
  sizes         how many of them may be read at once
  delta_parts   the parts
siblings    who was met, and what they have
stored      all of it as links use it
"""
