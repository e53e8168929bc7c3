"""Masked image modelling: hidden squares of an image are predicted from the rest.

Xie et al., "SimMIM: A Simple Framework for Masked Image Modeling", CVPR 2022 (arXiv 2111.09886).
"""
