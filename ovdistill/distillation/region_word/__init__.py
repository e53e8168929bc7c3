"""Region-word alignment with one sigmoid for each class name or token, and with captions.

Li et al., "Grounded Language-Image Pre-training", CVPR 2022; Zhou et al., "Detecting
Twenty-thousand Classes using Image-level Supervision", ECCV 2022.
"""
