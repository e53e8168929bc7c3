"""Learned prompts.

Sources: Du et al., "Learning to Prompt for Open-Vocabulary Object Detection with Vision-Language
Model" (DetPro), CVPR 2022; Zhou et al., "Learning to Prompt for Vision-Language Models" (CoOp),
IJCV 2022.
"""

from ovdistill.vocabulary.learn.accuracy import accuracy_table
from ovdistill.vocabulary.learn.learn_vocabulary import learn_vocabulary
from ovdistill.vocabulary.learn.recipe import Recipe
from ovdistill.vocabulary.learn.samples import Samples

__all__ = [
    "Recipe",
    "Samples",
    "accuracy_table",
    "learn_vocabulary",
]
