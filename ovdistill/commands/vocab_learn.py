"""`ovdistill vocab learn`: prompts learned from the teacher's regions of base words (DetPro).

    ovdistill vocab learn --config configs/vild_r50_lvis.py -o learned.safetensors
    python tools/train.py configs/vild_r50_lvis.py --cfg-options vocabulary=learned.safetensors

Words, annotations, regions and teacher are the config's, or are named one by one. What is written
is a vocabulary file like any other; docs/learned_prompts.md says how it is learned.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import fields

from mmengine.config import DictAction

from ovdistill.arguments import add_teacher_arguments, teacher_of
from ovdistill.build import load_config
from ovdistill.errors import UserError
from ovdistill.store import TeacherStore
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.context import PLACES
from ovdistill.vocabulary.learn import (
    Recipe,
    accuracy_table,
    learn_vocabulary,
    read_samples,
    split_images,
)
from ovdistill.vocabulary.learn.recipe import BINS


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        "ovdistill vocab learn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_teacher_arguments(parser)
    add = parser.add_argument
    add("--cfg-options", nargs="+", action=DictAction, help="changes to the config, as KEY=VALUE")
    add("--vocabulary", help="file with the names, base and novel (default: the config's)")
    add("--annotations", help="COCO or LVIS file of the pictures (default: the config's)")
    add("--store", nargs="+", help="teacher regions of the pictures (default: the config's)")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--context", type=int, help="vectors, at random (default: 8)")
    start.add_argument("--init", metavar="TEXT", help="start from words such as 'a photo of a'")
    add("--place", choices=PLACES, help="of the name in the prompt (default: end)")
    add("--bins", choices=BINS, help="a context for each of five grades of IoU (default), or one")
    add(
        "--background",
        type=float,
        help="share of the background regions to learn from (default: 0.1; 0: none, as CoOp)",
    )
    add("--epochs", type=int, help=f"default: {Recipe.epochs}")
    add("--batch", type=int, help=f"regions a step (default: {Recipe.batch})")
    add("--lr", type=float, help=f"of SGD (default: {Recipe.lr})")
    add("--temperature", type=float, help="of the logits (default: the teacher's own)")
    add("--seed", type=int, help=f"default: {Recipe.seed}")
    add("-o", "--out", required=True, help="vocabulary file to write")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Learns prompts, writes the vocabulary, and prints how well it names held-out regions.

    Raises:
        UserError: something is not named or missing, another teacher's regions, or see
            ``learn_vocabulary``.
    """
    args = parse_args(argv)
    given = {f.name: getattr(args, f.name) for f in fields(Recipe)}
    recipe = Recipe(**{name: value for name, value in given.items() if value is not None})
    vocabulary, annotations, paths = find_sources(args)
    words, stores = Vocabulary.load(vocabulary), [TeacherStore(path) for path in paths]
    teacher = teacher_of(args)
    for store in stores:
        check_same_teacher(store, teacher)

    learning, held_out = split_images(stores, recipe.seed)
    samples = read_samples(stores, annotations, words, learning, recipe.background, recipe.seed)
    print(f"{len(samples)} regions of {len(learning)} pictures; {len(held_out)} are held out")
    source = f"regions of {', '.join(map(str, paths))}"
    learned = learn_vocabulary(words, teacher, samples, recipe, source)
    learned.save(args.out)
    print(f"wrote {args.out} ({len(learned)} words of {learned.teacher})")

    rows = {"learned": learned.embeddings}
    for name, templates in TEMPLATES.items():
        rows[name] = Vocabulary.encode(words.names, teacher, templates).embeddings
    judged = read_samples(stores, annotations, words, held_out, background=0)
    print(f"\nregions of base words in held-out pictures, among all {len(words)} words:\n")
    print(accuracy_table(rows, judged))


def find_sources(args: argparse.Namespace) -> tuple[str, str, list[str]]:
    """The vocabulary, annotation and store files: as named, else the config's.

    Raises:
        UserError: one of them is neither named nor in the config.
    """
    found: dict = {}
    if args.config:
        config = load_config(args.config, args.cfg_options)
        dataset = config.train_dataloader.dataset
        while "dataset" in dataset:  # samplers by class wrap the data set
            dataset = dataset.dataset
        found["vocabulary"] = dataset.vocabulary
        found["annotations"] = os.path.join(dataset.get("data_root") or "", dataset.ann_file)
        if regions := config.get("prepare", {}).get("regions"):
            found["store"] = [regions.path]
    for name in ("vocabulary", "annotations", "store"):
        found[name] = getattr(args, name) or found.get(name)
        if not found[name]:
            where = f"{args.config} has none" if args.config else "no --config"
            raise UserError(f"no {name} to learn prompts from ({where}); give --{name} PATH")
    return found["vocabulary"], found["annotations"], found["store"]


def check_same_teacher(store: TeacherStore, teacher: Teacher) -> None:
    """Raises UserError unless the regions were embedded by the teacher's very weights."""
    name, weights = store.header.get("teacher"), store.header.get("teacher_hash")
    if weights != teacher.weights_hash:
        raise UserError(
            f"teacher store {store.folder} was made by teacher {name!r} (weights {weights}); got "
            f"teacher {teacher.id!r} (weights {teacher.weights_hash}). Expected the same: name "
            "that teacher with --teacher, or make the store with this one: ovdistill extract"
        )
