"""Masked cross-modal modelling: hidden parts of an image and its text are predicted from both.

Singh et al., "FLAVA: A Foundational Language And Vision Alignment Model", CVPR 2022 (arXiv
2112.04482). The formulas are those of masked images and of masked language.
"""
