"""Alignment by sigmoids, of tokens or of names, with the teacher's gap and without it, as rows.

From the root of the repository:

    ovdistill compare --rows docs/results/region_word/rows.py --seeds 1 -o work_dirs/region_word
"""

from pathlib import Path

from ovdistill.evaluation.comparison_rows import Row

TOKEN_VOUCH = str(Path(__file__).parent / "token_vouch_r18_shapes.py")
TEMPERATURE = "model.roi_head.bbox_head.cls_predictor_cfg.temperature={}"
MAPS = "[ovshapes-clip,ovshapes-clip-directions-{split}]"

ROWS = [
    Row(
        "token",
        "ViLD, a sigmoid a token, gap mapped away",
        "token_r18_shapes",
        geometries=("clip",),
    ),
    Row(
        "token_gap",
        "ViLD, a sigmoid a token, with the gap",
        "token_r18_shapes",
        (
            "teacher.embedding_map=ovshapes-clip",
            "regions={data_root}/{split}/clip/regions",
            "vocabulary={data_root}/{split}/clip/vocabulary_tokens.safetensors",
            TEMPERATURE.format(0.01),
        ),
        geometries=("clip",),
    ),
    Row(
        "token_vouch",
        "Vouch, a sigmoid a token, gap mapped away",
        TOKEN_VOUCH,
        geometries=("clip",),
    ),
    Row("focal", "ViLD, a sigmoid a name, with the gap", "focal_r18_shapes", geometries=("clip",)),
    Row(
        "focal_no_gap",
        "ViLD, a sigmoid a name, gap mapped away",
        "focal_r18_shapes",
        (
            f"teacher.embedding_map={MAPS}",
            "regions={data_root}/{split}/clip-directions/regions",
            "vocabulary={data_root}/{split}/clip-directions/vocabulary.safetensors",
            TEMPERATURE.format(0.07),
        ),
        geometries=("clip",),
    ),
]
