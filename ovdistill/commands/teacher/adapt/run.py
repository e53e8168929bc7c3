"""What every method of `ovdistill teacher adapt` does around its learning."""

from __future__ import annotations

from ovdistill.commands.printing import print_lines
from ovdistill.commands.teacher.adapt.inputs import AdaptInputs, find_inputs
from ovdistill.commands.teacher.adapt.inputs import encode as encode_objects
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher.adapt.regions import read_data
from ovdistill.commands.teacher.adapt.report import write_report
from ovdistill.commands.teacher_options import load_teacher
from ovdistill.evaluation.teacher.adaptation import (
    AccuracyChange,
    accuracy_of,
    change_lines,
    change_table,
    variant_table,
)
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.zero_shot import ZeroShot, ZeroShotCounter
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptMethod
from ovdistill.vocabulary import Vocabulary


def adapt(options: AdaptOptions, method: AdaptMethod) -> None:
    """Learn, write the result, and report what it does to base and to novel names.

    Args:
        options: of the command, checked.
        method: how to learn.

    Raises:
        UserError: an input that is missing or does not fit another, or see the method.
    """
    teacher = load_teacher(options)
    inputs = find_inputs(options, teacher)
    data = read_data(options, method, inputs, teacher)
    print_lines([f"teacher {teacher.id}", f"{method.name}: {data.source}"])
    result = method.learn(data, lambda line: print_lines([line]))
    result.write(options.out)
    print_lines([f"wrote {options.out}", f"teacher {result.teacher.id}"])
    test = encode_objects(inputs.test, teacher, inputs)
    before = _accuracy(test, inputs.vocabulary)
    change = AccuracyChange(before, _measure(result, test, inputs))
    change_table(change).show()
    print_lines(change_lines(change))
    variants = {
        title: accuracy_of(_measure(make(), test, inputs))
        for title, make in result.variants.items()
    }
    if variants:
        variant_table(variants).show()
    written = write_report(options, method, data, inputs, result, change, variants)
    print_lines(f"wrote {path}" for path in written)


def _measure(result: Adaptation, test: TrueObjects, inputs: AdaptInputs) -> ZeroShot:
    """Return the accuracy of a result on objects that the teacher before has embedded."""
    if result.images is None:
        return _accuracy(encode_objects(inputs.test, result.teacher, inputs), result.vocabulary)
    changed = result.images(test.embeddings.to(result.teacher.device)).cpu()
    adapted = TrueObjects(test.image_ids, test.boxes, test.labels, changed)
    return _accuracy(adapted, result.vocabulary)


def _accuracy(objects: TrueObjects, vocabulary: Vocabulary) -> ZeroShot:
    counter = ZeroShotCounter(vocabulary.embeddings, vocabulary.is_base)
    counter.add(objects.embeddings, objects.labels)
    return counter.result(vocabulary.names)
