"""A linear probe: how well labels could tell the classes apart in the teacher's embeddings.

Multinomial logistic regression on the embeddings of objects, with labels of base and novel classes
alike. Where the probe is good and the names are not, the images hold what is needed and the
texts (names, prompts) do not say it. Where the probe is bad too, no prompt helps.

Shapes: n objects, C classes that have objects, D embedding width.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.logs import progress
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.shares import Share, share_of

# factors of half the squared weights, beside the mean cross-entropy; the strongest first
PENALTIES = (1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
FIT, CHOOSE = 0.6, 0.2  # shares of the images; the rest is measured on
MOST_OBJECTS = 50_000
LEAST_IMAGES = 10
ITERATIONS = 100  # of L-BFGS for each penalty


@dataclass(frozen=True)
class Probe:
    """Accuracy of a linear probe on objects of images that it has not seen.

    Attributes:
        fitted: objects that it was fitted to, the penalty already chosen.
        classes: C, the classes of these.
        penalty: the chosen one.
        everything: top-1 share of the held-out objects.
        base: of those of base classes.
        novel: of those of novel classes, which the probe has labels of.
        unseen: held-out objects that are left out, since no object of their class was fitted.
    """

    fitted: int
    classes: int
    penalty: float
    everything: Share
    base: Share
    novel: Share
    unseen: int


def measure_probe(
    objects: TrueObjects,
    is_base: Tensor,
    seed: int = 0,
    device: torch.device | str = "cpu",
    to_fit: TrueObjects | None = None,
) -> Probe | None:
    """Fit and measure a linear probe.

    Images are drawn into three parts that share none: weights are fitted on the first for each
    penalty, the second chooses the penalty, then both are fitted together and the third is
    measured. Where there are objects to fit it to, the first two parts are drawn of these, and all
    others are measured.

    Args:
        objects: the objects; of more than ``MOST_OBJECTS`` those of some images are used.
        is_base: (W,) bool.
        seed: of the parts.
        device: where it is fitted.
        to_fit: objects of other images to fit it to.

    Returns:
        None if there are fewer than ``LEAST_IMAGES`` images or two classes to fit it to.
    """
    if to_fit is None:
        parts = _split(objects.image_ids, (FIT, CHOOSE), seed)
    elif parts := _split(to_fit.image_ids, (FIT / (FIT + CHOOSE),), seed):
        parts.append(torch.arange(len(objects)) + len(to_fit))
        objects = _joined(to_fit, objects)
    if parts is None:
        return None
    fit, choose, held_out = parts
    both = torch.cat([fit, choose])
    if len(objects.labels[fit].unique()) < 2:
        return None
    features = _scaled(objects.embeddings, fit).to(device)
    labels = objects.labels.to(device)
    penalty = _choose_penalty(features, labels, fit, choose)
    model = _Model(features[both], labels[both])
    model.fit(penalty)
    seen = model.knows(labels[held_out]).cpu()
    tested = held_out[seen]
    right = (model.predict(features[tested]) == labels[tested]).cpu()
    base = is_base[objects.labels[tested]]
    return Probe(
        fitted=len(both),
        classes=len(model.classes),
        penalty=penalty,
        everything=share_of(right),
        base=share_of(right[base]),
        novel=share_of(right[~base]),
        unseen=int((~seen).sum()),
    )


def _choose_penalty(features: Tensor, labels: Tensor, fit: Tensor, choose: Tensor) -> float:
    """Return the penalty of the best accuracy on ``choose``, of equals the strongest."""
    model = _Model(features[fit], labels[fit])
    right = []
    for penalty in progress(PENALTIES, title="linear probe", unit="penalty", leave=False):
        model.fit(penalty)  # from the weights of the penalty before
        right.append(int((model.predict(features[choose]) == labels[choose]).sum()))
    return PENALTIES[right.index(max(right))]


class _Model:
    """Logistic regression of n objects; the weights start at zero.

    Args:
        features: (n, D).
        labels: (n,) int64, rows of the vocabulary.
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        self.features = features
        self.classes, self.targets = labels.unique(return_inverse=True)
        self.weight = features.new_zeros(features.shape[1], len(self.classes))
        self.bias = features.new_zeros(len(self.classes))

    def fit(self, penalty: float) -> None:
        """Minimise mean cross-entropy + penalty / 2 |weight|^2, from where the weights are."""
        for value in (self.weight, self.bias):
            value.requires_grad_()
        optimizer = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(self.features @ self.weight + self.bias, self.targets)
            loss = loss + penalty / 2 * self.weight.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        self.weight, self.bias = self.weight.detach(), self.bias.detach()

    def predict(self, features: Tensor) -> Tensor:
        """Return (n,) int64 rows of the vocabulary."""
        return self.classes[(features @ self.weight + self.bias).argmax(dim=1)]

    def knows(self, labels: Tensor) -> Tensor:
        """Return (n,) bool: whether an object of each label was fitted."""
        return torch.isin(labels, self.classes)


def _split(image_ids: Tensor, shares: Sequence[float], seed: int) -> list[Tensor] | None:
    """Return the rows of objects in parts of the images; no image is in two.

    Args:
        image_ids: (n,) int64, image of each object.
        shares: of the images in each part but the last, which has the rest.
        seed: of the drawing.

    Returns:
        None for too few images.
    """
    images, image, counts = image_ids.unique(return_inverse=True, return_counts=True)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(len(images), generator=generator)
    drawn = drawn[counts[drawn].cumsum(0) <= MOST_OBJECTS]
    if len(drawn) < LEAST_IMAGES:
        return None
    ends = [round(share * len(drawn)) for share in itertools.accumulate(shares)]
    return [torch.isin(image, part).nonzero().flatten() for part in drawn.tensor_split(ends)]


def _joined(first: TrueObjects, second: TrueObjects) -> TrueObjects:
    """Return the objects of two sets of images; the ids of images mean nothing any more."""
    fields = (f.name for f in dataclasses.fields(TrueObjects))
    return TrueObjects(
        **{name: torch.cat([getattr(first, name), getattr(second, name)]) for name in fields}
    )


def _scaled(embeddings: Tensor, fit: Tensor) -> Tensor:
    """Return (n, D) embeddings about their mean, with a mean square of 1 over all D.

    The offset that all embeddings share would otherwise need large weights, and a penalty would
    mean something else for every teacher.
    """
    centred = embeddings.float() - embeddings[fit].float().mean(dim=0)
    scale = centred[fit].square().mean().sqrt()
    return centred / scale.clamp(min=1e-12)
