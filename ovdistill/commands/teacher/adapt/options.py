"""The options that all methods of `ovdistill teacher adapt` take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher.measuring_options import MeasuringOptions
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.teacher_training.adapt.data import AdaptMethod

    Method = TypeVar("Method", bound=AdaptMethod)


@dataclass(frozen=True, kw_only=True)
class AdaptOptions(MeasuringOptions):
    """Options of ``ovdistill teacher adapt METHOD``; a method adds its own."""

    annotations: Path | None = option(
        None, metavar="FILE", help="COCO or LVIS file to learn from (default: the config's train)"
    )
    images: Path | None = option(
        None, metavar="DIR", help="folder of its images (default: the config's)"
    )
    store: tuple[Path, ...] = option(
        (),
        metavar="DIR",
        help="learn from teacher regions of these images, in place of their true boxes",
    )
    test_annotations: Path | None = option(
        None, metavar="FILE", help="file of all classes to measure on (default: the config's val)"
    )
    test_images: Path | None = option(
        None, metavar="DIR", help="folder of its images (default: the config's)"
    )
    vocabulary: Path | None = option(
        None,
        metavar="FILE",
        help="class names, split and text embeddings (default: the config's; without a config the "
        "categories of the file are encoded)",
    )
    shots: int | None = option(
        None, help="regions of a class, drawn by the seed (default: all; tip-adapter: 16)", least=1
    )
    unsupervised: bool = flag(
        help="use no labels: of each base name the regions that the teacher is surest of (16, or "
        "--shots)"
    )
    epochs: int | None = option(
        None,
        help="passes over the regions (default: clip-adapter and linear-probe 50, tip-adapter 20, "
        "upt and visual-prompt 8, fine-tune 5, coop 50 to 200 by the regions "
        "of a class, fewer above 16)",
        least=1,
    )
    batch: int | None = option(
        None,
        help="regions a step (default: 256; fine-tune, upt and visual-prompt 64, coop 32)",
        least=1,
    )
    lr: float | None = option(
        None,
        help="learning rate (default: 1e-3; coop and upt 2e-3, visual-prompt 1e-2, fine-tune 3e-5)",
        least=0,
    )
    seed: int = option(0, help="seed of what is drawn", least=0, most=MOST_SEED)
    max_test_images: int | None = option(
        None, help="images to measure on, drawn always alike (default: all)", least=1
    )
    out: Path = option(
        flags=["-o"], help="file to write (.safetensors)", metavar="FILE", writes="file"
    )

    @property
    def result_is_folder(self) -> bool:
        """Whether the result is a folder; else it is a file."""
        (out,) = [own for own in fields(self) if own.name == "out"]
        return bool(out.metadata["writes"] == "folder")

    def method(self, method_class: type[Method]) -> Method:
        """Return a method with the settings that are given, and its defaults for the rest.

        Raises:
            UserError: a setting out of its range.
        """
        given = {own.name: getattr(self, own.name, None) for own in fields(method_class)}
        return method_class(**{name: value for name, value in given.items() if value is not None})

    def check(self) -> None:
        """Raise UserError for inputs that are missing, or that exclude each other."""
        self.check_teacher()
        if not self.result_is_folder and self.out.suffix in (".json", ".md"):
            raise UserError(
                f"got -o {self.out}; expected a name that ends in .safetensors: the report takes "
                "the same name with .json and .md"
            )
        self._check_pair("annotations", "images", needed=not self.store)
        self._check_pair("test_annotations", "test_images", needed=True)
        for name in ("annotations", "test_annotations", "vocabulary"):
            check_file(getattr(self, name), f"--{name.replace('_', '-')}")
        for folder in self.store:
            check_folder(folder, "--store")
        if self.annotations and self.test_annotations:
            self.check_other_images(self.annotations, self.test_annotations)
        if self.vocabulary and (self.templates or self.split):
            raise UserError(
                "got --vocabulary and --templates or --split; expected one: a vocabulary has its "
                "embeddings and its split"
            )

    def check_other_images(self, learned: Path, measured: Path) -> None:
        """Raise UserError if the objects that are measured on are learned from.

        Args:
            learned: the annotation file to learn from, of an option or of the config.
            measured: the one to measure on.
        """
        read = not (self.store and self.unsupervised)  # else no annotation is learned from
        if read and learned.resolve() == measured.resolve():
            raise UserError(
                f"got {learned} to learn from and {measured} to measure on, the same file; "
                "expected a file of other images: give --test-annotations FILE --test-images DIR"
            )

    def _check_pair(self, file: str, folder: str, *, needed: bool) -> None:
        """Raise UserError unless a file and the folder of its images come together."""
        path, images = getattr(self, file), getattr(self, folder)
        if images is not None:
            check_folder(images, f"--{folder.replace('_', '-')}")
        both = path is not None and (images is not None or not needed)
        if not both and (path is not None or images is not None or not self.config):
            wanted = "both" if needed else f"--{file.replace('_', '-')}"
            raise UserError(
                f"got --{file.replace('_', '-')} {path} and --{folder.replace('_', '-')} {images}; "
                f"expected {wanted}, or a --config that has them"
            )
