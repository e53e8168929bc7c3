"""Annotation files made from the official ones, read and written a record at a time."""
