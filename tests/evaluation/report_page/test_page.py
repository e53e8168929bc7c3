"""Parts of the page that depend on what a run is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ovdistill.evaluation.analysis.analyse import analyse_run
from ovdistill.evaluation.analysis.report import Confusions, ReliabilityBins, RunReport
from ovdistill.evaluation.analysis.run_files import read_run
from ovdistill.evaluation.analysis.segmentation_run import read_segmentation
from ovdistill.evaluation.report_page.curves import reliability_charts
from ovdistill.evaluation.report_page.figures import difference, shown, with_difference
from ovdistill.evaluation.report_page.gallery import DrawnExample, gallery_section
from ovdistill.evaluation.report_page.markdown import report_markdown
from ovdistill.evaluation.report_page.naming import MOST_CLASSES, confusion_matrices
from ovdistill.evaluation.report_page.origin import comparison_warnings, origin_rows
from ovdistill.evaluation.report_page.page import report_page
from ovdistill.evaluation.report_page.proposals import recall, recall_notes
from tests.evaluation.analysis.worlds import random_world, write_files
from tests.evaluation.segmentation_runs import PAIRS, write_run


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> RunReport:
    folder: Path = tmp_path_factory.mktemp("run")
    return analyse_run(read_run(write_files(folder, *random_world(2))), "a run").report


def with_origin(report: RunReport, **changes) -> RunReport:
    return replace(report, origin=report.origin | changes)


def test_figures():
    assert [shown(value) for value in (12.34, 0.0, -1.0, None)] == ["12.3", "0.0", "–", "–"]
    assert [difference(*pair) for pair in ((3, 1), (1, 3), (1, 1.01), (1, -1))] == [
        *("+2.0", "−2.0", "±0.0", ""),
    ]
    assert 'class="plus"' in with_difference(3, 1)
    assert 'class="minus"' in with_difference(3, 1, rising=False)


def test_recall_of_proposals_is_given_only_where_the_rpn_has_so_many(report):
    figures = {"proposal/AR100_novel": 50.0, "proposal/AR1000_novel": 60.0}
    two_stage = with_origin(replace(report, metrics=figures), proposals_per_image=300)
    assert recall(two_stage, 100, "novel") == 50
    assert recall(two_stage, 1000, "novel") is None  # a number that is none
    (note,) = recall_notes([two_stage])
    assert "keeps 300 proposals" in note and "AR@1000" in note and "AR@300" not in note
    assert recall_notes([with_origin(two_stage, proposals_per_image=1000)]) == []


def test_a_detector_without_proposals_has_the_recall_of_its_detections(report):
    assert recall(report, 100, "novel") == report.detection_recall["AR100_novel"]
    assert recall(report, 1000, "novel") is None
    (note,) = recall_notes([report])
    assert "detections" in note and "100 of an image and class." in note
    (note,) = recall_notes([with_origin(report, protocol="lvis")])
    assert "100 of an image." in note


def test_what_differs_between_runs(report):
    other = with_origin(report, hashes={"ann_file": "1"}, subset="val", libraries={"torch": "3"})
    known = with_origin(report, hashes={"ann_file": "0"})
    assert comparison_warnings([report, report]) == []
    assert len(comparison_warnings([known, other])) == 2
    # one that does not say it
    assert comparison_warnings([known, report, with_origin(known, subset=None)]) == []
    (line,) = comparison_warnings([report, with_origin(report, image_ids=[1, 2])])
    assert line.endswith("different images.")
    ids = [{"image_ids": [*range(30), last]} for last in (30, 31)]
    (line,) = comparison_warnings([with_origin(report, **one) for one in ids])
    assert line.endswith("different images.")
    (row,) = (r for r in origin_rows([with_origin(report, **one) for one in ids]) if r[2])
    assert row[0] == "image_ids" and row[1][0] == row[1][1] and "31 values: [0, 1," in row[1][0]
    rows = {name: (values, differs) for name, values, differs in origin_rows([report, other])}
    assert rows["subset"] == (["test", "val"], True)
    assert rows["SHA-256 of ann_file"] == (["", "1"], True)
    assert rows["torch"][1] and not rows["protocol"][1]


@pytest.mark.parametrize(
    ("pairs", "images", "lines"),
    [
        ([[0, 1, 100], [1, 1, 50], [2, 1, 40]], 7, []),  # the same pixels, other names
        ([[0, 1, 99], [1, 1, 51], [2, 1, 40]], 7, ["different label maps."]),
        (PAIRS, 8, ["different numbers of images."]),
    ],
)
def test_what_differs_between_runs_of_segmentors(tmp_path, pairs, images, lines):
    first = read_segmentation(write_run(tmp_path / "a"), "a")
    other = read_segmentation(write_run(tmp_path / "b", pairs=pairs), "b")
    found = comparison_warnings([first, replace(other, images=images)])
    assert [line.removeprefix("The runs were tested with ") for line in found] == lines


def test_of_many_classes_the_matrix_has_the_most_confused(report):
    (row,) = {report.classes[0]}
    names = [f"class {k}" for k in range(200)]
    matrix = [{k: 5} for k in range(200)]
    matrix[150] = {150: 4, 7: 1}
    many = replace(
        report,
        classes=[replace(row, name=name, group="base") for name in names],
        confusions=Confusions(pairs=[("class 150", "class 7", 1)], matrix=matrix),
    )
    (chart,) = confusion_matrices([many])
    assert f"the {MOST_CLASSES} most confused classes" in chart
    assert "class 150 called class 7: 20 %" in chart
    assert chart.count('class="right"') == MOST_CLASSES


def test_the_gallery_keeps_to_its_size():
    one = DrawnExample("cat, missed", "0.png", bytes(1000))
    lost = DrawnExample("dog, missed", "1.png", None)
    section = gallery_section("run", {"missed": [one, one, lost, one]}, 2500)
    assert section.count("<img") == 2
    assert "1 more are left out" in section
    assert "1 images could not be read, the first: 1.png" in section
    assert section.count("there are none") == 4


def test_a_group_without_detections_has_no_calibration_error(report):
    empty = ReliabilityBins([0, 0], [0.0, 0.0], [0.0, 0.0], -1.0)
    bins = report.reliability | {"novel": empty}
    one = replace(report, reliability=bins)
    novel = reliability_charts([one])[2]
    assert "a run (no detections)" in novel and "ECE" not in novel
    table = report_markdown([one]).split("## Expected calibration error")[1].split("\n\n")[1]
    *_, base, last, _ = table.splitlines()[-1].split("|")
    assert float(base) >= 0 and last == " – "


def test_parts_without_figures_are_left_out(report):
    page = report_page([report], [{}])
    assert 'id="gallery"' not in page and 'id="training"' not in page
    assert 'id="matrix"' in page and "Small numbers are differences" not in page
    curves = {"losses": {"loss": [(1.0, 2.0), (2.0, 1.0)]}, "ap": {"bbox/AP": [(2.0, 30.0)]}}
    page = report_page([replace(report, training=curves)], [{}])
    assert "losses of the training" in page and "AP on the val images" in page
