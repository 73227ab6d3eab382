"""Who a node is, as its herd's own certificate authority says it: keys, certificates, their files.

Law of this room: no network, and no clock, the time comes in. Only `files` touches the disk.
"""
