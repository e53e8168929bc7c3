"""Masked language modelling: hidden tokens of a text are predicted from the rest."""
