"""MySQL and MariaDB, through Storm, in threads."""
