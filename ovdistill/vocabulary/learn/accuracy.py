"""How often words name regions right, by how well the regions fit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ovdistill.vocabulary.learn.recipe import BINS
from ovdistill.vocabulary.learn.samples import Samples

EDGES = BINS["grades"]
REGIONS_A_PASS = 8192


def accuracy_table(embeddings: Mapping[str, Tensor], samples: Samples) -> str:
    """Top-1 accuracy among all words, in percent, as a Markdown table.

    Args:
        embeddings: (W, D) of the same words, by the name of their prompts.
        samples: regions of words, without background; labels are rows of the embeddings.
    """
    bins = samples.bins(EDGES)
    highs = (*EDGES[1:], 1)
    cells = [f"IoU {low} to {high}" for low, high in zip(EDGES, highs, strict=True)]
    counts = [str(int((bins == index).sum())) for index in range(len(EDGES))]
    lines = [["top-1, %", *cells, "all"], ["---"] * (len(cells) + 2)]
    for name, words in embeddings.items():
        found = [
            (part.float() @ words.T.cpu()).argmax(dim=1)
            for part in samples.embeddings.split(REGIONS_A_PASS)
        ]
        correct = torch.cat(found) == samples.labels
        parts = [correct[bins == index] for index in range(len(EDGES))]
        lines.append([name, *(_percent(part) for part in (*parts, correct))])
    lines.append(["regions", *counts, str(len(samples))])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _percent(correct: Tensor) -> str:
    return f"{100 * correct.float().mean():.1f}" if len(correct) else "-"
