"""What can be asked: the methods of the API, over the small interfaces of `ports`."""
