"""Image-text contrast: CLIP's objective.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021
(arXiv 2103.00020); Jia et al., ALIGN, ICML 2021 (arXiv 2102.05918).
"""
