"""CLIPSelf: refine a teacher's dense features by its own embeddings of crops.

Wu et al., "CLIPSelf: Vision Transformer Distills Itself for Open-Vocabulary Dense Prediction",
arXiv 2310.01403. Needs images only: no labels, no boxes, no texts.
"""
