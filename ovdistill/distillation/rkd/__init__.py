"""RKD: region-based distillation, pseudo labels and weight transfer.

Rasheed et al., "Bridging the Gap between Object and Image-level Representations for Open-Vocabulary
Detection", NeurIPS 2022.
"""
