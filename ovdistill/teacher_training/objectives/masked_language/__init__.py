"""Masked language modelling: hidden tokens of a text are predicted from the rest.

Devlin et al., BERT, NAACL 2019 (arXiv 1810.04805).
"""
