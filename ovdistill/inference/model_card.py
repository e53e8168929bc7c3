"""The README.md of a published detector, with the header that model hubs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovdistill.core.text import printable
from ovdistill.vocabulary import Vocabulary

# flat key of metrics.json: what it is called in the table
COLUMNS = {
    "AP": "AP",
    "AP_base": "AP base",
    "AP_novel": "AP novel",
    "AP50_novel": "AP50 novel",
    "APr": "APr",
    "HM50": "HM50",
}
KINDS = {"bbox": "boxes", "segm": "masks"}
MOST_NAMES = 20

CARD = """---
library_name: ovdistill
pipeline_tag: zero-shot-object-detection
tags: [open-vocabulary-detection, instance-segmentation, knowledge-distillation, clip]
{license_line}---

# {title}

An open-vocabulary detector, trained with [ovdistill](https://github.com/ovdistill/ovdistill) by
distilling the teacher {teacher}. Classes are text and can be changed:

```python
from ovdistill import Detector

detector = Detector.from_pretrained("FOLDER_OR_REPOSITORY")
detections = detector.predict("image.jpg", "{example}")
```

## Classes of the training

{base} base classes, which were labelled: {base_names}.

{novel} novel classes, which were not: {novel_names}.

## Results

{results}

## Limits

It looks for what its teacher knows the words of, in images like those of its training. A score is
the probability that a detection is right only on images like those that it was calibrated on
(`ovdistill calibrate`), if it was.

## Licence

{license}
"""


def model_card(
    title: str, vocabulary: Vocabulary, metrics: Mapping[str, float], license: str
) -> str:
    """Return the text of a model card in Markdown.

    Args:
        title: name of the recipe.
        vocabulary: class names of the training.
        metrics: figures of `ovdistill test`, by flat key; may be empty.
        license: SPDX identifier, or the text of a licence, or "".
    """
    whole_text = "\n" in license
    line = f"license: {'other' if whole_text else license}\n" if license else ""
    labelled = vocabulary.is_base.tolist()
    base = [name for name, own in zip(vocabulary.names, labelled, strict=True) if own]
    novel = [name for name, own in zip(vocabulary.names, labelled, strict=True) if not own]
    return CARD.format(
        license_line=line,
        title=printable(title).removesuffix(".py"),
        teacher=printable(str(vocabulary.teacher)),
        example=", ".join(map(printable, vocabulary.names[:2])).replace('"', ""),
        base=len(base),
        base_names=_some(base),
        novel=len(novel),
        novel_names=_some(novel),
        results=_table(metrics),
        license="See the file LICENSE." if whole_text else license or "No licence was stated.",
    )


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(map(printable, names[:MOST_NAMES])) or "none"
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _table(metrics: Mapping[str, float]) -> str:
    """Return a Markdown table of the figures that are there, or a sentence that there are none."""
    keys = [key for key in COLUMNS if any(f"{kind}/{key}" in metrics for kind in KINDS)]
    if not keys:
        return "Not given: `ovdistill test` measures them, and `publish --metrics` takes them over."
    rows = [
        "| in percent | " + " | ".join(COLUMNS[key] for key in keys) + " |",
        "|---|" + "---:|" * len(keys),
    ]
    for kind, title in KINDS.items():
        values = [metrics.get(f"{kind}/{key}") for key in keys]
        if any(value is not None for value in values):
            cells = ["-" if value is None else f"{value:.1f}" for value in values]
            rows.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(rows)
