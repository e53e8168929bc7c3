"""Image contrast: two augmentations of one image find each other.

Chen et al., SimCLR, ICML 2020 (arXiv 2002.05709); He et al., MoCo, CVPR 2020 (arXiv 1911.05722).
"""
