"""What every method of `ovdistill teacher adapt` does around its learning."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from ovdistill.commands.printing import print_lines
from ovdistill.commands.teacher.adapt.inputs import (
    AdaptInputs,
    check_inputs,
    encode,
    find_inputs,
)
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher.adapt.regions import read_data
from ovdistill.commands.teacher.adapt.report import (
    check_report_paths,
    report_paths,
    write_report,
)
from ovdistill.commands.teacher_options import (
    check_teacher_stays,
    load_teacher,
    teacher_arguments,
)
from ovdistill.core.errors import DivergedError
from ovdistill.evaluation.teacher.adaptation import (
    Accuracy,
    AccuracyChange,
    accuracy_of,
    change_lines,
    change_table,
    variant_table,
)
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.zero_shot import ZeroShot, ZeroShotCounter
from ovdistill.extraction.encode_objects import NotFiniteError
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptMethod
from ovdistill.vocabulary import Vocabulary

PART = 4096  # objects whose embeddings are adapted, and compared with all names, at once
FEW = 8  # images whose objects are embedded before a result is written


def adapt(options: AdaptOptions, method: AdaptMethod) -> None:
    """Learn, write the result, and report what it does to base and to novel names.

    The result is written before it is measured, which may take hours and be interrupted.

    Args:
        options: of the command, checked.
        method: how to learn.

    Raises:
        DivergedError: what was learned embeds nothing any more; no result is left.
        UserError: an input that is missing or does not fit another, or see the method.
    """
    check_report_paths(options.out, folder=options.result_is_folder)
    check_teacher_stays(options.out, teacher_arguments(options))
    check_inputs(options)
    teacher = load_teacher(options)
    inputs = find_inputs(options, teacher)
    method.check(teacher, inputs.vocabulary)  # before crops are embedded, which may take hours
    data = read_data(options, method, inputs, teacher)
    print_lines([f"teacher {teacher.id}", *inputs.remarks, f"{method.name}: {data.source}"])
    test = encode(inputs.test, teacher, inputs)  # an image that is missing is found first
    result = method.learn(data, lambda line: print_lines([line]))
    _check_finite(test, inputs, result, method)
    _write(options, result)
    adapted = f"teacher {result.teacher.id}, temperature {result.teacher.temperature:.4g}"
    print_lines([f"wrote {options.out}", adapted])
    try:
        change, variants = _measured(test, inputs, result)
    except NotFiniteError as error:  # of images that were not among the first few
        _delete(options.out)
        raise _diverged(method, f"{options.out} is deleted") from error
    change_table(change).show()
    print_lines(change_lines(change))
    if variants:
        variant_table(variants).show()
    written = write_report(options, method, data, inputs, result, change, variants)
    print_lines(f"wrote {path}" for path in written)


def _check_finite(
    test: TrueObjects, inputs: AdaptInputs, result: Adaptation, method: AdaptMethod
) -> None:
    """Raise DivergedError for weights that are finite, but not what they make of a few images."""
    few = {key: inputs.test.objects[key] for key in test.image_ids.unique()[:FEW].tolist()}
    try:
        _adapted(result, test, replace(inputs, test=inputs.test.only(few), workers=0))
    except NotFiniteError as error:
        raise _diverged(method, "nothing is written") from error


def _diverged(method: AdaptMethod, outcome: str) -> DivergedError:
    return DivergedError(
        f"what {method.name} has learned gives embeddings with NaN or infinity; {outcome}. "
        f"Expected a lower --lr than {method.lr:g}"
    )


def _write(options: AdaptOptions, result: Adaptation) -> None:
    """Write a result; the report of one that it replaces goes, as the new one may never come."""
    result.write(options.out)
    for path in report_paths(options.out, folder=options.result_is_folder):
        path.unlink(missing_ok=True)


def _delete(out: Path) -> None:
    """Delete a result that was written."""
    if out.is_dir():
        shutil.rmtree(out)
    else:
        out.unlink()


def _measured(
    test: TrueObjects, inputs: AdaptInputs, result: Adaptation
) -> tuple[AccuracyChange, dict[str, Accuracy]]:
    """Return accuracy before and after an adaptation, and that of its variants by title.

    Raises:
        NotFiniteError: see ``measure``.
    """
    change = measure_change(test, inputs, result)
    variants = {
        title: accuracy_of(measure(make(), test, inputs)) for title, make in result.variants.items()
    }
    return change, variants


def measure_change(test: TrueObjects, inputs: AdaptInputs, result: Adaptation) -> AccuracyChange:
    """Return zero-shot accuracy before and after an adaptation.

    Args:
        test: the objects to measure on, as the teacher embeds them.
        inputs: their images, and the names before.
        result: the adaptation.
    """
    return AccuracyChange(_accuracy(test, inputs.vocabulary), measure(result, test, inputs))


def measure(result: Adaptation, test: TrueObjects, inputs: AdaptInputs) -> ZeroShot:
    """Return zero-shot accuracy after an adaptation, see ``measure_change``.

    Raises:
        NotFiniteError: the adapted teacher gives embeddings that are not finite.
    """
    return _accuracy(_adapted(result, test, inputs), result.vocabulary)


def _adapted(result: Adaptation, test: TrueObjects, inputs: AdaptInputs) -> TrueObjects:
    """Return objects as the adapted teacher embeds them.

    Args:
        result: the adaptation.
        test: the objects as the teacher before embeds them, where no image is needed again.
        inputs: else the images of the objects.

    Raises:
        NotFiniteError: see ``measure``.
    """
    if result.images is None:
        return encode(inputs.test, result.teacher, inputs)
    device = result.teacher.device
    # in parts: a cache of regions compares each of them with all of its keys
    changed = [result.images(part.to(device)).cpu() for part in test.embeddings.split(PART)]
    adapted = replace(test, embeddings=torch.cat(changed))
    if not adapted.embeddings.isfinite().all():
        raise NotFiniteError(f"{result.teacher.id} gives embeddings with NaN or infinity")
    return adapted


def _accuracy(objects: TrueObjects, vocabulary: Vocabulary) -> ZeroShot:
    counter = ZeroShotCounter(vocabulary.embeddings, vocabulary.is_base)
    for rows in torch.arange(len(objects)).split(PART):
        counter.add(objects.embeddings[rows], objects.labels[rows])
    return counter.result(vocabulary.names)
