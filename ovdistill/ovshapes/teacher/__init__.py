"""The small CLIP teacher of OVShapes: its training data, its training and its accuracy."""
