"""Filling stores: what the teacher says of the regions and captions of a data set."""
