"""Names of refined boxes.

A proposal often holds a part of an object, or much beside it, and names for such boxes are worse
than for boxes that fit: the teacher itself names 96.5 % of OVShapes' novel objects by their true
box, and 92.2 % by a jittered one. The corrected box fits better, so the box head looks at that one
too (``second_look.py``).

On OVShapes (split shape, geometry clip, val, one seed, the same weights with and without), for
boxes that are regressed but not corrected: novel box AP 43.2 to 48.4 and base 72.3 to 74.5 with
Vouch, 57.3 to 62.1 and 79.0 to 80.1 with the terms of ``best_r18_shapes``.

Shapes: R boxes, W class names.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rename(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return the scores of proposals with the names that their refined boxes have.

    How surely a box holds an object at all remains that of the proposal: proposals near an object
    are regressed best, and the second look, which sees refined boxes only, cannot tell them from
    the others. What is mixed is which class it is, as a weighted geometric mean.

    Args:
        first: (R, W + 1) log-probabilities of the proposals, the background last. Those of sigmoids
            may add up to more than 1, and their scores end at 1.
        second: (R, W + 1) those of the refined boxes.
        share: of the second look in the names, in [0, 1].

    Returns:
        (R, W + 1) log-scores: ``log p1(object) + (1 - share) log p1(w | object) + share log p2(w |
        object)``, and the background of ``first``. Two looks that disagree lower each other.
    """
    names = torch.lerp(_names(first), _names(second), share)
    objects = of_any_class(first)[:, None]
    return torch.cat([(objects + names).clamp(max=0), first[:, -1:]], dim=1)


def of_any_class(log_scores: Tensor) -> Tensor:
    """Return the (R,) log of the sum of the scores of all classes.

    torch's ``logsumexp`` asks whether there are any rows, which a graph for export cannot answer.

    Args:
        log_scores: (R, W + 1), the background last.
    """
    classes = log_scores[:, :-1]
    largest = classes.amax(dim=1, keepdim=True).clamp(min=torch.finfo(classes.dtype).min)
    return (classes - largest).exp().sum(dim=1).log() + largest[:, 0]


def _names(log_scores: Tensor) -> Tensor:
    """Return the (R, W) log-probabilities of the classes, given that the box holds an object."""
    return log_scores[:, :-1].log_softmax(dim=1)
