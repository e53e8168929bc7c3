"""The formulas of segmentation by words on plain tensors: these files import torch only."""
