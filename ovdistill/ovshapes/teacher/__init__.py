"""The small CLIP teacher of OVShapes: its training data, training and accuracy."""
