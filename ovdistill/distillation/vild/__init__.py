"""ViLD: alignment with text embeddings and distillation of region embeddings.

Gu et al., "Open-vocabulary Object Detection via Vision and Language Knowledge Distillation", ICLR
2022.
"""
