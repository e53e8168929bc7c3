"""Image-text matching: does this text fit this image?

Li et al., ALBEF, NeurIPS 2021 (arXiv 2107.07651); Singh et al., FLAVA, CVPR 2022 (arXiv
2112.04482).
"""
