"""The feed: the changelog on MySQL, as the methods read it.

From the inside out: `entries` and `rows` of the database, `pages` of both, `snapshots` in which
pages are read, `consumers` for whom the changelog is kept, those `waiting` for something new, and
`stored`, which is all of it behind the methods' port.
"""
