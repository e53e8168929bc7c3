"""Learned prompts: Du et al., "Learning to Prompt for Open-Vocabulary Object Detection with
Vision-Language Model" (DetPro), CVPR 2022; Zhou et al., "Learning to Prompt for Vision-Language
Models" (CoOp), IJCV 2022."""

from ovdistill.vocabulary.learn.accuracy import accuracy_table
from ovdistill.vocabulary.learn.recipe import Recipe
from ovdistill.vocabulary.learn.samples import Samples, read_samples, split_images
from ovdistill.vocabulary.learn.words import learn_vocabulary

__all__ = [
    "Recipe",
    "Samples",
    "accuracy_table",
    "learn_vocabulary",
    "read_samples",
    "split_images",
]
