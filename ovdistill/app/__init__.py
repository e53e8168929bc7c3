"""The web page: an image, names, what was found; and the search of indexes."""
