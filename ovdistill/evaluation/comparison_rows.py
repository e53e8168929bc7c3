"""The rows of a comparison: how each method is trained and tested."""

from __future__ import annotations

import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.errors import UserError

# Without the gap cosines differ seven times as much. Chosen on val over 0.02 and 0.05.
PLAIN_TEMPERATURE = "model.roi_head.bbox_head.cls_predictor_cfg.temperature=0.07"
ATSS_PLAIN = ("model.bbox_head.cls_predictor_cfg.temperature=0.07",)
ENSEMBLE_PLAIN = (
    PLAIN_TEMPERATURE,
    "model.roi_head.image_head.cls_predictor_cfg.temperature=0.07",
)

LONGER = ("train_cfg.max_iters=2500", "param_scheduler.1.end=2500")

# The hard variant: a teacher with CLIP's gap that finds four of ten names, and regions of a plain
# RPN, a fifth of them on objects.
HARD = (
    "geometry=weak",
    "regions={data_root}/{split}/hard/regions",
    "prepare.proposals.network=rpn_r18_shapes.py",
    "prepare.regions.per_image=30",
    "train_dataloader.dataset.pipeline.2.max_regions=30",
)


@dataclass(frozen=True)
class Row:
    """One method of the comparison.

    Attributes:
        name: identifies the row, and names the folder of its runs.
        title: the name of the method in the table.
        config: a config file, or the name of a shipped recipe.
        options: ``key=value`` overrides of the config.
        plain: further overrides for the teacher without a gap.
        novel_captions: the training captions name objects of novel classes.
        trained_as: name of the row whose checkpoint is tested, without a training of its own; or
            None.
        starts_from: name of the row whose checkpoint the training starts from, or None.
        starts_as: the config's key that takes this checkpoint: 'load_from', or one of its own, such
            as the 'detector' of maskword_r18_shapes.
        before: overrides that let the row be prepared while this checkpoint is not there yet.
        test_flags: further arguments of ``ovdistill test``.
        geometries: the geometries of the teacher that the row is made for, see ``GEOMETRIES`` of
            ``ovdistill.evaluation.comparison``.
    """

    name: str
    title: str
    config: str
    options: tuple[str, ...] = ()
    plain: tuple[str, ...] = (PLAIN_TEMPERATURE,)
    novel_captions: bool = False
    trained_as: str | None = None
    starts_from: str | None = None
    starts_as: str = "load_from"
    before: tuple[str, ...] = ("load_from=None",)
    test_flags: tuple[str, ...] = ()
    geometries: tuple[str, ...] = ("clip", "plain", "hard")

    @property
    def builds_on(self) -> str | None:
        """The row whose checkpoint this one needs; None if it needs none."""
        return self.trained_as or self.starts_from


# "text only" sends the distillation regions through its head too, with a loss weight of zero, so
# that all rows cost the same compute.
ROWS = (
    Row("text", "text only", "vild_r18_shapes", ("model.distillers.0.loss_weight=0",)),
    Row("vild_image", "ViLD-image", "vild_image_r18_shapes"),
    Row("vild", "ViLD", "vild_r18_shapes"),
    Row("vild_ensemble", "ViLD-ensemble", "vild_ensemble_r18_shapes", plain=ENSEMBLE_PLAIN),
    Row("hierkd", "HierKD, two-stage", "hierkd_r18_shapes", novel_captions=True),
    Row(
        "text_atss",
        "text only, ATSS",
        "hierkd_atss_r18_shapes",
        ("model.distillers.0.loss_weight=0", "model.distillers.1.loss_weight=0"),
        ATSS_PLAIN,
    ),
    Row(
        "hierkd_atss",
        "HierKD, ATSS",
        "hierkd_atss_r18_shapes",
        plain=ATSS_PLAIN,
        novel_captions=True,
    ),
    # RKD's point loss, as its paper defines it, is ViLD's image loss with the same weight, so the
    # two rows share one training
    Row(
        "rkd_point",
        "RKD, points",
        "rkd_r18_shapes",
        ("model.distillers.0.relation_weight=0",),
        trained_as="vild",
    ),
    Row("rkd", "RKD, points + relations", "rkd_r18_shapes"),
    Row("rkd_pseudo", "RKD + pseudo labels", "rkd_pseudo_r18_shapes", novel_captions=True),
    Row(
        "rkd_transfer",
        "RKD + pseudo labels + transfer, a second training",
        "rkd_transfer_r18_shapes",
        novel_captions=True,
        starts_from="rkd",
    ),
    Row("vouch", "Vouch (ours)", "vouch_r18_shapes"),
    Row("combined", "combined: Vouch + RKD's relations", "ovdistill_r18_shapes"),
    Row(
        "text_crops",
        "text only + teacher on crops",
        "vild_r18_shapes",
        ("model.distillers.0.loss_weight=0",),
        trained_as="text",
        test_flags=("--teacher-on-crops",),
    ),
    Row(
        "combined_crops",
        "combined + teacher on crops",
        "ovdistill_r18_shapes",
        trained_as="combined",
        test_flags=("--teacher-on-crops",),
    ),
    Row(
        "best",
        "best: Vouch + queue, gap mapped away, 2500 iterations",
        "best_r18_shapes",
        geometries=("clip",),
    ),
    Row(
        "text_long",
        "text only, 2500 iterations",
        "vild_r18_shapes",
        ("model.distillers.0.loss_weight=0", *LONGER),
    ),
    Row("oracle", "oracle: all classes labelled", "oracle_r18_shapes"),
)


def trained_by(name: str, rows: Mapping[str, Row]) -> str:
    """Return the row whose training gives a row's checkpoint: itself, or the end of ``trained_as``.

    Args:
        name: of the row.
        rows: rows by name; one that is not among them has its own checkpoint.
    """
    while name in rows and (other := rows[name].trained_as):
        name = other
    return name


def load_rows(path: str | Path) -> tuple[Row, ...]:
    """Read rows from a Python file of the user's; the file is executed, as configs are.

    Args:
        path: a file that assigns ``ROWS``, a sequence of ``Row``.

    Raises:
        UserError: no such file, or no rows in it.
    """
    if not Path(path).is_file():
        raise UserError(
            f"no file {path}; expected a Python file that assigns ROWS (docs/own_term.md)"
        )
    rows = runpy.run_path(str(path)).get("ROWS")
    if not isinstance(rows, Sequence) or not all(isinstance(row, Row) for row in rows) or not rows:
        raise UserError(
            f"{path} has no ROWS; expected ROWS = [Row(...), ...] with Row of "
            "ovdistill.evaluation.comparison_rows"
        )
    return tuple(rows)


def pick_rows(names: Sequence[str], geometry: str = "clip") -> list[Row]:
    """Return the rows that a user names: those of files first, then shipped rows in table order.

    Args:
        names: names of shipped rows, or Python files with further rows (see ``load_rows``). Empty:
            all shipped rows of the geometry.
        geometry: of the teacher's embeddings.

    Raises:
        UserError: an unknown name, also of a row that another builds on, a row that builds on
            itself, one of another geometry, a bad file, or two rows of the same name (shipped ones
            count).
    """
    own = [row for name in names if name.endswith(".py") for row in load_rows(name)]
    wanted = [name for name in names if not name.endswith(".py")]
    known = [row.name for row in ROWS]
    if unknown := sorted(set(wanted) - set(known)):
        raise UserError(
            f"got row {unknown[0]!r}; expected a Python file with rows, or one of: "
            f"{', '.join(known)}"
        )
    chosen = [row for row in ROWS if row not in own and row.name in wanted]
    if not names:
        chosen = [row for row in ROWS if geometry in row.geometries]
    rows = [*own, *chosen]
    for row in rows:
        if geometry not in row.geometries:
            raise UserError(
                f"row {row.name!r} is made for geometry {', '.join(row.geometries)}; "
                f"got --geometry {geometry}"
            )
    # shipped rows with results are in the table too, whether they are chosen or not
    taken = [row.name for row in (*rows, *(row for row in ROWS if row not in rows))]
    if repeated := [name for name in taken if taken.count(name) > 1]:
        raise UserError(f"two rows have the name {repeated[0]!r}; expected a name for each row")
    _check_builds(rows)
    return rows


def _check_builds(rows: Sequence[Row]) -> None:
    """Raise UserError unless every row builds on rows that there are, and in the end on none."""
    by_name = {row.name: row for row in (*ROWS, *rows)}
    for row in rows:
        chain, last = [row.name], row
        while last.builds_on:
            if last.builds_on not in by_name:
                raise UserError(
                    f"row {last.name!r} builds on {last.builds_on!r} (trained_as, starts_from), "
                    f"which is no row; expected one of: {', '.join(by_name)}"
                )
            last = by_name[last.builds_on]
            chain.append(last.name)
            if chain.count(last.name) > 1:
                raise UserError(
                    f"row {row.name!r} builds on itself (trained_as, starts_from): "
                    f"{' on '.join(chain)}; expected a row in the end that builds on none"
                )
