"""Scores predicted label maps that are in files: `ovdistill test --results FOLDER`."""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.config_maps import check_label_maps, config_label_maps
from ovdistill.commands.test.inputs import TestOptions, testing_config
from ovdistill.commands.test.segmentor import report_segmentation, write_pairs
from ovdistill.core.provenance import provenance
from ovdistill.core.vocabulary_header import read_header
from ovdistill.datasets.build_vocabulary import split_names
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.evaluation.report_page.segmentation_gallery import remove_examples
from ovdistill.segmentation.data.label_maps import LabelMaps, find_label_maps
from ovdistill.segmentation.metrics.score_folder import folder_pairs
from ovdistill.segmentation.metrics.semantic import SemanticScores, sum_pairs
from ovdistill.segmentation.metrics.tables import semantic_classes


@dataclass(frozen=True, eq=False)
class Truth:
    """What label maps are scored against.

    Attributes:
        maps: the label maps, and the classes that compete.
        vocabulary: path of the vocabulary file that names the classes, or None.
    """

    maps: LabelMaps
    vocabulary: str | None


def score_label_maps(options: TestOptions) -> None:
    """Score a folder of label maps and write the results, as the test of a segmentor does.

    Args:
        options: of the command, whose ``results`` are a folder.

    Raises:
        UserError: files that cannot be used, or do not fit each other.
    """
    (folder,) = options.results
    truth = _of_config(options) if options.config else _of_options(options)
    pairs = sum_pairs(folder_pairs(truth.maps, folder))
    scores = SemanticScores.of([pairs], truth.maps.is_base)
    origin = provenance(
        config=options.config,
        vocabulary=truth.vocabulary,
        results=str(folder),
        subset=options.subset if options.config else None,
        label_maps=options.label_maps and str(options.label_maps),
        label_table=options.label_table,
        novel=options.novel,
        images=len(truth.maps),
    )
    metrics = {f"semantic/{name}": value for name, value in scores.metrics().items()}
    classes = semantic_classes(scores, truth.maps.names)
    write_pairs(options.folder, pairs, len(truth.maps))
    remove_examples(options.folder)  # of another run, which the report would show
    report_segmentation(
        options.folder, metrics, [dict(kind="semantic", **record) for record in classes], origin
    )


def _of_config(options: TestOptions) -> Truth:
    from ovdistill.extraction.prepare import prepare

    config = testing_config(options, options.folder)
    check_label_maps(config, "test")  # ``testing_config`` has put the subset there
    prepare(config, for_training=False)
    vocabulary = config.test_dataloader.dataset.vocabulary
    return Truth(config_label_maps(config, "test", vocabulary), vocabulary)


def _of_options(options: TestOptions) -> Truth:
    assert options.label_maps and options.label_table  # see ``check_files``
    table = load_label_table(options.label_table)
    found = find_label_maps(options.label_maps)
    if options.vocabulary:
        header = read_header(options.vocabulary)
        names, is_base = header.names, header.is_base
    else:
        chosen, base = split_names(table.class_names(), options.novel)
        names, is_base = chosen.names, tuple(base.tolist())
    return Truth(found.label_maps(table, names, is_base), options.vocabulary)
