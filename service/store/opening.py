"""A Storm store on the records, for programs of one's own.

It belongs to the thread that opened it.
"""

from __future__ import annotations

from records.catalogue import Catalogue
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.records_store import RecordStore
from service.store.settings import SessionSettings


def open_store(url: str, catalogue: Catalogue) -> RecordStore:
    """A Storm store on the database at `url`, for the record classes of a catalogue.

    Raises DatabaseUrlError if the URL is wrong, MySQLdb.Error if the server cannot be reached.
    """
    return RecordStore(HerdbookDatabase(DatabaseUrl.parse(url), SessionSettings()), catalogue)
