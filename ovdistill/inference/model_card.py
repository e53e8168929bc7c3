"""The README.md of a published detector or segmentor, with the header that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovdistill.core.markdown import markdown_table
from ovdistill.core.text import printable
from ovdistill.vocabulary import Vocabulary

MOST_NAMES = 20
# the model hub's identifiers of licences, https://huggingface.co/docs/hub/repositories-licenses
HUB_LICENSES = frozenset(
    """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
    bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause
    bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
    cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research
    intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0
    openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr
    deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2
    llama3.3 llama4 gemma unknown other
    """.split()
)


@dataclass(frozen=True)
class Kind:
    """What a card says of a kind of model.

    Attributes:
        noun: what it is called.
        task: of the model hub.
        tags: further ones.
        example: two lines of Python, with ``{names}``.
        limit: what its scores are.
        columns: flat key of metrics.json without its kind: what it is called in the table.
        rows: kind of the figures: what it is called in the table.
    """

    noun: str
    task: str
    tags: str
    example: str
    limit: str
    columns: Mapping[str, str]
    rows: Mapping[str, str]


DETECTOR = Kind(
    noun="detector",
    task="zero-shot-object-detection",
    tags="open-vocabulary-detection, instance-segmentation",
    example="""from ovdistill import Detector

detector = Detector.from_pretrained("FOLDER_OR_REPOSITORY")
detections = detector.predict("image.jpg", "{names}")""",
    limit="""A score is
the probability that a detection is right only on images like those that it was calibrated on
(`ovdistill calibrate`), if it was.""",
    columns={
        "AP": "AP",
        "AP_base": "AP base",
        "AP_novel": "AP novel",
        "AP50_novel": "AP50 novel",
        "APr": "APr",
        "HM50": "HM50",
    },
    rows={"bbox": "boxes", "segm": "masks"},
)
SEGMENTOR = Kind(
    noun="segmentor",
    task="image-segmentation",
    tags="open-vocabulary-segmentation, semantic-segmentation",
    example="""from ovdistill import Segmentor

segmentor = Segmentor.from_pretrained("FOLDER_OR_REPOSITORY")
result = segmentor.predict("image.jpg", "{names}")""",
    limit="""Every pixel
gets the name that fits best, of those that are asked for and those of the training, so a wrong name
may stand where none is right.""",
    columns={"mIoU": "mIoU", "sIoU": "IoU base", "uIoU": "IoU novel", "hIoU": "hIoU"},
    rows={"semantic": "label maps"},
)

CARD = """---
library_name: ovdistill
pipeline_tag: {task}
tags: [{tags}, knowledge-distillation, clip]
{license_line}---

# {title}

An open-vocabulary {noun}, trained with [ovdistill](https://github.com/ovdistill/ovdistill) by
distilling the teacher {teacher}. Classes are text and can be changed:

```python
{example}
```

## Classes of the training

{base} base classes, which were labelled: {base_names}.

{novel} novel classes, which were not: {novel_names}.

## Results

{results}

## Limits

It looks for what its teacher knows the words of, in images like those of its training. {limit}

## Licence

{license}
"""


def model_card(
    kind: Kind, title: str, vocabulary: Vocabulary, metrics: Mapping[str, float], license: str
) -> str:
    """Return the text of a model card in Markdown.

    Args:
        kind: of the model.
        title: name of the recipe.
        vocabulary: class names of the training.
        metrics: figures of `ovdistill test`, by flat key; may be empty.
        license: SPDX identifier, or the text of a licence, or "".
    """
    whole_text = "\n" in license
    labelled = vocabulary.is_base.tolist()
    base = [name for name, own in zip(vocabulary.names, labelled, strict=True) if own]
    novel = [name for name, own in zip(vocabulary.names, labelled, strict=True) if not own]
    names = ", ".join(map(printable, vocabulary.names[:2])).replace('"', "")
    return CARD.format(
        license_line=_license_lines(license),
        noun=kind.noun,
        task=kind.task,
        tags=kind.tags,
        limit=kind.limit,
        title=printable(title).removesuffix(".py"),
        teacher=printable(str(vocabulary.teacher)),
        example=kind.example.format(names=names),
        base=len(base),
        base_names=_some(base),
        novel=len(novel),
        novel_names=_some(novel),
        results=_table(kind, metrics),
        license="See the file LICENSE." if whole_text else license or "No licence was stated.",
    )


def _license_lines(license: str) -> str:
    """Return a licence as the header of a card has it: an identifier of the hub, or "other"."""
    if not license:
        return ""
    own = license.lower()
    if own in HUB_LICENSES:
        return f"license: {own}\n"
    name = "" if "\n" in own else f"license_name: {json.dumps(own)}\n"
    return f"license: other\n{name}"


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(map(printable, names[:MOST_NAMES])) or "none"
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _table(kind: Kind, metrics: Mapping[str, float]) -> str:
    """Return a Markdown table of the figures that are there, or a sentence that there are none."""
    columns = kind.columns
    keys = [key for key in columns if any(f"{row}/{key}" in metrics for row in kind.rows)]
    if not keys:
        return "Not given: `ovdistill test` measures them, and `publish --metrics` takes them over."
    rows = []
    for row, title in kind.rows.items():
        values = [metrics.get(f"{row}/{key}") for key in keys]
        if any(value is not None for value in values):
            cells = ["-" if value is None else f"{value:.1f}" for value in values]
            rows.append([title, *cells])
    return markdown_table(["in percent", *(columns[key] for key in keys)], rows)
