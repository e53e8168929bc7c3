"""Splits of class names: base (labelled in training) and novel (known by their text only)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError

# OV-COCO, 48 base and 17 novel classes of COCO's 80 (OVR-CNN, Zareian et al. 2021; the split goes
# back to Bansal et al. 2018).
COCO_BASE = tuple(
    "person|bicycle|car|motorcycle|train|truck|boat|bench|bird|horse|sheep|bear|zebra|giraffe|"
    "backpack|handbag|suitcase|frisbee|skis|kite|surfboard|bottle|fork|spoon|bowl|banana|apple|"
    "sandwich|orange|broccoli|carrot|pizza|donut|chair|bed|toilet|tv|laptop|mouse|remote|"
    "microwave|oven|toaster|refrigerator|book|clock|vase|toothbrush".split("|")
)
COCO_NOVEL = tuple(
    "airplane|bus|cat|dog|cow|elephant|umbrella|tie|snowboard|skateboard|cup|knife|cake|couch|"
    "keyboard|sink|scissors".split("|")
)
# COCO's other 15, which are left out altogether: as classes they would compete for objects.
COCO_UNUSED = tuple(
    "traffic light|fire hydrant|stop sign|parking meter|sports ball|baseball bat|baseball glove|"
    "tennis racket|wine glass|hot dog|potted plant|dining table|cell phone|teddy bear|"
    "hair drier".split("|")
)
COCO_NAMES = tuple(
    "person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant|"
    "stop sign|parking meter|bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|"
    "backpack|umbrella|handbag|tie|suitcase|frisbee|skis|snowboard|sports ball|kite|baseball bat|"
    "baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork|knife|spoon|bowl|"
    "banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch|"
    "potted plant|bed|dining table|toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave|"
    "oven|toaster|sink|refrigerator|book|clock|vase|scissors|teddy bear|hair drier|"
    "toothbrush".split("|")
)  # COCO's 80, in the order of their ids
# PASCAL VOC's 20 for semantic segmentation, the last five of which are unseen (ZS3, Bucher et al.
# 2019, and SPNet, Xian et al. 2019; used by ZegFormer, MaskCLIP+ and others).
VOC_NOVEL = ("potted plant", "sheep", "sofa", "train", "tv monitor")
# COCO-Stuff's 171, of which 15 are unseen (SPNet, Xian et al. 2019).
STUFF_NOVEL = tuple(
    "cow|giraffe|suitcase|frisbee|skateboard|carrot|scissors|cardboard|clouds|grass|playing field|"
    "river|road|tree|wall concrete".split("|")
)
# Splits that are a list of novel names.
NOVEL_NAMES = {"voc-15": VOC_NOVEL, "stuff-156": STUFF_NOVEL}
# OVShapes, in the style of COCO's 48 / 17. "compositional" has exactly these counts: each held-out
# pair of pattern and shape is new, but both occur in base. "shape" is the hard one: three whole
# shapes are never in base, which makes 50 / 15.
OVSHAPES_NOVEL = {
    "shape": tuple(
        f"{pattern} {shape}"
        for pattern in ("solid", "striped", "dotted", "checkered", "outlined")
        for shape in ("hexagon", "heart", "arrow")
    ),
    "compositional": tuple(
        "solid circle|solid triangle|solid hexagon|solid arrow|striped circle|striped star|"
        "striped heart|dotted square|dotted star|dotted cross|dotted diamond|checkered square|"
        "checkered pentagon|checkered crescent|outlined triangle|outlined ring|"
        "outlined ellipse".split("|")
    ),
}
OVSHAPES_SPLITS = tuple(OVSHAPES_NOVEL)
RARE = "r"
SPLITS = ("lvis", "coco", "none", *NOVEL_NAMES)


def base_mask(
    names: Sequence[str],
    frequency: Sequence[str] | None = None,
    split: str | Sequence[str] = "lvis",
) -> Tensor:
    """Return which class names are base: True for base, False for novel.

    Args:
        names: W class names.
        frequency: "f", "c" or "r" of each name; needed by "lvis".
        split: "lvis" (rare classes are novel), "coco" (the 48/17 split), "voc-15" and "stuff-156"
            (segmentation: 5 of VOC's 20 and 15 of COCO-Stuff's 171 are novel), "none" (all are
            base), or the novel names themselves.

    Returns:
        (W,) bool.

    Raises:
        UserError: an unknown split, no frequencies for "lvis", a name outside of the 65 of
            "coco", or a novel name that is not among ``names``.
    """
    if split == "none":
        return torch.ones(len(names), dtype=torch.bool)
    if split == "lvis":
        if frequency is None:
            raise UserError(
                "split 'lvis' without frequencies; expected names from an LVIS annotation file, "
                "whose categories say 'frequency': 'f', 'c' or 'r'"
            )
        return torch.tensor([group != RARE for group in frequency], dtype=torch.bool)
    if split == "coco":
        known = {*COCO_BASE, *COCO_NOVEL}
        if unknown := [name for name in names if clean_name(name) not in known]:
            raise UserError(
                f"{len(unknown)} names are not in the 48 + 17 of split 'coco': "
                f"{', '.join(unknown[:5])}; expected the 65 names (ovdistill.vocabulary.splits)"
            )
        return torch.tensor([clean_name(name) in COCO_BASE for name in names], dtype=torch.bool)
    if isinstance(split, str) and split in NOVEL_NAMES:
        split = NOVEL_NAMES[split]
    if isinstance(split, str):
        raise UserError(
            f"unknown split {split!r}; expected one of: {', '.join(SPLITS)}, or a list of names"
        )
    cleaned = [clean_name(name) for name in names]
    novel = {clean_name(name) for name in split}
    if missing := sorted(novel.difference(cleaned)):
        raise UserError(
            f"novel names that are not in the vocabulary: {', '.join(missing[:5])}; "
            f"expected some of its {len(names)} names, or a split: {', '.join(SPLITS)}"
        )
    return torch.tensor([name not in novel for name in cleaned], dtype=torch.bool)
