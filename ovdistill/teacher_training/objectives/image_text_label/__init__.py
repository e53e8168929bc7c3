"""Image-text-label contrast: UniCL, which learns from captions and class labels in one space.

Yang et al., "Unified Contrastive Learning in Image-Text-Label Space", CVPR 2022 (arXiv 2204.03610).
"""
