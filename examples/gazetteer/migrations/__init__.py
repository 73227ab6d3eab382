"""The gazetteer's frozen revisions, written by `herdbook schema revision`."""
