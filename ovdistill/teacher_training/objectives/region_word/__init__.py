"""Region-word matching: the boxes of an image find their phrases."""
