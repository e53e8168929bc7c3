"""The new images and the new names alone, without distillation."""

_base_ = ["plain_r18_shapes.py"]

vocabulary = "{new_root}/vocabulary_new.safetensors"
prepare = dict(
    # a novel class takes no part in training: only the new names are in the softmax
    vocabulary=dict(split=[*_base_.old_names, *_base_.novel_names])
)
