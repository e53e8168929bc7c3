"""Conversion of official annotation files, which are read and written a record at a time."""
