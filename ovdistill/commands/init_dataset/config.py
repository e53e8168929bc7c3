"""The text of a config for a user's own data, on top of a shipped recipe."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from ovdistill.commands.init_dataset.classes import Classes
from ovdistill.commands.init_dataset.pipelines import Step
from ovdistill.commands.init_dataset.schedule import Schedule
from ovdistill.core.errors import UserError
from ovdistill.core.python_text import docstring, fill, literal
from ovdistill.datasets.survey import Survey

DESCRIPTION = Template("""$name: $names class names, $novel of them novel.

Written by `ovdistill init-dataset`. Commands (the first makes what is missing: vocabulary, proposal
network, regions):

$commands

Schedule, for one GPU: $iterations iterations of $batch images ($epochs epochs of $images images);
the learning rate of $recipe, scaled by the batch; it falls at 90, 95 and 97.5 %.
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
    filter_cfg=dict(min_size=0),  # all images are used
)

novel = $novel
prepare = dict(
    data=None,  # nothing is drawn, whatever the recipe
    vocabulary=dict(names=$names, split=novel),
)
""")
PROPOSALS = Template("""prepare["proposals"] = dict(
    network=$network,
    checkpoint="{proposals}",
    published=None,
    train=True,
    options=dict(
        train_dataloader=dict(batch_size=$batch, dataset=dict(train_data)),
        train_cfg=dict(max_iters=$iterations, val_interval=$never),
        optim_wrapper=dict(optimizer=dict(lr=$lr)),
        param_scheduler=$scheduler,
    ),
)
network_options = prepare["proposals"]["options"]
""")
TRAINING = Template("""
train_dataloader = dict(batch_size=$batch, dataset=dict(train_data))
train_cfg = dict(
    _delete_=True, type="IterBasedTrainLoop", max_iters=$iterations, val_interval=$interval
)
optim_wrapper = dict(optimizer=dict(lr=$lr))
param_scheduler = $scheduler
auto_scale_lr = dict(enable=False, base_batch_size=$batch)
# at every validation
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=$interval))
log_processor = dict(by_epoch=False)
test_dataloader = dict(
    dataset=dict(
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img=$images),
    )
)
""")
OUTSIDE = """
train_dataloader["dataset"]["allow_outside_images"] = True
test_dataloader["dataset"]["allow_outside_images"] = True
"""
EVALUATION = Template("""
val_dataloader = test_dataloader
val_evaluator = $evaluators
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
class NetworkChanges:
    """What differs from the recipe of a network, beside data and schedule.

    Attributes:
        train_pipeline: its steps, None where they are the recipe's.
        test_pipeline: the same for testing.
        model: nested keys of the model.
    """

    train_pipeline: list[Step] | None = None
    test_pipeline: list[Step] | None = None
    model: Mapping[str, Any] = field(default_factory=dict)


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
        classes: the class names, and which are novel; annotations of these are not used in
            training.
        main: schedule of the detector.
        first: schedule of the proposal network, None where there is none.
        evaluators: of the validation and the test; not used without ``val``.
        changes: of the detector.
        network_changes: of the proposal network.
        teacher: keys at the top that name another teacher; empty for the recipe's.
        vocabulary: further options of the step that makes the vocabulary.
        allow_outside_images: take file names that lead out of the image folder.
    """

    name: str
    path: Path
    base: Path
    regions: str
    network: Path | None
    train: Survey
    val: Survey | None
    classes: Classes
    main: Schedule
    first: Schedule | None
    evaluators: list[Step] = field(default_factory=list)
    changes: NetworkChanges = field(default_factory=NetworkChanges)
    network_changes: NetworkChanges = field(default_factory=NetworkChanges)
    teacher: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Mapping[str, Any] = field(default_factory=dict)
    allow_outside_images: bool = False

    @property
    def names_path(self) -> Path:
        """The file of the class names, where they are not those of the training file."""
        return self.path.with_name(f"{self.path.stem}_names.json")

    def names_file(self) -> dict[str, Any] | None:
        """Return the content of ``names_path``, JSON; None where there is none to write."""
        return None if self.classes.as_in_train else dict(categories=list(self.classes.records))

    def text(self) -> str:
        """Return the content of the file.

        Raises:
            UserError: a name or path that the config would take for a placeholder, or a recipe with
                values that are no data.
        """
        seen = self.val or self.train
        images = self._in_data(seen.image_folder, "/")
        parts = [docstring(self._description()), self._head()]
        if self.first and self.network:
            network = self._relative(self.network)
            check_braces([network])
            parts.append(fill(PROPOSALS, network=network, **self.first.fields()))
            parts.append(_network_text(self.network_changes, outside=self.allow_outside_images))
        parts += [f"{key} = {literal(value)}\n" for key, value in self.teacher.items()]
        parts.append(fill(TRAINING, images=images, **self.main.fields()))
        parts.append(_main_text(self.changes))
        if self.allow_outside_images:
            parts.append(OUTSIDE)
        evaluation = fill(EVALUATION, evaluators=self.evaluators)
        return "".join([*parts, evaluation if self.val else NO_EVALUATION])

    def commands(self) -> str:
        """Return the commands that lead from this config to a text query, for a shell."""
        config, weights = shlex.quote(str(self.path)), shlex.quote(f"{self._work_dir}/last.pth")
        text = shlex.quote(", ".join(self.classes.names[:3]))
        lines = [f"ovdistill prepare {config}", f"ovdistill train {config}"]
        if self.val:
            lines.append(f"ovdistill test {config} {weights}")
        query = f"ovdistill predict IMAGE --text {text} --config {config} --checkpoint {weights}"
        return "\n".join(f"    {line}" for line in [*lines, query])

    @property
    def epochs(self) -> float:
        """How often each image is seen, to a tenth."""
        return round(self.main.iterations * self.main.batch / self.train.images, 1)

    @property
    def _work_dir(self) -> str:
        return f"work_dirs/{self.path.stem}"

    def _description(self) -> str:
        return DESCRIPTION.substitute(
            name=self.name,
            names=len(self.classes.names),
            novel=len(self.classes.novel),
            commands=self.commands(),
            iterations=self.main.iterations,
            batch=self.main.batch,
            epochs=f"{self.epochs:g}",
            images=self.train.images,
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
        check_braces([*values.values(), *self.classes.novel, self.regions])
        names = "{data_root}/{train_ann}"
        if not self.classes.as_in_train:
            names = f"{{config_folder}}/{self.names_path.name}"
        head = fill(
            HEAD,
            **values,
            regions=f"{{cache}}/{self.regions}",
            novel=list(self.classes.novel),
            names=names,
        )
        return head + "".join(
            f'prepare["vocabulary"][{literal(key)}] = {literal(value)}\n'
            for key, value in self.vocabulary.items()
        )

    def _relative(self, path: Path) -> str:
        """Return a path as seen from the folder of the config."""
        return _path_from(self.path.parent, path)

    def _in_data(self, path: Path, end: str = "") -> str:
        """Return a path as seen from ``data_root``."""
        return _path_from(self.train.path.parent, path) + end


def _path_from(folder: Path, path: Path) -> str:
    """Return a path as seen from a folder."""
    found = os.path.relpath(path, folder)
    if not found.startswith(os.pardir):
        return found
    # ".." leads to the folder above the one that a link points to, not above the link
    return os.path.relpath(os.path.realpath(path), os.path.realpath(folder))


def _main_text(changes: NetworkChanges) -> str:
    """Return the lines that change the detector."""
    lines = []
    if changes.model:
        lines.append(f"model = {literal(changes.model)}")
    if changes.train_pipeline is not None:
        lines.append(f"train_pipeline = {literal(changes.train_pipeline)}")
        lines.append('train_dataloader["dataset"]["pipeline"] = train_pipeline')
    if changes.test_pipeline is not None:
        lines.append(f"test_pipeline = {literal(changes.test_pipeline)}")
        lines.append('test_dataloader["dataset"]["pipeline"] = test_pipeline')
    return "".join(f"{line}\n" for line in lines)


def _network_text(changes: NetworkChanges, *, outside: bool) -> str:
    """Return the lines that change the proposal network."""
    data = 'network_options["train_dataloader"]["dataset"]'
    lines = [f'{data}["allow_outside_images"] = True'] if outside else []
    if changes.model:
        lines.append(f'network_options["model"] = {literal(changes.model)}')
    if changes.train_pipeline is not None:
        lines.append(f'{data}["pipeline"] = {literal(changes.train_pipeline)}')
    if changes.test_pipeline is not None:
        lines.append(f'network_options["test_pipeline"] = {literal(changes.test_pipeline)}')
    return "".join(f"{line}\n" for line in lines)


def check_braces(texts: Iterable[str]) -> None:
    """Raise UserError for a text with '{name}', which a config takes for a placeholder."""
    for text in texts:
        if found := re.search(r"{\w+}", text):
            raise UserError(
                f"{text!r} has {found[0]!r} in it, which a config takes for a placeholder; "
                "expected names and paths without braces"
            )
