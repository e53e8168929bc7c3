"""What `ovdistill test` is given: its options, and the config as it is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import argument, flag, option, recipe_argument
from ovdistill.commands.processes import RunnerOptions
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config

# mmengine would build these too; converting norms for it would lose the activations of timm's
TRAINING_KEYS = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler", "sync_bn")
VALIDATION_KEYS = ("val_dataloader", "val_cfg", "val_evaluator")
DUMP = "detections"  # first part of the names of the files
DUMPED = (f"{DUMP}.bbox.json", f"{DUMP}.segm.json")
LABEL_MAPS = "label_maps"  # folder of those that --dump writes of a segmentor
# options that need a detector, and those that take the place of a config
OF_DETECTOR = ("show", "teacher_on_crops")
OF_ANNOTATIONS = ("novel", "protocol")
OF_LABEL_MAPS = ("label_maps", "label_table")
OF_DETECTIONS = ("annotations", "protocol", "images_with_results", "dump")


@dataclass(frozen=True, kw_only=True)
class TestOptions(RunnerOptions):
    """Options of ``ovdistill test``."""

    config: str | None = recipe_argument(default=None)
    checkpoint: str | None = argument(".pth or .safetensors", default=None)
    results: tuple[Path, ...] = option(
        (),
        help="score results of any system: detections in COCO's results format, boxes, masks or "
        "both; or a folder of label maps",
        metavar="PATH",
    )
    annotations: Path | None = option(
        None, help="COCO or LVIS file to score --results with, in place of CONFIG", metavar="FILE"
    )
    novel: str | None = option(
        None,
        help='novel classes of --annotations or --label-table: "a, b, c", a file of them, or the '
        "split lvis, coco, voc-15, stuff-156, shape, compositional or none (default: of LVIS the "
        "rare ones, else none)",
        metavar="NAMES",
    )
    protocol: Literal["coco", "lvis"] | None = option(
        None, help="of --annotations (default: lvis if the file has LVIS's fields, else coco)"
    )
    label_maps: Path | None = option(
        None,
        help="folder of label maps to score a folder of --results with, in place of CONFIG",
        metavar="DIR",
    )
    label_table: str | None = option(
        None,
        help="what the values of --label-maps mean: voc, coco-stuff, coco-panoptic, ade20k, "
        "ovshapes, or a file with a value, a tab and a class name in each line",
        metavar="TABLE",
    )
    images_with_results: bool = flag(
        help="with --results: evaluate only the images that have a detection"
    )
    out: str | None = option(
        None,
        flags=["-o"],
        help="folder of the results (default: test, beside CHECKPOINT or --results)",
        metavar="DIR",
        writes="folder",
    )
    vocabulary: str | None = option(
        None, help="vocabulary file to use instead of the config's", metavar="FILE"
    )
    subset: Literal["val", "test"] = option("test", old_flags=["--split"], help="images to test on")
    dump: bool = flag(
        help=f"write the detections too, as {' and '.join(DUMPED)}; of a segmentor its label maps, "
        f"into {LABEL_MAPS}/"
    )
    teacher_on_crops: bool = flag(
        help="classify every box with the config's teacher too: slow, not part of the detector"
    )
    show: int = option(0, metavar="N", help="draw truth and results of N images", least=0)

    @property
    def folder(self) -> Path:
        """The folder of the results."""
        beside = self.checkpoint or (self.results[0] if self.results else "")
        return Path(self.out or Path(beside).parent / "test")

    @property
    def has_label_maps(self) -> bool:
        """Whether the results are a folder, which has label maps."""
        return any(path.is_dir() for path in self.results)


def check_files(options: TestOptions) -> None:
    """Raise UserError for missing files, and options that are missing or exclude each other."""
    if bool(options.results) == bool(options.checkpoint):
        got = "both" if options.results else "neither"
        raise UserError(
            f"got {got} of CHECKPOINT and --results: give CONFIG CHECKPOINT to test a detector, or "
            "--results PATH to score results that are there."
        )
    alone = ("annotations", *OF_ANNOTATIONS, *OF_LABEL_MAPS, "images_with_results")
    if options.has_label_maps:
        _check_label_maps(options)
    elif options.results:
        _check_results(options)
    elif given := _given(options, *alone):
        raise UserError(f"got {given} without --results, which it is for.")
    if options.config:
        find_recipe(options.config)
    check_file(options.vocabulary, "--vocabulary")
    if options.checkpoint and not Path(options.checkpoint).is_file():
        raise UserError(
            f"no checkpoint {options.checkpoint}. Train one with `ovdistill train "
            f"{options.config}`, which leaves it in work_dirs/."
        )


def _check_results(options: TestOptions) -> None:
    """Raise UserError for options that do not go with ``--results``."""
    for path in options.results:
        check_file(path, "--results")
    check_file(options.annotations, "--annotations")
    if bool(options.config) == bool(options.annotations):
        got = "both" if options.config else "neither"
        raise UserError(
            f"got {got} of CONFIG and --annotations, by which --results are scored: give one."
        )
    if given := _given(options, *OF_LABEL_MAPS):
        raise UserError(f"got {given} with files of --results; it goes with a folder of them.")
    if options.config and (given := _given(options, *OF_ANNOTATIONS)):
        raise UserError(f"got {given} with CONFIG, which says it; it goes with --annotations.")
    if options.dump:
        _check_dump(options)
    _check_any_results(options)


def _check_dump(options: TestOptions) -> None:
    """Raise UserError if the detections to write would replace those to read."""
    written = [(options.folder / name).resolve() for name in DUMPED]
    for path in options.results:
        if path.resolve() in written:
            raise UserError(
                f"--dump would write detections over {path} of --results; give another -o, or "
                "leave --dump out."
            )


def _check_label_maps(options: TestOptions) -> None:
    """Raise UserError for options that do not go with a folder of label maps."""
    if len(options.results) > 1:
        raise UserError(
            f"got --results {' '.join(map(str, options.results))}; expected one folder of label "
            "maps, or files of detections."
        )
    if given := _given(options, *OF_DETECTIONS):
        raise UserError(f"got {given} with a folder of --results; it goes with detections.")
    found = [bool(options.config), bool(options.label_maps), bool(options.label_table)]
    if found not in ([True, False, False], [False, True, True]):
        raise UserError(
            f"got CONFIG {options.config}, --label-maps {options.label_maps} and --label-table "
            f"{options.label_table} to score a folder of label maps; expected either CONFIG or "
            "both of the others."
        )
    if options.label_maps:
        check_folder(options.label_maps, "--label-maps")
    if options.config and options.novel:
        raise UserError("got --novel with CONFIG, which says it; it goes with --label-maps.")
    _check_any_results(options)


def _check_any_results(options: TestOptions) -> None:
    """Raise UserError for options that go with no ``--results``, or exclude each other."""
    if given := _given(options, *OF_DETECTOR):
        raise UserError(f"got {given} with --results; it needs a detector: CONFIG CHECKPOINT.")
    if options.vocabulary and options.novel:
        raise UserError("got --vocabulary and --novel; a vocabulary says which classes are novel.")


def _given(options: TestOptions, *names: str) -> str:
    """Return the spelling of the first of these options that was given, or ""."""
    given = (f"--{name.replace('_', '-')}" for name in names if getattr(options, name))
    return next(given, "")


def testing_config(options: TestOptions, out: Path) -> Config:
    """Return the config with the command's options in it, and without its training part.

    Args:
        options: of the command, with a config.
        out: folder of the results.

    Raises:
        UserError: the config has no evaluator for the subset, or none that writes detections.
    """
    from ovdistill.extraction.prepare_vocabulary import check_teacher
    from ovdistill.models.config import load_config
    from ovdistill.teacher import teacher_name

    assert options.config is not None  # see ``check_files``
    overrides = options.overrides
    if options.vocabulary:
        overrides["vocabulary"] = options.vocabulary
    config = load_config(options.config, overrides)
    if options.vocabulary:  # its classes may be others than the config's, its teacher may not
        check_teacher(options.vocabulary, teacher_name(config.teacher))
        config.merge_from_dict({"prepare.vocabulary": None})
        _leave_out_stuff(config, options.vocabulary)
    if not config.get(f"{options.subset}_evaluator"):
        raise UserError(
            f"{options.config} evaluates no {options.subset} images ({options.subset}_evaluator). "
            "Give the other --subset; `ovdistill init-dataset` takes images to evaluate on with "
            "--val."
        )
    if options.subset == "val":
        config.test_dataloader = config.val_dataloader
        config.test_evaluator = config.val_evaluator
    if options.dump:
        dump_predictions(config, out)
    options.apply(config)
    config.work_dir = str(out)
    config.load_from = None
    for key in (*TRAINING_KEYS, *VALIDATION_KEYS):
        config[key] = None
    return config


def dump_predictions(config: Config, out: Path) -> None:
    """Let the test write detections, or the label maps of a segmentor.

    Args:
        config: for testing, changed in place.
        out: folder of the results.

    Raises:
        UserError: its evaluator writes neither.
    """
    for part in evaluators(config):
        if part.get("type") == "SegmentationMetric":
            part.dump = str(out / LABEL_MAPS)
            return
    instance_evaluator(config).outfile_prefix = str(out / DUMP)


def evaluators(config: Config) -> list[Config]:
    """Return the parts of ``test_evaluator``, which may be one alone."""
    found = config.test_evaluator
    return found if isinstance(found, list) else [found]


def instance_evaluator(config: Config) -> Config:
    """Return the part of ``test_evaluator`` that evaluates detections.

    Raises:
        UserError: there is not one such part.
    """
    from mmdet.registry import METRICS

    from ovdistill.evaluation.ov_metric import OVMetric

    def is_one(part: Config) -> bool:
        kind = part.get("type")
        metric = METRICS.get(kind) if isinstance(kind, str) else kind
        return isinstance(metric, type) and issubclass(metric, OVMetric)

    found = [part for part in evaluators(config) if is_one(part)]
    if len(found) != 1:
        raise UserError(
            f"test_evaluator of {config.filename} has {len(found)} of type OVMetric; expected "
            "one. Metrics of your own may stand beside it, in a list."
        )
    return found[0]


def _leave_out_stuff(config: Config, vocabulary: str) -> None:
    """Take the stuff that a user's vocabulary lacks out of a segmentor's config."""
    from ovdistill.core.class_names import clean_name
    from ovdistill.core.vocabulary_header import read_header

    if stuff := (config.get("model") or {}).get("stuff"):
        known = {clean_name(name) for name in read_header(vocabulary).names}
        config.model.stuff = [name for name in stuff if clean_name(name) in known]
