"""The table of classes in a browser, with more classes than it lays out at once."""

from __future__ import annotations

from dataclasses import replace

from ovdistill.evaluation.analysis.analyse import analyse_run
from ovdistill.evaluation.analysis.run_files import read_run
from ovdistill.evaluation.report_page.page import report_page
from tests.app.pages import FLAGS, find_browser
from tests.evaluation.analysis.worlds import random_world, write_files

CLASSES = 250


def test_rows_come_as_the_table_is_scrolled(tmp_path):
    browser = find_browser()
    from playwright.sync_api import sync_playwright

    report = analyse_run(read_run(write_files(tmp_path, *random_world(2))), "a run").report
    rows = [
        replace(report.classes[0], name=f"class {k}", objects=k, ap=-1.0 if k == 7 else k / 4)
        for k in range(CLASSES)
    ]
    confusions = replace(report.confusions, pairs=[], matrix=[{}] * CLASSES)
    page = tmp_path / "report.html"
    page.write_text(report_page([replace(report, classes=rows, confusions=confusions)], [{}]))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        opened = chromium.new_page()
        opened.goto(page.as_uri())
        there = opened.locator("#class-table tbody tr")
        assert there.count() == 100
        header = opened.locator("#class-table thead th")
        header.filter(has_text="AP").first.locator("button").click()
        assert there.first.locator("th").inner_text() == "class 249"
        for _ in range(3):  # to the end
            opened.eval_on_selector(".tall", "one => one.scrollTo(0, one.scrollHeight)")
            opened.wait_for_timeout(50)
        assert there.count() == CLASSES
        assert there.last.locator("th").inner_text() == "class 7"  # without a figure, so last
        opened.locator("input[type=search]").fill("class 24")
        assert there.count() == 11
        chromium.close()
