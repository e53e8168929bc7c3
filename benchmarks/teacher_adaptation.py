r"""Adapt a teacher by every method, with all labels, few, or none; measure base and novel names.

    python benchmarks/teacher_adaptation.py vild_r18_shapes \
        --regions data/ovshapes/shape/clip/regions

Labelled regions are true boxes of base objects of the config's train images; unlabelled ones are
those of the store. Objects of its val images are named before and after. It takes about half an
hour on two CPU cores for OVShapes, most of it for CoOp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ovdistill.commands.main import run_options
from ovdistill.commands.options import ConfigOptions, option, recipe_argument
from ovdistill.commands.teacher.adapt.inputs import encode, find_inputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher_options import load_teacher
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.core.markdown import markdown_table
from ovdistill.evaluation.teacher.adaptation import Accuracy, accuracy_of
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod
from ovdistill.teacher_training.adapt.coop import CoOpMethod
from ovdistill.teacher_training.adapt.data import AdaptMethod
from ovdistill.teacher_training.adapt.linear_probe import LinearProbeMethod
from ovdistill.teacher_training.adapt.tip_adapter import TipAdapterMethod

FEW = 16


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ConfigOptions):
    """Options of this benchmark."""

    config: str = recipe_argument()
    regions: Path = option(metavar="STORE", help="teacher regions of the train images")
    seed: int = option(0, help="seed of what is drawn", least=0)
    rows: tuple[str, ...] = option(
        (), metavar="ROW", help="methods, as the tables name them (default: all)"
    )


def main(options: BenchmarkOptions) -> None:
    """Adapt, measure and print a table for each setting."""
    labelled = AdaptOptions(
        config=options.config, cfg_options=options.cfg_options, seed=options.seed, out=Path()
    )
    settings = {
        "all labels": labelled,
        f"{FEW} shots": replace(labelled, shots=FEW),
        f"no labels, {FEW} a class": replace(labelled, unsupervised=True, store=(options.regions,)),
    }
    teacher = load_teacher(labelled)  # before what imports the mm stack
    from ovdistill.commands.teacher.adapt.regions import read_data
    from ovdistill.commands.teacher.adapt.run import measure_change

    inputs = find_inputs(labelled, teacher)
    test = encode(inputs.test, teacher, inputs)
    for title, setting in settings.items():
        rows = []
        found = {}
        chosen = chosen_methods(options)
        for name, method in progress(chosen, title=title, unit="method"):
            # true boxes are embedded once; the shots of a method that always has some are drawn
            key = setting.shots or method.default_shots
            if key not in found:
                found[key] = read_data(setting, method, inputs, teacher)
            result = method.learn(found[key], lambda line: None)
            change = measure_change(test, inputs, result)
            if not rows:
                rows.append(["before", *cells(accuracy_of(change.before))])
            rows.append([name, *cells(accuracy_of(change.after))])
        header = ["top-1, %", "base", "novel", "harmonic mean", "novel alone"]
        print(f"\n{title}: {', '.join(data.source for data in found.values())}\n")
        print(markdown_table(header, rows), flush=True)


def chosen_methods(options: BenchmarkOptions) -> list[tuple[str, AdaptMethod]]:
    """Return the methods of --rows, or all.

    Raises:
        UserError: a row that is none of them.
    """
    found = dict(methods(options.seed))
    if unknown := sorted({*options.rows} - {*found}):
        raise UserError(f"got --rows {', '.join(unknown)}; expected of: {', '.join(found)}")
    return [(name, found[name]) for name in options.rows or found]


def methods(seed: int) -> Iterator[tuple[str, AdaptMethod]]:
    """Yield the methods, by the names of the table's rows."""
    yield "CLIP-Adapter, images", ClipAdapterMethod(seed=seed)
    yield "CLIP-Adapter, texts", ClipAdapterMethod(seed=seed, image_ratio=0, text_ratio=0.2)
    yield "Tip-Adapter", TipAdapterMethod(seed=seed)
    yield "Tip-Adapter-F", TipAdapterMethod(seed=seed, train_keys=True)
    yield "linear probe", LinearProbeMethod(seed=seed)
    yield "linear probe, half text", LinearProbeMethod(seed=seed, mix=0.5)
    yield "CoOp", CoOpMethod(seed=seed)
    yield "CoOp, a context a class", CoOpMethod(seed=seed, class_contexts=True)


def cells(found: Accuracy) -> list[str]:
    """Return figures as cells."""
    values = (found.base, found.novel, found.harmonic, found.novel_alone)
    return ["-" if value is None else f"{value:.1f}" for value in values]


if __name__ == "__main__":
    run_options(main)
