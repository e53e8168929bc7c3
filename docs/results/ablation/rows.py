"""The parts of Vouch, alone and with one another, as rows of the comparison; Vouch itself ships.

From the root of the repository:

    PYTHONPATH=docs/results/ablation ovdistill compare --rows docs/results/ablation/rows.py \
        -o work_dirs/ablation       # --split compositional, --geometry plain
"""

from pathlib import Path

from ovdistill.evaluation.comparison_rows import Row

CONFIG = str(Path(__file__).parent / "ablation_r18_shapes.py")
OBJECTNESS = ("model.distillers.0.loss_weight=0", "model.distillers.1.image_weight=0.5")
SOFTENED = ("model.distillers.1.soften=1",)
CONSTANT = ("model.roi_head.bbox_head.loss_cls.background_weight=0.2",)
CONTEST = ("model.distillers.2.loss_weight=1",)

ROWS = [
    Row("objectness", "ViLD + objectness weight", CONFIG, OBJECTNESS),
    Row("softened", "ViLD + softened background", CONFIG, SOFTENED),
    Row("constant", "ViLD + constant background weight 0.2", CONFIG, CONSTANT),
    Row("contest", "ViLD + contest", CONFIG, CONTEST),
    Row(
        "objectness_constant",
        "ViLD + objectness weight + constant background weight",
        CONFIG,
        OBJECTNESS + CONSTANT,
    ),
    Row(
        "vouch_contest",
        "ViLD + objectness weight + softened background + contest (Vouch before)",
        CONFIG,
        OBJECTNESS + SOFTENED + CONTEST,
    ),
    Row(
        "constant_contest",
        "ViLD + objectness weight + constant background weight + contest",
        CONFIG,
        OBJECTNESS + CONSTANT + CONTEST,
    ),
]
