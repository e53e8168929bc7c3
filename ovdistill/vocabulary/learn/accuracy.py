"""Measures how often text embeddings give regions the right class, by IoU of the regions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ovdistill.core.markdown import markdown_table
from ovdistill.vocabulary.learn.recipe import BINS
from ovdistill.vocabulary.learn.samples import Samples

EDGES = BINS["grades"]
REGIONS_PER_PASS = 8192


def accuracy_table(embeddings: Mapping[str, Tensor], samples: Samples) -> str:
    """Return the top-1 accuracy among all classes, in percent, as a Markdown table.

    Args:
        embeddings: (W, D) text embeddings of the same W class names, by the title of their row.
        samples: regions with their classes, without background; labels are rows of the embeddings.
    """
    bins = samples.bins(EDGES)
    highs = (*EDGES[1:], 1)
    cells = [f"IoU {low} to {high}" for low, high in zip(EDGES, highs, strict=True)]
    counts = [str(int((bins == index).sum())) for index in range(len(EDGES))]
    rows = []
    for title, class_embeddings in embeddings.items():
        found = [
            (regions.float() @ class_embeddings.T.cpu()).argmax(dim=1)
            for regions in samples.embeddings.split(REGIONS_PER_PASS)
        ]
        correct = torch.cat(found) == samples.labels
        groups = [correct[bins == index] for index in range(len(EDGES))]
        rows.append([title, *(_percent(group) for group in (*groups, correct))])
    rows.append(["regions", *counts, str(len(samples))])
    return markdown_table(["top-1, %", *cells, "all"], rows)


def _percent(correct: Tensor) -> str:
    return f"{100 * correct.float().mean():.1f}" if len(correct) else "-"
