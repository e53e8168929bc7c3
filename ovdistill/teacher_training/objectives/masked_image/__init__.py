"""Masked image modelling: hidden squares of an image are predicted from the rest."""
