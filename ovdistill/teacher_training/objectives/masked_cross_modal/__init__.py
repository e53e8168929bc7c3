"""Masked cross-modal modelling: an image and its text complete each other."""
