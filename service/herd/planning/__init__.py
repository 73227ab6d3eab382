"""From a sibling's delta to what is to be written here, so that no constraint is ever broken.

    merging    each row of the delta with the row here
    families   references: what is revived, what dies along, what lets go
    claims     unique keys: who keeps the value, who gives way
    plan       the three together, until nothing is left to settle

Repairs are writes of this node like any other: they get stamps and log entries, and travel on.
"""
