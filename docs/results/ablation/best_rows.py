"""The best recipe without one of its parts, and others at its length, as rows of the comparison.

From the root of the repository:

    ovdistill compare --rows best docs/results/ablation/best_rows.py -o work_dirs/best
"""

from ovdistill.evaluation.comparison_rows import LONGER, Row

ROWS = [
    Row(
        "best_without_queue",
        "best, without the queue",
        "best_r18_shapes",
        ("model.distillers.1.loss_weight=0",),
        geometries=("clip",),
    ),
    Row("vouch_long", "Vouch, 2500 iterations", "vouch_r18_shapes", LONGER),
    Row("vild_long", "ViLD, 2500 iterations", "vild_r18_shapes", LONGER),
    Row("oracle_long", "oracle, 2500 iterations", "oracle_r18_shapes", LONGER),
]
