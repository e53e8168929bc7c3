"""Say what happened in a test run, or in several side by side, on a page of HTML.

    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o vild --dump
    ovdistill report vild other=work_dirs/other -o report

writes report.html, which needs no other file and no network, report.md and report.json. What each
part of the page means: docs/report.md. Runs of segmentors have a page of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json, write_text

if TYPE_CHECKING:
    from ovdistill.evaluation.analysis.analyse import Analysis
    from ovdistill.evaluation.analysis.report import RunReport
    from ovdistill.evaluation.analysis.segmentation_run import SegmentationReport
    from ovdistill.evaluation.report_page.gallery import Gallery


@dataclass(frozen=True, kw_only=True)
class ReportOptions(CommonOptions):
    """Options of ``ovdistill report``."""

    runs: tuple[str, ...] = argument(
        "folder of `ovdistill test --dump`, or of a training that was tested so; a name for the "
        "report may stand before it: NAME=FOLDER",
        metavar="RUN",
    )
    out: str = option(
        "report", flags=["-o"], help="folder to write", metavar="DIR", writes="folder"
    )
    gallery: int = option(
        6, metavar="N", help="show N examples of each kind; 0 shows none", least=0
    )
    images: str | None = option(
        None, metavar="DIR", help="folder of the images, if they have moved since the test"
    )


def report(options: ReportOptions) -> None:
    """Write the report.

    Raises:
        UserError: a run without detections, with damaged files, or of other classes than the
            first.
    """
    named = [_split_name(run) for run in options.runs]
    for _, folder in named:
        check_folder(folder, "RUN")
    if options.images is not None:
        check_folder(options.images, "--images")
    from ovdistill.evaluation.analysis.run_files import run_names
    from ovdistill.evaluation.analysis.segmentation_run import segmentation_folder

    short = run_names([Path(folder) for _, folder in named])
    names = [name or other for (name, _), other in zip(named, short, strict=True)]
    if len({*names}) < len(names):
        raise UserError(f"got runs called {', '.join(names)}; name them apart: NAME=FOLDER")
    runs = {name: Path(folder) for name, (_, folder) in zip(names, named, strict=True)}
    folders = {name: segmentation_folder(path) for name, path in runs.items()}
    of_segmentors = {name: folder for name, folder in folders.items() if folder is not None}
    if len(of_segmentors) == len(runs):
        report_segmentors(options, of_segmentors)
    elif of_segmentors:
        other = next(name for name in names if name not in of_segmentors)
        raise UserError(
            f"got a segmentor's run, {next(iter(of_segmentors))}, and {other}, which is none; "
            "expected runs of one kind"
        )
    else:
        report_detectors(options, runs)


def report_detectors(options: ReportOptions, runs: Mapping[str, Path]) -> None:
    """Write the report of detectors.

    Args:
        options: of the command.
        runs: the folder of each run by its name.
    """
    from ovdistill.evaluation.analysis.analyse import analyse_run, check_comparable
    from ovdistill.evaluation.analysis.run_files import read_run
    from ovdistill.evaluation.report_page.markdown import report_markdown
    from ovdistill.evaluation.report_page.page import report_page

    reports, galleries = [], []
    for name, folder in runs.items():
        analysis = analyse_run(read_run(folder), name)
        reports.append(analysis.report)
        check_comparable(reports)
        galleries.append(make_gallery(options, analysis))
    write_pages(options, reports, report_page(reports, galleries), report_markdown(reports))


def report_segmentors(options: ReportOptions, runs: Mapping[str, Path]) -> None:
    """Write the report of segmentors.

    Args:
        options: of the command.
        runs: the folder of each run by its name.

    Raises:
        UserError: a damaged run, one of other classes than the first, or --images.
    """
    from ovdistill.evaluation.analysis.segmentation_run import check_same_classes, read_segmentation
    from ovdistill.evaluation.report_page.segmentation import segmentation_page
    from ovdistill.evaluation.report_page.segmentation_gallery import read_examples
    from ovdistill.evaluation.report_page.segmentation_markdown import segmentation_markdown

    if options.images is not None:
        raise UserError(
            "got --images, which is for detectors; a segmentor's examples are drawn in its test: "
            "ovdistill test ... --dump"
        )
    reports = [read_segmentation(folder, name) for name, folder in runs.items()]
    check_same_classes(reports)
    galleries = [read_examples(folder, options.gallery) for folder in runs.values()]
    page, text = segmentation_page(reports, galleries), segmentation_markdown(reports)
    write_pages(options, reports, page, text)


def write_pages(
    options: ReportOptions,
    reports: Sequence[RunReport] | Sequence[SegmentationReport],
    page: str,
    text: str,
) -> None:
    """Write the three files of a report.

    Args:
        options: of the command.
        reports: of the runs.
        page: HTML.
        text: Markdown.
    """
    out = Path(options.out)
    write_json(out / "report.json", {"runs": [asdict(one) for one in reports]})
    write_text(out / "report.md", text)
    write_text(out / "report.html", page)
    print(f"wrote {out / 'report.html'}, report.md and report.json")


def make_gallery(options: ReportOptions, analysis: Analysis) -> Gallery:
    """Draw the examples of a run.

    Raises:
        UserError: the run does not say where its images are, and the options do not either.
    """
    if not options.gallery:
        return {}
    from ovdistill.inference.example_images import draw_gallery

    images = options.images or analysis.files.origin.get("images")
    if not isinstance(images, str):
        raise UserError(
            f"{analysis.files.folder / 'provenance.json'} does not say where the images are; "
            "expected --images DIR, or --gallery 0 for a report without them"
        )
    return draw_gallery(analysis, Path(images), options.gallery)


def _split_name(run: str) -> tuple[str, str]:
    """Return the name, perhaps empty, and the folder of RUN."""
    name, equals, folder = run.partition("=")
    return (name, folder) if equals and not Path(run).exists() else ("", run)
