"""The commands of `ovdistill`: their names, what they do, and the functions that do it.

To add a command, write a module in this folder with a function that takes its options as a
dataclass (see ``options``), and name it here. The function returns an exit code or None; for bad
input it raises ``UserError``. The text at the top of the module is what `--help` shows. Imports of
heavy libraries belong into the function, after what can be checked without them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Union

# name: ("module:function", one line of help), or (a group of commands, one line of help)
Commands = Mapping[str, tuple[Union[str, "Commands"], str]]

VOCAB: Commands = {
    "build": ("vocab.build:build", "encode class names with a teacher"),
    "import": ("vocab.import_embeddings:import_embeddings", "read embeddings that were published"),
    "learn": ("vocab.learn:learn", "learn prompts from regions of base classes"),
    "show": ("vocab.show:show", "list the class names of a file, and its teacher"),
    "diff": ("vocab.diff:diff", "list the differences of two files"),
    "nearest": ("vocab.nearest:nearest", "find the class names nearest to a text"),
}
STORE: Commands = {
    "info": ("store.info:info", "describe a store, and how much of it is there"),
    "verify": ("store.verify:verify", "read everything and compare the checksums"),
    "merge": ("store.merge:merge", "join stores of different images"),
    "centre": ("store.centre:centre", "write the map that removes the means of embeddings"),
    "map": ("store.map:map_embeddings", "write a store again with its embeddings mapped"),
}
ADAPT: Commands = {
    "clip-adapter": (
        "teacher.adapt.clip_adapter:clip_adapter",
        "learn a small network behind the towers",
    ),
    "tip-adapter": (
        "teacher.adapt.tip_adapter:tip_adapter",
        "keep a cache of labelled regions beside the names",
    ),
    "linear-probe": (
        "teacher.adapt.linear_probe:linear_probe",
        "learn weights of base names, as a vocabulary",
    ),
    "coop": ("teacher.adapt.coop:coop", "learn the words around names, as a vocabulary"),
    "visual-prompt": (
        "teacher.adapt.visual_prompt:visual_prompt",
        "learn pixels that are added to every image",
    ),
    "upt": ("teacher.adapt.upt:upt", "learn pixels and prompts together"),
    "fine-tune": ("teacher.adapt.fine_tune:fine_tune", "tune the weights, whole or in low rank"),
}
TEACHER: Commands = {
    "train": ("teacher.train:train", "train a teacher from images and texts"),
    "evaluate": ("teacher.evaluate:evaluate", "measure a teacher on labelled images"),
    "adapt": (ADAPT, "learn a field from regions of base classes"),
    "refine": ("teacher.refine:refine", "let dense features agree with crops"),
    "shapes-accuracy": (
        "teacher.shapes_accuracy:shapes_accuracy",
        "measure a teacher of the embedded benchmark",
    ),
    "shapes-geometry": (
        "teacher.shapes_geometry:shapes_geometry",
        "give the embedded benchmark's teacher CLIP's geometry",
    ),
}
COMMANDS: Commands = {
    "train": ("train:train", "train a detector"),
    "test": ("test.test:test", "measure base and novel AP of a detector"),
    "predict": ("predict.predict:predict", "find what a text describes in images"),
    "index": ("index:index", "detect once, and keep the regions for any later search"),
    "search": ("search:search", "find the regions of an index that a text describes best"),
    "app": ("app:app", "find objects by words in the browser"),
    "prepare": ("prepare:prepare", "make what a training needs, and stop"),
    "extract": ("extract.extract:extract", "make a store of the teacher's region embeddings"),
    "vocab": (VOCAB, "make and compare vocabulary files"),
    "store": (STORE, "check, describe and join stores"),
    "teacher": (TEACHER, "train, adapt and measure teachers"),
    "compare": ("compare.compare:compare", "train and test methods side by side"),
    "summarize": ("summarize:summarize", "average the metrics of several test runs"),
    "report": ("report:report", "say what happened in a test run, on a page"),
    "calibrate": ("calibrate:calibrate", "turn scores into probabilities"),
    "publish": ("publish:publish", "pack a trained detector to hand out"),
    "export": ("export:export", "write a detector as an ONNX file"),
    "init-dataset": ("init_dataset.init_dataset:init_dataset", "write a config for your own data"),
    "check": ("check:check", "check an annotation file, and write a clean one"),
    "make-ovshapes": ("make_ovshapes:make_ovshapes", "draw the embedded benchmark"),
    "prepare-lvis": ("prepare_lvis:prepare_lvis", "check LVIS v1 and write its base annotations"),
    "prepare-coco": ("prepare_coco:prepare_coco", "check COCO 2017 and write OV-COCO's files"),
    "prepare-voc": ("prepare_voc:prepare_voc", "write PASCAL VOC in COCO's format"),
    "prepare-segmentation": (
        "prepare_segmentation:prepare_segmentation",
        "check VOC, COCO-Stuff or ADE20K with label maps",
    ),
    "doctor": ("doctor.doctor:doctor", "check the installation, and say how to fix it"),
    "version": ("version:version", "print the versions of ovdistill and its libraries"),
}


def load_command(target: str) -> Callable[[Any], int | None]:
    """Import the function that a 'module:function' of the table names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(f"ovdistill.commands.{module}"), name)
