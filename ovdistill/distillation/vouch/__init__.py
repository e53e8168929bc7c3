"""Vouch, ovdistill's own term: objects that nobody labelled are still treated as objects."""
