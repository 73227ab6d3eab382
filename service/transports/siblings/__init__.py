"""Links to siblings over TCP or sockets: carries out what `service.herd.flood` decides.

`room.HerdRoom` is the room's door.
"""
