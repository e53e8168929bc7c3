"""Fills stores with the teacher's embeddings of the regions and captions of a data set."""
