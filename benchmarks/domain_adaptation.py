r"""Adapt the shipped teacher, by every method, to a domain that it knows badly.

    python benchmarks/domain_adaptation.py -o work_dirs/domain
    python benchmarks/domain_adaptation.py -o work_dirs/domain --seeds 3 --student vild_r18_shapes

Draws OVShapes with crayons, learns from true boxes of base objects of its train images, and names
the objects of its test images among all 65 names. With --student, a detector is distilled from each
teacher by the ordinary commands. OUT/domain.json and OUT/domain.md grow with every result; after an
interruption, the same command goes on. Other --shots and another --student need another OUT.
Without students it takes about 20 minutes on one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any, Final

from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.commands.teacher.adapt.inputs import AdaptInputs, encode, find_inputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher_options import load_teacher
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json, write_text
from ovdistill.core.json_files import read_json
from ovdistill.core.markdown import markdown_table
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.comparison_rows import Row
from ovdistill.evaluation.teacher.adaptation import accuracy_of
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.zero_shot import ZeroShot
from ovdistill.ovshapes.domains import CRAYON
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.teacher import Teacher
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod
from ovdistill.teacher_training.adapt.coop import CoOpMethod
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptMethod
from ovdistill.teacher_training.adapt.fine_tune.method import SHARES, FineTuneMethod
from ovdistill.teacher_training.adapt.linear_probe import LinearProbeMethod
from ovdistill.teacher_training.adapt.tip_adapter import TipAdapterMethod
from ovdistill.teacher_training.adapt.upt import UnifiedPromptsMethod
from ovdistill.teacher_training.adapt.visual_prompt import VisualPromptMethod

SPLIT: Final = "shape"
NO_GAP = "ovshapes-plain"  # weights behind a map of the teacher cannot be tuned
NONE = "none"
TEMPERATURE = "model.roi_head.bbox_head.cls_predictor_cfg.temperature={}"
STUDENT_TEMPERATURE = 0.07  # the recipes', of a teacher without a gap
# By the names of the table's rows. A run of fine-tuning has the averages of WiSE-FT beside it.
METHODS: dict[str, Callable[..., AdaptMethod]] = {
    "CoOp": CoOpMethod,
    "CoOp, a context a class": lambda seed: CoOpMethod(seed=seed, class_contexts=True),
    "CLIP-Adapter": ClipAdapterMethod,
    "Tip-Adapter": TipAdapterMethod,
    "linear probe": LinearProbeMethod,
    "visual prompt": VisualPromptMethod,
    "UPT": UnifiedPromptsMethod,
    "fine-tuning": lambda seed: FineTuneMethod(seed=seed, average=1.0, lr=3e-4),
    "LoRA": lambda seed: FineTuneMethod(seed=seed, average=1.0, rank=4, lr=3e-3),
}
Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    out: Path = option(flags=["-o"], help="folder of everything", metavar="DIR", writes="folder")
    seeds: int = option(1, help="number of seeds, from 0", least=1)
    shots: int = option(16, help="regions of a class to learn from", least=1)
    rows: tuple[str, ...] = option(
        (),
        metavar="ROW",
        help="'none', methods and averages, as the table names them (default: all); an average "
        "comes with its method, but has a student only if it is named",
    )
    student: str | None = option(None, help="recipe of the detectors to distill; none by default")


@dataclass(frozen=True)
class Teachers:
    """Adapts the teacher with one seed, and measures.

    Attributes:
        options: of the benchmark.
        seed: of what is drawn and learned.
    """

    options: BenchmarkOptions
    seed: int

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher before it is adapted."""
        return load_teacher(self.inputs())

    def inputs(self) -> AdaptOptions:
        """Return the options of ``ovdistill teacher adapt``."""
        data = self.options.out / "data"
        return AdaptOptions(
            teacher="ovshapes",
            embedding_map=(NO_GAP,),
            annotations=data / "annotations/instances_train.json",
            images=data / "images",
            test_annotations=data / "annotations/instances_test.json",
            test_images=data / "images",
            templates="single",
            split=SPLIT,
            shots=self.options.shots,
            seed=self.seed,
            out=Path(),
        )

    def missing(self, done: list[Figures]) -> list[str]:
        """Return the methods without figures; NONE stands for the teacher as it is."""
        there = {own["row"] for own in done if own["seed"] == self.seed}
        return [name for name in chosen_rows(self.options) if name not in there]

    def run(self, names: list[str]) -> Iterator[Figures]:
        """Learn by these methods; yield the figures of each of their results."""
        from ovdistill.commands.teacher.adapt.regions import read_data
        from ovdistill.commands.teacher.adapt.run import measure, measure_change

        chosen, teacher = self.inputs(), self.teacher
        inputs = find_inputs(chosen, teacher)
        test = encode(inputs.test, teacher, inputs)
        if NONE in names:
            same = Adaptation(teacher, inputs.vocabulary, lambda path: None, lambda found: found)
            yield self._figures(NONE, same, measure(same, test, inputs), 0.0)
        for name in names:
            if name != NONE:
                method = METHODS[name](seed=self.seed)
                data = read_data(chosen, method, inputs, teacher)
                start = time.perf_counter()
                result = method.learn(data, lambda line: None)
                seconds = time.perf_counter() - start
                # averages first: a method is done when its own row is there
                yield from self._variants(name, result, test, inputs, seconds)
                self._write(name, result)
                after = measure_change(test, inputs, result).after
                yield self._figures(name, result, after, seconds)

    def _variants(
        self,
        name: str,
        result: Adaptation,
        test: TrueObjects,
        inputs: AdaptInputs,
        seconds: float,
    ) -> Iterator[Figures]:
        from ovdistill.commands.teacher.adapt.run import measure

        for title, make in result.variants.items():
            variant = make()
            self._write(f"{name}, {title}", variant)
            after = measure(variant, test, inputs)
            yield self._figures(f"{name}, {title}", variant, after, seconds)

    def _write(self, name: str, result: Adaptation) -> None:
        """Write a result under the name of its row, and note what it is for a student."""
        path = self.path(name)
        result.write(path if is_folder(name) else path.with_suffix(".safetensors"))

    def path(self, name: str) -> Path:
        """Return the path of a result, without the suffix of a file."""
        return self.options.out / "teachers" / f"seed{self.seed}" / slug(name)

    def _figures(self, name: str, result: Adaptation, found: ZeroShot, seconds: float) -> Figures:
        accuracy = accuracy_of(found)
        return dict(
            row=name,
            seed=self.seed,
            base=accuracy.base,
            novel=accuracy.novel,
            harmonic=accuracy.harmonic,
            novel_alone=accuracy.novel_alone,
            seconds=seconds,
            temperature=STUDENT_TEMPERATURE * result.teacher.temperature / self.teacher.temperature,
        )


def main(options: BenchmarkOptions) -> None:
    """Adapt, distill if asked for, and print the table."""
    student, done = read_figures(options)
    make_ovshapes(options.out / "data", domain=CRAYON)
    for seed in range(options.seeds):
        teachers = Teachers(options, seed)
        if names := teachers.missing(done):
            for figures in teachers.run(names):
                done = [own for own in done if key(own) != key(figures)] + [figures]
                write(options, student, done)
    for own in sorted(done, key=lambda own: own["seed"]) if options.student else ():
        if not options.rows or own["row"] in options.rows:
            distill(options, own)
            write(options, student, done)
    write(options, student, done)
    print(table(done))


def read_figures(options: BenchmarkOptions) -> tuple[str | None, list[Figures]]:
    """Return the recipe of the students, those that are there or are to come, and what is done.

    Raises:
        UserError: it was done with other shots, or has students of another recipe.
    """
    path = options.out / "domain.json"
    if not path.is_file():
        return options.student, []
    found = read_json(path, "figures of this benchmark")
    if found["shots"] != options.shots:
        raise UserError(
            f"{path} has figures of --shots {found['shots']}, got --shots {options.shots}; "
            "expected the same, or another -o"
        )
    if not any("student_novel" in own for own in found["figures"]):
        return options.student, found["figures"]
    if options.student not in (None, found["student"]):
        raise UserError(
            f"{path} has students of recipe {found['student']}, got --student {options.student}; "
            "expected the same, or another -o"
        )
    return found["student"], found["figures"]


def distill(options: BenchmarkOptions, own: Figures) -> None:
    """Train and test a student of a teacher, unless that is done; put its AP into the figures."""
    assert options.student is not None
    settings = CompareOptions(
        data_root=str(options.out / "data"),
        split=SPLIT,
        geometry="plain",
        out=str(options.out / "students" / options.student),
        cfg_options=("prepare.proposals.published=None",),  # those that ship are of paintings
    )
    name = slug(own["row"])
    folder = options.out / "students" / "inputs" / f"seed{own['seed']}" / name
    row = Row(
        name,
        own["row"],
        options.student,
        options=tuple(student_options(options, own, folder)),
        plain=(TEMPERATURE.format(own["temperature"]),),
    )
    comparison = Comparison(settings, [row])
    if not comparison.is_done(row, own["seed"]):
        comparison.prepare(row)
        if failure := comparison.run(row, own["seed"]):
            raise RuntimeError(failure)
    metrics = read_json(
        comparison.folder(name, own["seed"]) / settings.subset / "metrics.json", "metrics of a test"
    )
    own |= {"student_base": metrics["bbox/AP_base"], "student_novel": metrics["bbox/AP_novel"]}


def student_options(options: BenchmarkOptions, own: Figures, folder: Path) -> Iterator[str]:
    """Yield the overrides of a recipe that make it learn from an adapted teacher."""
    path = Teachers(options, own["seed"]).path(own["row"])
    yield f"regions={folder / 'regions'}"
    if own["row"].startswith(("CoOp", "linear")):  # whose result is a vocabulary
        yield f"vocabulary={path.with_suffix('.safetensors')}"
        yield "prepare.vocabulary=None"
        return
    yield f"vocabulary={folder / 'vocabulary.safetensors'}"
    if is_folder(own["row"]):
        yield f"teacher.model={path}"
    elif own["row"] != NONE:
        yield f"teacher.adapter={path.with_suffix('.safetensors')}"


def chosen_rows(options: BenchmarkOptions) -> list[str]:
    """Return the rows to run, without the averages that come with them.

    Raises:
        UserError: there is no such row.
    """
    known = [NONE, *METHODS]
    tuned, shares = filter(is_folder, known), [share for share in SHARES if share < 1]
    averages = [f"{name}, average {share:g}" for name in tuned for share in shares]
    if unknown := {*options.rows} - {*known, *averages}:
        expected = ", ".join(map(repr, [*known, *averages]))
        raise UserError(f"got --rows {min(unknown)!r}; expected some of: {expected}")
    return [name for name in known if not options.rows or name in map(method_of, options.rows)]


def method_of(row: str) -> str:
    """Return the row that a row comes with: itself, or that of its average."""
    return max((name for name in (NONE, *METHODS) if row.startswith(name)), key=len)


def is_folder(name: str) -> bool:
    """Return whether a row's result is a folder of weights."""
    return name.startswith(("fine-tuning", "LoRA"))


def slug(name: str) -> str:
    """Return the name of a row as the name of a file."""
    return name.lower().replace(",", "").replace(" ", "-").replace(".", "")


def key(own: Figures) -> tuple[str, int]:
    return own["row"], own["seed"]


def write(options: BenchmarkOptions, student: str | None, done: list[Figures]) -> None:
    """Write figures and table; ``student`` is the recipe of all students."""
    content = provenance(shots=options.shots, student=student, figures=done)
    write_json(options.out / "domain.json", content)
    write_text(options.out / "domain.md", table(done) + "\n")


def table(done: list[Figures]) -> str:
    """Return the table of means over seeds."""
    columns = {
        "base": "base",
        "novel": "novel",
        "harmonic": "harmonic mean",
        "novel_alone": "novel alone",
        "seconds": "seconds",
        "student_base": "student's base AP",
        "student_novel": "student's novel AP",
    }
    shown = [name for name in columns if any(name in own for own in done)]
    rows = []
    order = [NONE, *METHODS]  # an average stands behind its method, whatever came first
    found = sorted(
        {own["row"] for own in done},
        key=lambda row: (order.index(method_of(row)), row),
    )
    for title in found:
        mine = [own for own in done if own["row"] == title]
        cells = []
        for name in shown:
            values = [own[name] for own in mine if name in own]
            digits = 0 if name == "seconds" else 1
            cells.append(f"{mean(values):.{digits}f}" if values else "-")
        rows.append([title, *cells])
    return markdown_table(["top-1, %", *(columns[name] for name in shown)], rows)


if __name__ == "__main__":
    run_options(main)
