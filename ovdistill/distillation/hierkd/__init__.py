"""HierKD: hierarchical distillation of captions and labelled regions.

Ma et al., "Open-Vocabulary One-Stage Detection with Hierarchical Visual-Language Knowledge
Distillation", CVPR 2022.
"""
