"""Write a detector as one ONNX file, which runs without torch.

    ovdistill export ovshapes --text "red star, ring" -o model.onnx
    ovdistill export PUBLISHED_FOLDER --text names.yaml -o model.onnx --check IMAGE
    ovdistill export CONFIG --checkpoint CHECKPOINT --vocabulary FILE -o model.onnx
    ovdistill export ovshapes --text "red star" --texts-as-input -o model.onnx

The file holds the network with its post-processing, the class names, and what competes with them,
as `ovdistill predict` uses them (docs/deployment.md). In Python:
`OnnxDetector("model.onnx").predict("image.png")`, which needs onnxruntime, numpy and Pillow. With
--texts-as-input other names can be set later. Needs `pip install 'ovdistill[export]'`; takes a
minute or two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import argument, complete_recipe, flag, option
from ovdistill.commands.text_options import TextOptions
from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra

if TYPE_CHECKING:
    from ovdistill.inference.detector import Detector

LEAST_SCORE = 0.05  # of detections that --check compares


@dataclass(frozen=True, kw_only=True)
class ExportOptions(TextOptions):
    """Options of ``ovdistill export``."""

    model: str = argument(
        "'ovshapes', folder of a published detector or of a training, name on the model hub, or a "
        "config with --checkpoint",
        completer=complete_recipe,
    )
    checkpoint: str | None = option(None, help="weights for a config", metavar="FILE")
    out: Path = option(flags=["-o"], help="file to write", metavar="FILE", writes="file")
    texts_as_input: bool = flag(help="text embeddings are inputs, so that names can be changed")
    opset: int = option(18, help="version of ONNX's operations", least=18, most=20)
    no_masks: bool = flag(help="leave the masks out")
    check: tuple[str, ...] = option(
        (), help="compare file and detector on these images", metavar="IMAGE"
    )


def export(options: ExportOptions) -> int:
    """Write the file, and compare it with the detector.

    Returns:
        The exit code: 1 if the results differ by more than rounding, else 0.

    Raises:
        UserError: a missing input, a detector that cannot be exported, or a missing extra.
    """
    options.check_texts()
    if options.text is None and options.vocabulary is None:
        raise UserError("nothing to look for; expected --text or --vocabulary.")
    if options.out.suffix != ".onnx":
        raise UserError(f"got -o {options.out}; expected a file name that ends in .onnx")
    check_file(options.checkpoint, "--checkpoint")
    for package in ("onnx", "onnxscript", *(["onnxruntime"] if options.check else [])):
        import_extra(package, "export")
    from ovdistill.inference.pretrained import find_detector

    found = find_detector(options.model, options.checkpoint)
    # heavy imports follow when all input has been checked
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.onnx_export import export_onnx

    detector = Detector(found, device="cpu", overrides=options.overrides)
    options.set_texts(detector, options.text or "")

    start = time.perf_counter()
    header = export_onnx(
        detector,
        options.out,
        texts_as_input=options.texts_as_input,
        masks=not options.no_masks,
        opset=options.opset,
        origin={
            "config": str(detector.files.config),
            "checkpoint": str(detector.files.weights),
            "vocabulary": options.vocabulary,
            "options": options.overrides,
        },
    )
    size = options.out.stat().st_size / 1e6
    names = f"{header.wanted} names, {len(header.names) - header.wanted} that compete"
    print(f"wrote {options.out} ({size:.1f} MB, {names}, {time.perf_counter() - start:.0f} s)")
    return check_images(detector, options) if options.check else 0


def check_images(detector: Detector, options: ExportOptions) -> int:
    """Compare the file with the detector on images; return the exit code."""
    from ovdistill.inference.agreement import agreement, together
    from ovdistill.inference.onnx_detector import OnnxDetector
    from ovdistill.inference.sources import find_sources

    exported = OnnxDetector(options.out)
    compared = []
    for source in find_sources(list(options.check)):
        image = source.load()
        # of lower scores too, so that a detection near the limit has its counterpart
        found, expected = (
            one.predict(image, score_threshold=LEAST_SCORE / 2) for one in (exported, detector)
        )
        compared.append(agreement(found, expected, LEAST_SCORE))
    result = together(compared)
    print(f"checked {len(compared)} images: {result}")
    if not result.is_close:
        print("the results differ by more than rounding")
    return 0 if result.is_close else 1
