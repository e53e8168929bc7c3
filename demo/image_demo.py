"""Finds what a text describes in a picture, or in all pictures of a directory.

    python demo/image_demo.py                     # the shipped student on a shipped sample
    python demo/image_demo.py PICTURE --text "red striped star, outlined heart"
    python demo/image_demo.py DIRECTORY --text "zebra, tent" --config C --checkpoint K

Writes, for every picture, an annotated PNG and a JSON file (objects, queries, provenance).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mmengine.config import DictAction
from PIL import Image

from ovdistill.arguments import add_offline_argument
from ovdistill.errors import UserError, run_tool

DEFAULT_TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE WORDS HAVE NO MEANING, THE RESULT IS A TEST OF THE CODE"


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("image", nargs="?", help="picture or directory; a shipped sample without it")
    add("--text", help="what to look for, separated by commas")
    add("--background", default="", help="words that compete but are not reported")
    add("--vocabulary", help="vocabulary file to look for instead of --text")
    add("--config", help="config of the detector; the shipped student without it")
    add("--checkpoint", help="weights of the detector")
    add("-o", "--out", default="outputs", help="directory for the results (default: outputs)")
    add("--score-threshold", type=float, default=0.3, help="lowest score kept (default: 0.3)")
    add("--max-dets", type=int, default=100, help="objects a picture at most (default: 100)")
    add("--device", help="cpu, cuda, cuda:1 (default: a GPU if there is one)")
    add_offline_argument(parser)
    add("--cfg-options", nargs="+", action=DictAction, help="overrides of the config: key=value")
    return parser.parse_args()


def main() -> None:
    """Runs the demo; bad input raises UserError."""
    args = parse_args()
    if args.text is not None and args.vocabulary:
        raise UserError("got --text and --vocabulary: give one of them.")
    if args.background and args.vocabulary:
        raise UserError("--background goes with --text: the vocabulary file holds all its words.")
    # imported here: the help is there at once
    from ovdistill.inference.inferencer import OVInferencer, shipped_student
    from ovdistill.inference.pictures import find_pictures, parse_queries
    from ovdistill.vocabulary import Vocabulary

    text = DEFAULT_TEXT if args.text is None else args.text
    parse_queries(text)  # before anything slow
    paths = find_pictures(args.image or _sample())
    outputs = _output_names(paths, Path(args.out))
    inferencer = OVInferencer(args.config, args.checkpoint, args.device, options=args.cfg_options)
    if args.vocabulary:
        vocabulary = Vocabulary.load(args.vocabulary)
        inferencer.set_vocabulary(vocabulary)
    else:
        vocabulary = inferencer.set_text(text, args.background)
    note = RANDOM_NOTE if vocabulary.teacher.endswith(":random") else ""
    config, checkpoint = map(str, shipped_student())
    origin = {
        "config": args.config or config,
        "checkpoint": args.checkpoint or checkpoint,
        "vocabulary": args.vocabulary,
        "teacher": vocabulary.teacher,
        "teacher_hash": vocabulary.teacher_hash,
        "score_threshold": args.score_threshold,
        "options": args.cfg_options,
    }
    for path, output in zip(paths, outputs, strict=True):
        found = _run(inferencer, path, output, args, note, origin)
        print(f"{path.name}: {found}\n    -> {output}, {output.with_suffix('.json').name}")
    if note:
        print(note)


def _run(
    inferencer: Any, path: Path, output: Path, args: argparse.Namespace, note: str, origin: dict
) -> str:
    """Detects, draws and writes one picture; returns a line about what was found."""
    from ovdistill.evaluation.report import provenance, write_json
    from ovdistill.inference.draw import draw
    from ovdistill.inference.pictures import read_picture

    image = read_picture(path)
    detections = inferencer(image, args.score_threshold, args.max_dets)
    output.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(image, detections, inferencer.queries, note.partition(":")[0])
    Image.fromarray(drawn).save(output)
    report = {
        "image": str(path),
        "height": image.shape[0],
        "width": image.shape[1],
        "queries": list(inferencer.queries),
        "objects": detections.records(),
        "provenance": provenance(**origin),
    }
    if note:
        report["warning"] = note
    write_json(output.with_suffix(".json"), report)
    best = [
        f"{name} {score:.2f}"
        for name, score in zip(detections.names[:3], detections.scores, strict=False)
    ]
    more = len(detections) - len(best)
    return ", ".join(best) + (f" and {more} more" if more else "") if best else "nothing"


def _output_names(paths: list[Path], directory: Path) -> list[Path]:
    """``directory/stem.png``, with the suffix in the name where two pictures share a stem."""
    stems = [path.stem for path in paths]
    names = [
        path.stem if stems.count(path.stem) == 1 else path.name.replace(".", "_") for path in paths
    ]
    outputs = [directory / f"{name}.png" for name in names]
    for path, output in zip(paths, outputs, strict=True):
        if output.resolve() == path.resolve():
            raise UserError(f"{output} would be written over the picture: give another -o")
    return outputs


def _sample() -> Path:
    import ovdistill

    samples = Path(ovdistill.__file__).parent / "shapes" / "samples"
    found = sorted(samples.glob("*.png"))
    if not found:
        raise UserError(f"no shipped sample in {samples}: name a picture, or install again.")
    return found[0]


if __name__ == "__main__":
    run_tool(main)
