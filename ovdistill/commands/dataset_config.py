"""The text of a configuration for one's own data, on top of a shipped recipe."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from string import Template

from mmengine.config import Config

from ovdistill.datasets.survey import Survey

MIN_ITERATIONS = 2000  # the running statistics of batch normalisation (momentum 0.003) settle
WARMUP = 1000
FALLS = (0.9, 0.95, 0.975)  # ViLD's, as shares of the training

HEAD = Template('''"""$name: $words words, $unlabelled of them novel.

Written by `ovdistill init-dataset`. Commands (the first makes what is missing: words, proposal
network, regions):

$commands
Schedule, for one GPU: $epochs epochs of $images images, at least $least iterations; the learning
rate of $recipe, scaled by the batch; falls at 90, 95 and 97.5 %.
Cost and result: not measured.
"""

_base_ = [$base]

data_root = $root
train_ann = $train_ann
val_ann = $val_ann
cache = "work_dirs/$stem/prepared"
vocabulary = "{cache}/vocabulary.safetensors"
proposals = "{cache}/proposals.pth"
regions = "{cache}/$regions"
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
''')
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
BOXES_ONLY = """
# there are no masks to learn from
model = dict(roi_head=dict(mask_roi_extractor=None, mask_head=None))
train_pipeline = [
    dict(step, with_mask=False) if step["type"] == "LoadAnnotations" else step
    for step in _base_.train_pipeline
]
train_dataloader["dataset"] = dict(train_data, pipeline=train_pipeline)
"""
TRAINING = Template("""
train_dataloader = dict(batch_size=$batch, dataset=train_data)
train_cfg = dict(max_iters=$iterations, val_interval=$interval)
optim_wrapper = dict(optimizer=dict(lr=$lr))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=$warmup),
    dict(type="MultiStepLR", by_epoch=False, milestones=$falls, gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=$batch)
test_dataloader = dict(
    dataset=dict(
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img=$images),
    )
)
""")
EVALUATION = Template("""
val_dataloader = test_dataloader
val_evaluator = [
    dict(
        type="OVMetric",
        ann_file="{data_root}/{val_ann}",
        protocol="$protocol",
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
class Schedule:
    """A training on one GPU.

    Attributes:
        batch: images a step.
        lr: learning rate.
        iterations: steps.
    """

    batch: int
    lr: float
    iterations: int

    def fields(self) -> dict[str, object]:
        """What the templates say of it: a warm-up of at most a tenth, then three falls."""
        return dict(
            batch=self.batch,
            lr=self.lr,
            iterations=self.iterations,
            never=self.iterations + 1,
            interval=self.iterations // 4,
            warmup=min(WARMUP, self.iterations // 10),
            falls=[int(share * self.iterations) for share in FALLS],
        )


def schedule(recipe: Config, images: int, epochs: int, batch: int | None = None) -> Schedule:
    """The schedule of a recipe for another data set.

    Args:
        recipe: its learning rate is for its published batch (``auto_scale_lr``, else its own).
        images: images to train on.
        epochs: how often each is seen; at least ``MIN_ITERATIONS`` steps are made.
        batch: images a step; the recipe's on one GPU unless given.
    """
    own = recipe.train_dataloader.batch_size
    batch = batch or own
    published = recipe.get("auto_scale_lr", {}).get("base_batch_size", own)
    lr = float(f"{recipe.optim_wrapper.optimizer.lr * batch / published:.3g}")
    return Schedule(batch, lr, max(MIN_ITERATIONS, epochs * images // batch))


@dataclass(frozen=True)
class DatasetConfig:
    """What is to be written.

    Attributes:
        name: of the data set.
        path: the file.
        base: file of the recipe.
        regions: name of the recipe's store of regions.
        network: file of the recipe's proposal network, None where it has no regions.
        train: the training set.
        val: the set to evaluate on, or None.
        novel: names without annotations in training.
        epochs: how often each image is to be seen.
        main: schedule of the detector.
        first: schedule of the proposal network, None where there is none.
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

    def text(self) -> str:
        """The file's content."""
        seen = self.val or self.train
        parts = [
            HEAD.substitute(
                name=self.name,
                words=len(self.train.names),
                unlabelled=len(self.novel),
                commands=self.commands(),
                epochs=self.epochs,
                images=self.train.images,
                least=MIN_ITERATIONS,
                recipe=self.base.name,
                base=self._relative(self.base),
                root=_quoted(str(self.train.path.parent)),
                train_ann=_quoted(self.train.path.name),
                val_ann=self._in_data(seen.path),
                stem=self.path.stem,
                regions=self.regions,
                train_images=self._in_data(self.train.image_folder, "/"),
                novel=pformat(list(self.novel), width=90, compact=True),
            )
        ]
        if self.first:
            network = self._relative(self.network)
            parts.append(PROPOSALS.substitute(self.first.fields(), network=network))
        image_folder = self._in_data(seen.image_folder, "/")
        parts.append(TRAINING.substitute(self.main.fields(), images=image_folder))
        with_masks = self.train.with_masks and seen.with_masks
        if not with_masks:
            parts.append(BOXES_ONLY)
        metrics = ("bbox", "segm") if with_masks else ("bbox",)
        protocol = "lvis" if seen.lvis else "coco"
        evaluation = EVALUATION.substitute(protocol=protocol, metrics=metrics)
        return "".join([*parts, evaluation if self.val else NO_EVALUATION])

    def commands(self) -> str:
        """From here to a text query."""
        weights = f"work_dirs/{self.path.stem}/last.pth"
        test = f"    ovdistill test {self.path} {weights}\n" if self.val else ""
        return (
            f"    ovdistill prepare {self.path}\n"
            f"    ovdistill train {self.path}\n{test}"
            f'    ovdistill predict IMAGE --text "{", ".join(self.train.names[:3])}" \\\n'
            f"        --config {self.path} --checkpoint {weights}\n"
        )

    def _relative(self, path: Path) -> str:
        """A path from the configuration's folder, as Python text."""
        return _quoted(os.path.relpath(path, self.path.parent))

    def _in_data(self, path: Path, end: str = "") -> str:
        """A path from ``data_root``, as Python text."""
        return _quoted(os.path.relpath(path, self.train.path.parent) + end)


def _quoted(text: str) -> str:
    """A string as Python text, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
