"""What each training objective of a teacher is worth on OVShapes: alone, and combined.

    python benchmarks/teacher_objectives.py -o work_dirs/objectives
    python benchmarks/teacher_objectives.py -o work_dirs/objectives --student

Trains a small teacher (the network of the recipe teacher_shapes) with each row's objectives, all
for the same steps on the same images, measures it with `ovdistill teacher evaluate`, and with
--student distils a detector from it. Writes OUT/objectives.md and OUT/objectives.json. After an
interruption the same command goes on: rows that are done are kept, and on another machine --known
takes over the runs of an earlier objectives.json; --report writes the table of what is there. All
runs of a folder share --steps, --batch, --images and --student-options; others need another -o.

All rows with three seeds take about 22 hours of one core, their students 7 more.

A row is names of objectives with a plus between, such as image_text+masked_image. Embeddings of
rows without image_text, image_text_label or region_word say nothing of names: their zero-shot
accuracy is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from pprint import pformat
from typing import Any

import torch
from PIL import Image

from ovdistill.core.files import write_json, write_text
from ovdistill.core.images import read_image
from ovdistill.core.logs import progress
from ovdistill.core.markdown import markdown_table
from ovdistill.core.provenance import provenance
from ovdistill.core.recipes import find_recipe
from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.text_tables import mean_and_deviation
from ovdistill.teacher.crops import CropPolicy
from ovdistill.vocabulary.prompts import TEMPLATES, fill_template

FUSION = dict(width=128, layers=2, heads=4)
OBJECTIVES: dict[str, dict[str, Any]] = {
    "image_text": dict(type="ImageTextContrastive"),
    "image_text_label": dict(type="ImageTextLabelContrastive"),
    "image": dict(type="ImageContrastive", hidden=256),
    "masked_image": dict(type="MaskedImage", square=16),
    "masked_language": dict(type="MaskedLanguage"),
    "cross_modal": dict(type="MaskedCrossModal", square=16, **FUSION),
    "matching": dict(type="ImageTextMatching", **FUSION),
    "region_word": dict(type="RegionWord"),
}
NAMED = {"image_text", "image_text_label", "region_word"}  # these give names a meaning
ADDED = ("image", "masked_image", "masked_language", "cross_modal", "matching", "region_word")
FLAVA = "image_text+masked_image+masked_language+cross_modal+matching"
ROWS = [
    *OBJECTIVES,
    *(f"image_text+{name}" for name in ADDED),
    "image_text_label+region_word",
    FLAVA,
    "+".join(name for name in OBJECTIVES if name != "image_text"),
]
COLUMNS = {
    "base": "top-1 base",
    "novel": "top-1 novel",
    "image_to_text": "R@1 image to text",
    "text_to_image": "R@1 text to image",
    "probe": "linear probe",
    "AP_base": "student AP base",
    "AP_novel": "student AP novel",
    "minutes": "minutes",
}
CROP_SIDE, CROP_SCALE = 96, 1.5  # pixels; the square around an object, of which a part is shown
DATA_SEED = 101  # of the teachers' images; those that they are measured on have 0
STUDENT = "vild_r18_shapes"
Figures = dict[str, float]
Settings = dict[str, Any]


def draw_training_data(folder: Path, images: int) -> list[dict[str, Any]]:
    """Draw images and cut out their objects, unless they are there; return the sources of data."""
    run(
        ["make-ovshapes", "--root", folder, "--seed", DATA_SEED]
        + ["--train", images, "--val", 1, "--test", 1],
        folder.parent / "data.txt",
    )
    annotations = folder / "annotations/instances_train.json"
    if not (folder / "classes.jsonl").is_file():
        cut_objects(folder, annotations)
    crops = dict(type="PairTable", images=str(folder / "crops"))
    return [
        dict(crops, file=str(folder / "captions.jsonl"), weight=4.0),
        dict(crops, file=str(folder / "classes.jsonl"), label_column="class", weight=3.0),
        dict(
            type="CocoBoxes",
            annotations=str(annotations),
            images=str(folder / "images"),
            captions=str(folder / "annotations/captions_train.json"),
            weight=3.0,
        ),
    ]


def cut_objects(folder: Path, annotations: Path) -> None:
    """Write each object as an image, and tables of their captions and of their classes."""
    found = read_annotations(annotations)
    names = {record["id"]: name for name, record in found.categories.items()}
    policy = CropPolicy(scales=(CROP_SCALE,), shape="square")
    (folder / "crops").mkdir(exist_ok=True)
    captions, classes = [], []
    for image in progress(found.images, title="cutting out objects", unit="image"):
        objects = found.by_image.get(image["id"], [])
        xywh = torch.tensor([o["bbox"] for o in objects], dtype=torch.float32).reshape(-1, 4)
        boxes = torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)
        pixels = torch.from_numpy(read_image(folder / "images" / image["file_name"]))
        (crops,) = policy.crop([(pixels.permute(2, 0, 1), boxes)], CROP_SIDE, "bilinear")
        for own, crop in zip(objects, crops, strict=True):
            file, name = f"{own['id']}.png", names[own["category_id"]]
            Image.fromarray(crop.permute(1, 2, 0).numpy()).save(folder / "crops" / file)
            captions.append(dict(image=file, text=said(f"{own['colour']} {name}")))
            classes.append({"image": file, "text": said(name), "class": name})
    for file, rows in (("captions.jsonl", captions), ("classes.jsonl", classes)):
        write_text(folder / file, "".join(json.dumps(row) + "\n" for row in rows))


def said(phrase: str) -> list[str]:
    """Return the texts for a phrase, of which the training draws one."""
    return [phrase, *(fill_template(template, phrase) for template in TEMPLATES["single"])]


def train_teacher(
    folder: Path, row: str, seed: int, data: list[dict[str, Any]], args: argparse.Namespace
) -> None:
    """Train the teacher of a row in FOLDER/teacher, from its last checkpoint if it has one."""
    recipe = str(find_recipe("teacher_shapes").resolve())
    training = dict(steps=args.steps, batch=args.batch, seed=seed, checkpoint_every=args.steps // 4)
    content = dict(
        _base_=[recipe],
        data=data,
        augmentation=dict(area=[0.6, 1.0], ratio=[0.8, 1.25], flip=0.5),
        objectives=[OBJECTIVES[name] for name in row.split("+")],
        training=training,
    )
    lines = [f"{key} = {pformat(value)}\n" for key, value in content.items()]
    write_text(folder / "config.py", "".join(lines))
    command = ["teacher", "train", "--config", folder / "config.py", "-o", folder / "teacher"]
    run([*command, "--resume"], folder / "log.txt")


def minutes_of_training(log: Path) -> float:
    """Return how long the steps of a training took, before and after its interruptions."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    seconds, before = 0.0, 0
    for record in records:
        if "seconds" in record:  # a step, on average since the last such record
            seconds += record["seconds"] * (record["step"] - before)
            before = record["step"]
    return seconds / 60


def measure_teacher(folder: Path, data_root: Path) -> Figures:
    """Measure the teacher of a folder on OVShapes' val images; shares in percent."""
    annotations = data_root / "annotations"
    run(
        ["teacher", "evaluate", "--teacher", folder / "teacher", "--novel", "shape"]
        + ["--annotations", annotations / "instances_val.json", "--images", data_root / "images"]
        + ["--captions", annotations / "captions_val.json", "--templates", "single"]
        + ["--crops", "square:1+1.5", "-o", folder],
        folder / "log.txt",
    )
    found = json.loads((folder / "teacher.json").read_text())["figures"]
    zero_shot, retrieval = found["crops"][0]["zero_shot"], found["retrieval"]
    shares = dict(
        base=zero_shot["base"]["top1"],
        novel=zero_shot["novel"]["top1"],
        image_to_text=retrieval["image_to_text"][0],
        text_to_image=retrieval["text_to_image"][0],
        probe=found["probe"]["everything"],
    )
    return {name: 100 * share["share"] for name, share in shares.items()}


def measure_student(folder: Path, seed: int, args: argparse.Namespace) -> Figures:
    """Distil a detector from the teacher of a folder; return its box AP on val images.

    The temperature is the recipe's, also without a gap: a teacher of few steps has names that lie
    close together.
    """
    options = ["--cfg-options", f"data_root={args.data_root}", "split=shape", "geometry=plain"]
    options += [f"teacher.model={folder / 'teacher'}", f"regions={folder / 'regions'}"]
    options += [f"vocabulary={folder / 'vocabulary.safetensors'}", *args.student_options]
    log, work_dir = folder / "log.txt", folder / "student"
    run(["prepare", STUDENT, *options], log)
    train = ["train", STUDENT, "--seed", seed, "--work-dir", work_dir, "--resume"]
    run([*train, *options, "train_cfg.val_begin=1000000000"], log)
    test = ["test", STUDENT, work_dir / "last.pth", "--subset", "val", "-o", folder / "test"]
    run([*test, *options], log)
    metrics = json.loads((folder / "test/metrics.json").read_text())
    return {name: metrics[f"bbox/{name}"] for name in ("AP_base", "AP_novel")}


def run(arguments: list[Any], log: Path) -> None:
    """Run a command of `ovdistill`, its output at the end of a file.

    Raises:
        SystemExit: it fails.
    """
    command = [sys.executable, "-m", "ovdistill", *map(str, arguments)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a") as file:
        print(" ".join(command), file=file, flush=True)
        code = subprocess.run(command, stdout=file, stderr=file, check=False).returncode
    if code:
        lines = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise SystemExit(f"exit code {code} of: ovdistill {' '.join(command[3:])}\n{lines}")


def make_run(
    folder: Path, row: str, seed: int, data: list[dict[str, Any]], args: argparse.Namespace
) -> None:
    """Train and measure a row with a seed, as far as that is not done."""
    path = folder / "figures.json"
    figures = json.loads(path.read_text()) if path.is_file() else {}
    if "probe" not in figures:
        train_teacher(folder, row, seed, data, args)
        minutes = minutes_of_training(folder / "teacher/log.jsonl")
        figures = {**measure_teacher(folder, args.data_root), "minutes": minutes}
        write_json(path, figures)
    if args.student and NAMED & {*row.split("+")} and "AP_novel" not in figures:
        train_teacher(folder, row, seed, data, args)  # which is not here if its figures are known
        write_json(path, {**figures, **measure_student(folder, seed, args)})
    print(f"{row}, seed {seed}: done", flush=True)


def collect(args: argparse.Namespace) -> dict[str, list[Figures]]:
    """Return the figures of the seeds of each row that has any."""
    found = {}
    for row in args.rows:
        paths = [args.out / row / f"seed{seed}/figures.json" for seed in range(args.seeds)]
        runs = [
            {**json.loads(path.read_text()), "seed": seed}
            for seed, path in enumerate(paths)
            if path.is_file()
        ]
        if not NAMED & {*row.split("+")}:
            runs = [{k: v for k, v in run.items() if k not in ("base", "novel")} for run in runs]
        if runs:
            found[row] = runs
    return found


def markdown(rows: dict[str, list[Figures]]) -> str:
    """Return the table: mean and standard deviation over the seeds, in percent."""
    lines = []
    for row, runs in rows.items():
        cells = [mean_and_deviation([r[key] for r in runs if key in r]) for key in COLUMNS]
        lines.append([row.replace("+", " + "), str(len(runs)), *cells])
    return markdown_table(["objectives", "seeds", *COLUMNS.values()], lines)


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of runs and results")
    parser.add_argument(
        "--data-root", type=Path, default=Path("data/ovshapes"), help="OVShapes; drawn if missing"
    )
    parser.add_argument("--rows", nargs="+", default=ROWS, help="rows to run (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of a row (default: 3)")
    parser.add_argument("--steps", type=int, default=1000, help="of each training (default: 1000)")
    parser.add_argument("--batch", type=int, default=128, help="pairs of a step (default: 128)")
    parser.add_argument("--images", type=int, default=4000, help="drawn for the trainings")
    parser.add_argument("--student", action="store_true", help="distil detectors from them")
    parser.add_argument(
        "--student-options", nargs="+", default=[], metavar="KEY=VALUE", help="of their config"
    )
    parser.add_argument("--known", type=Path, help="objectives.json whose runs are taken over")
    parser.add_argument("--report", action="store_true", help="only write the table")
    args = parser.parse_args()
    for row in args.rows:
        if unknown := {*row.split("+")} - OBJECTIVES.keys():
            parser.error(f"no objective {min(unknown)!r}; expected {', '.join(OBJECTIVES)}")
    if args.steps < 4:
        parser.error(f"--steps {args.steps}; expected 4 or more")
    return args


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that all runs of a folder share; without options of students no key."""
    settings = dict(steps=args.steps, batch=args.batch, images=args.images)
    return settings | (dict(student_options=args.student_options) if args.student_options else {})


def agreed_settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the runs that are there and to come; a report has none to come.

    Raises:
        SystemExit: runs of the folder, known runs and those to come do not share them, or there is
            nothing to report.
    """
    found = {}
    if not args.report:
        found["the command line"] = settings_of(args)
    if (path := args.out / "settings.json").is_file():
        found[f"the runs in {args.out}"] = json.loads(path.read_text())
    if args.known:
        found[f"the runs in {args.known}"] = json.loads(args.known.read_text())["settings"]
    if not found:
        raise SystemExit(f"no {path}; expected the folder of earlier runs, or --known, to report")
    settings, *others = found.values()
    if any(other != settings for other in others):
        each = ", ".join(f"{own} of {source}" for source, own in found.items())
        raise SystemExit(f"got settings {each}; expected the same, or another -o")
    return settings


def take_known(args: argparse.Namespace) -> None:
    """Write the figures of known runs where a folder has none."""
    known = json.loads(args.known.read_text())
    for row, runs in known["rows"].items():
        for own in runs:
            path = args.out / row / f"seed{own['seed']}/figures.json"
            if not path.is_file():
                write_json(path, own)


def main() -> None:
    """Make the runs that are missing, and write the table."""
    args = parse()
    settings = agreed_settings(args)
    args.out.mkdir(parents=True, exist_ok=True)
    write_json(args.out / "settings.json", settings)
    if args.known:
        take_known(args)
    if not args.report:
        run(["make-ovshapes", "--root", args.data_root], args.out / "data.txt")
        data = draw_training_data(args.out.resolve() / "data", args.images)
        for seed in range(args.seeds):
            for row in args.rows:
                make_run(args.out / row / f"seed{seed}", row, seed, data, args)
    rows = collect(args)
    content = dict(settings=settings, rows=rows, provenance=provenance())
    write_json(args.out / "objectives.json", content)
    write_text(args.out / "objectives.md", markdown(rows) + "\n")
    print(markdown(rows))


if __name__ == "__main__":
    main()
