"""Vouch, ovdistill's own term: an object that nobody labelled is an object all the same."""
