"""Learn prompts from the teacher's regions of base classes (DetPro).

    ovdistill prepare vild_r50_lvis     # its class names and regions, if they are not there yet
    ovdistill vocab learn --config vild_r50_lvis -o learned.safetensors
    ovdistill train vild_r50_lvis --auto-scale-lr --cfg-options vocabulary=learned.safetensors

Class names, annotations, regions and teacher are the config's, unless options name others. The
result is a vocabulary file like any other; docs/learned_prompts.md says how it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.commands.vocab.output import OutputOptions
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.store import TeacherStore
    from ovdistill.teacher import Teacher
    from ovdistill.vocabulary import Vocabulary
    from ovdistill.vocabulary.learn import Recipe, Samples


@dataclass(frozen=True, kw_only=True)
class LearnOptions(TeacherOptions, OutputOptions):
    """Options of ``ovdistill vocab learn``; the defaults are those of ``Recipe``."""

    vocabulary: str | None = option(
        None, metavar="FILE", help="file with the class names (default: the config's)"
    )
    annotations: str | None = option(
        None, metavar="FILE", help="COCO or LVIS file of the images (default: the config's)"
    )
    store: tuple[str, ...] = option(
        (), metavar="DIR", help="teacher regions of the images (default: the config's)"
    )
    context: int | None = option(
        None, help="number of context vectors, which start at random (default: 8)", least=1
    )
    init: str | None = option(
        None,
        metavar="TEXT",
        help="text the context starts from, such as 'a photo of a', instead of --context",
    )
    class_contexts: bool = flag(
        help="learn a context for each base class (CoOp); other names take the mean of them"
    )
    place: Literal["front", "middle", "end"] | None = option(
        None, help="place of the name in the prompt (default: end)"
    )
    spelling: Literal["words", "plain"] | None = option(
        None, help="names without parentheses, or with them as ViLD (default: words)"
    )
    bins: Literal["grades", "single"] | None = option(
        None, help="a context for each of five grades of IoU, or a single one (default: grades)"
    )
    background: float | None = option(
        None,
        help="share of the background regions to learn from; 0 for none, as CoOp (default: 0.1)",
        least=0,
    )
    epochs: int | None = option(None, help="passes over the regions of a bin (default: 6)", least=1)
    batch: int | None = option(None, help="regions a step (default: 512)", least=1)
    lr: float | None = option(None, help="learning rate of SGD (default: 0.002)", least=0)
    temperature: float | None = option(
        None, help="temperature of the logits (default: the teacher's own)", least=1e-6
    )
    seed: int | None = option(
        None,
        help="random seed of context, background and order (default: 0)",
        least=0,
        most=MOST_SEED,
    )

    def recipe(self) -> Recipe:
        """Return how prompts are learned.

        Raises:
            UserError: a value out of its range.
        """
        from dataclasses import fields

        from ovdistill.vocabulary.learn import Recipe

        given = {f.name: getattr(self, f.name, None) for f in fields(Recipe)}
        given["name_position"] = self.place
        return Recipe(**{name: value for name, value in given.items() if value is not None})


def learn(options: LearnOptions) -> None:
    """Learn prompts, write the vocabulary, and print its accuracy on held-out regions.

    Raises:
        UserError: the file is there already, an input that is not named or is missing, regions of
            another teacher, or see ``learn_vocabulary``.
    """
    options.check_output()
    check_choices(options)
    path, annotations, paths = find_sources(options)
    from ovdistill.datasets.prompt_samples import read_samples, split_images
    from ovdistill.store import TeacherStore
    from ovdistill.vocabulary import Vocabulary
    from ovdistill.vocabulary.learn import learn_vocabulary

    recipe = options.recipe()
    vocabulary, stores = Vocabulary.load(path), [TeacherStore(store) for store in paths]
    teacher = load_teacher(options)
    for store in stores:
        check_same_teacher(store, teacher)

    learning, held_out = split_images(stores, recipe.seed)
    samples = read_samples(
        stores, annotations, vocabulary, learning, recipe.background, recipe.seed
    )
    print(f"{len(samples)} regions of {len(learning)} images; {len(held_out)} are held out")
    source = f"regions of {', '.join(map(str, paths))}"
    learned = learn_vocabulary(vocabulary, teacher, samples, recipe, source)
    learned.save(options.out)
    print(f"wrote {options.out} ({len(learned)} names of {learned.teacher})")

    judged = read_samples(stores, annotations, vocabulary, held_out, background=0)
    print_accuracy(learned, teacher, judged)


def print_accuracy(learned: Vocabulary, teacher: Teacher, regions: Samples) -> None:
    """Print the accuracy of the learned prompts, beside that of the written templates."""
    from ovdistill.vocabulary import TEMPLATES, Vocabulary
    from ovdistill.vocabulary.learn import accuracy_table

    rows = {"learned": learned.embeddings}
    for name in ("single", "vild63"):
        rows[name] = Vocabulary.encode(learned.names, teacher, TEMPLATES[name]).embeddings
    print(f"\nregions of base classes in held-out images, among all {len(learned)} names:\n")
    print(accuracy_table(rows, regions))


def check_choices(options: LearnOptions) -> None:
    """Raise UserError for missing inputs and options that exclude each other."""
    if options.context is not None and options.init is not None:
        raise UserError("got --context and --init: give one of them.")
    options.check_teacher()
    check_file(options.vocabulary, "--vocabulary")
    check_file(options.annotations, "--annotations")
    for store in options.store:
        check_folder(store, "--store")


def find_sources(options: LearnOptions) -> tuple[str, str, tuple[str, ...]]:
    """Return vocabulary file, annotation file and stores: those of the options, else the config's.

    Raises:
        UserError: one of them is neither named nor in the config, or not prepared.
    """
    found: dict[str, Any] = {}
    if options.config:
        from ovdistill.extraction.config_inputs import training_annotations, training_dataset
        from ovdistill.models.config import load_config

        config = load_config(options.config, options.overrides)
        found["vocabulary"] = training_dataset(config).vocabulary
        found["annotations"] = training_annotations(config)
        if regions := config.get("prepare", {}).get("regions"):
            found["store"] = (regions.path,)
    for name in ("vocabulary", "annotations", "store"):
        found[name] = getattr(options, name) or found.get(name)
        if not found[name]:
            where = f"{options.config} has none" if options.config else "no --config"
            raise UserError(f"no {name} to learn prompts from ({where}); give --{name} PATH")
    made = [] if options.vocabulary else [found["vocabulary"]]
    made += [] if options.store else found["store"]
    if missing := [path for path in made if not Path(path).exists()]:
        raise UserError(
            f"{options.config} is not prepared: there is no {' and no '.join(missing)}. Make what "
            f"is missing with: ovdistill prepare {options.config}"
        )
    return found["vocabulary"], found["annotations"], found["store"]


def check_same_teacher(store: TeacherStore, teacher: Teacher) -> None:
    """Raise UserError if the regions were embedded by another teacher."""
    if not store.teacher.is_same(teacher.id):
        raise UserError(
            f"teacher store {store.folder} was made by teacher {store.teacher}; got teacher "
            f"{teacher.id}. Expected the same: name that teacher with --teacher, or make the store "
            "with this one: ovdistill extract"
        )
