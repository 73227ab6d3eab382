"""Many rows in one statement, and never more than a server takes."""

from __future__ import annotations

from records import Integer, Record, Text
from records.catalogue import catalogue_of
from schema.direct import create_tables
from service.methods.ports import Change
from service.store.operations import Create, Update
from tests.service.store.tools import carry_out, full_row, read

ROWS = 500
FIELDS = [f"value{number:02}" for number in range(30)]


class Wide(Record):
    """A long key and many fields: an UPDATE of many rows names each key for each field."""

    url = Text(length=700, primary=True)
    for _name in FIELDS:
        locals()[_name] = Integer(bits=32, default=0)


CATALOGUE = catalogue_of([Wide])
WIDE = CATALOGUE.records["wide"]


def test_an_update_of_many_wide_rows_fits_what_a_server_takes(database: str) -> None:
    """It is cut into statements below max_allowed_packet, and every row gets its values."""
    create_tables(database, CATALOGUE)
    urls = ["é" * 695 + f"{number:05}" for number in range(ROWS)]
    carry_out(database, CATALOGUE, Create(WIDE, [full_row(WIDE, url=url) for url in urls]))
    changes = [
        Change((url,), {name: place * 100 + at for at, name in enumerate(FIELDS)})
        for place, url in enumerate(urls)
    ]
    carry_out(database, CATALOGUE, Update(WIDE, changes))
    found = read(database, "SELECT * FROM wide ORDER BY url")
    assert found == [
        (url, *(place * 100 + at for at in range(len(FIELDS)))) for place, url in enumerate(urls)
    ]
