"""The text of a config for a user's own data, on top of a shipped recipe."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from ovdistill.commands.dataset_schedule import MIN_ITERATIONS, Schedule
from ovdistill.core.errors import UserError
from ovdistill.core.python_text import docstring, fill
from ovdistill.datasets.survey import Survey

DESCRIPTION = Template("""$name: $names class names, $novel of them novel.

Written by `ovdistill init-dataset`. Commands (the first makes what is missing: vocabulary, proposal
network, regions):

$commands

Schedule, for one GPU: $epochs epochs of $images images, at least $least iterations; the learning
rate of $recipe, scaled by the batch; it falls at 90, 95 and 97.5 %.
Cost and result: not measured.
""")
HEAD = Template("""

_base_ = [$base]

data_root = $root
train_ann = $train_ann
val_ann = $val_ann
cache = $cache
vocabulary = "{cache}/vocabulary.safetensors"
proposals = "{cache}/proposals.pth"
regions = $regions
train_data = dict(
    data_root="{data_root}",
    ann_file="{train_ann}",
    data_prefix=dict(img=$train_images),
)

novel = $novel
prepare = dict(
    data=None,  # nothing is drawn, whatever the recipe
    vocabulary=dict(names="{data_root}/{train_ann}", split=novel),
)
""")
PROPOSALS = Template("""prepare["proposals"] = dict(
    network=$network,
    checkpoint="{proposals}",
    published=None,
    train=True,
    options=dict(
        train_dataloader=dict(batch_size=$batch, dataset=train_data),
        train_cfg=dict(max_iters=$iterations, val_interval=$never),
        optim_wrapper=dict(optimizer=dict(lr=$lr)),
        param_scheduler=[
            dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=$warmup),
            dict(type="MultiStepLR", by_epoch=False, milestones=$falls, gamma=0.1),
        ],
    ),
)
""")
TRAINING = Template("""
train_dataloader = dict(batch_size=$batch, dataset=train_data)
train_cfg = dict(max_iters=$iterations, val_interval=$interval)
optim_wrapper = dict(optimizer=dict(lr=$lr))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=$warmup),
    dict(type="MultiStepLR", by_epoch=False, milestones=$falls, gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=$batch)
default_hooks = dict(checkpoint=dict(interval=$interval))  # at every validation
test_dataloader = dict(
    dataset=dict(
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img=$images),
    )
)
""")
OUTSIDE = """
train_data["allow_outside_images"] = True
test_dataloader["dataset"]["allow_outside_images"] = True
"""
BOXES_ONLY = """
# there are no masks to learn from
model = dict(roi_head=dict(mask_roi_extractor=None, mask_head=None))
train_pipeline = [
    dict(step, with_mask=False) if step["type"] == "LoadAnnotations" else step
    for step in _base_.train_pipeline
]
train_dataloader["dataset"] = dict(train_data, pipeline=train_pipeline)
"""
EVALUATION = Template("""
val_dataloader = test_dataloader
val_evaluator = [
    dict(
        type="OVMetric",
        ann_file="{data_root}/{val_ann}",
        protocol=$protocol,
        metrics=$metrics,
    )
]
test_evaluator = val_evaluator
""")
NO_EVALUATION = """
# no images to evaluate on were named (--val)
val_dataloader = None
val_cfg = None
val_evaluator = None
test_evaluator = []
"""


@dataclass(frozen=True)
class DatasetConfig:
    """A config for a data set, before it is written.

    Attributes:
        name: of the data set.
        path: the file to write.
        base: file of the recipe.
        regions: name of the recipe's store of regions.
        network: file of the recipe's proposal network, None where it uses no regions.
        train: the training set.
        val: the set to evaluate on, or None.
        novel: names of the novel classes, whose annotations are not used in training.
        epochs: how often each image is to be seen.
        main: schedule of the detector.
        first: schedule of the proposal network, None where there is none.
        allow_outside_images: take file names that lead out of the image folder.
    """

    name: str
    path: Path
    base: Path
    regions: str
    network: Path | None
    train: Survey
    val: Survey | None
    novel: tuple[str, ...]
    epochs: int
    main: Schedule
    first: Schedule | None
    allow_outside_images: bool = False

    def text(self) -> str:
        """Return the content of the file.

        Raises:
            UserError: a name or path that the config would take for a placeholder.
        """
        parts = [docstring(self._description()), self._head()]
        if self.first and self.network:
            network = self._relative(self.network)
            check_braces([network])
            parts.append(fill(PROPOSALS, network=network, **self.first.fields()))
        seen = self.val or self.train
        images = self._in_data(seen.image_folder, "/")
        parts.append(fill(TRAINING, images=images, **self.main.fields()))
        if self.allow_outside_images:
            parts.append(OUTSIDE)
        with_masks = self.train.with_masks and seen.with_masks
        if not with_masks:
            parts.append(BOXES_ONLY)
        metrics = ("bbox", "segm") if with_masks else ("bbox",)
        protocol = "lvis" if seen.lvis else "coco"
        evaluation = fill(EVALUATION, protocol=protocol, metrics=metrics)
        return "".join([*parts, evaluation if self.val else NO_EVALUATION])

    def commands(self) -> str:
        """Return the commands that lead from this config to a text query, for a shell."""
        config, weights = shlex.quote(str(self.path)), shlex.quote(f"{self._work_dir}/last.pth")
        text = shlex.quote(", ".join(self.train.names[:3]))
        lines = [f"ovdistill prepare {config}", f"ovdistill train {config}"]
        if self.val:
            lines.append(f"ovdistill test {config} {weights}")
        query = f"ovdistill predict IMAGE --text {text} --config {config} --checkpoint {weights}"
        return "\n".join(f"    {line}" for line in [*lines, query])

    @property
    def _work_dir(self) -> str:
        return f"work_dirs/{self.path.stem}"

    def _description(self) -> str:
        return DESCRIPTION.substitute(
            name=self.name,
            names=len(self.train.names),
            novel=len(self.novel),
            commands=self.commands(),
            epochs=self.epochs,
            images=self.train.images,
            least=MIN_ITERATIONS,
            recipe=self.base.name,
        )

    def _head(self) -> str:
        values = dict(
            base=self._relative(self.base),
            root=str(self.train.path.parent),
            train_ann=self.train.path.name,
            val_ann=self._in_data((self.val or self.train).path),
            cache=f"{self._work_dir}/prepared",
            train_images=self._in_data(self.train.image_folder, "/"),
        )
        check_braces([*values.values(), *self.novel, self.regions])
        regions = f"{{cache}}/{self.regions}"
        return fill(HEAD, **values, regions=regions, novel=list(self.novel))

    def _relative(self, path: Path) -> str:
        """Return a path as seen from the folder of the config."""
        return os.path.relpath(path, self.path.parent)

    def _in_data(self, path: Path, end: str = "") -> str:
        """Return a path as seen from ``data_root``."""
        return os.path.relpath(path, self.train.path.parent) + end


def check_braces(texts: Iterable[str]) -> None:
    """Raise UserError for a text with '{name}', which a config takes for a placeholder."""
    for text in texts:
        if found := re.search(r"{\w+}", text):
            raise UserError(
                f"{text!r} has {found[0]!r} in it, which a config takes for a placeholder; "
                "expected names and paths without braces"
            )
