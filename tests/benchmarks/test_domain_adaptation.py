"""`benchmarks/domain_adaptation.py`: its table, and what a student of each row takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.domain_adaptation import (
    METHODS,
    BenchmarkOptions,
    Teachers,
    chosen_rows,
    method_of,
    read_figures,
    slug,
    student_options,
    table,
    write,
)
from ovdistill.core.errors import UserError


def figures(row, seed=0, **more):
    return dict(row=row, seed=seed, base=50.0 + seed, novel=40.0, harmonic=44.4, seconds=7.4) | more


@pytest.fixture
def options(tmp_path):
    return BenchmarkOptions(out=tmp_path)


def test_rows_are_means_in_the_order_of_the_methods():
    rows = ["LoRA, average 0.25", "LoRA", "CoOp, a context a class", "none", "CoOp"]
    found = table([figures(row, seed) for row in rows for seed in (0, 1)]).splitlines()
    titles = [line.split(" | ")[0].lstrip("| ") for line in found[2:]]
    assert titles == ["none", "CoOp", "CoOp, a context a class", "LoRA", "LoRA, average 0.25"]
    assert "| 50.5 | 40.0 | 44.4 | 7 |" in found[2]
    assert "student" not in found[0]
    assert "student's novel AP" in table([figures("none", student_novel=12.34)])


def test_what_is_there_is_not_done_again(options):
    assert Teachers(options, 0).missing([]) == ["none", *METHODS]
    left = Teachers(options, 0).missing([figures("none"), figures("UPT", 1)])
    assert left == [*METHODS]


@pytest.mark.parametrize(
    ("more", "message"), [(dict(shots=4), "--shots 16"), (dict(student="B"), "of recipe A")]
)
def test_figures_of_other_settings_do_not_mix(options, more, message):
    write(options, "A", [figures("none", student_novel=12.3)])
    with pytest.raises(UserError, match=message):
        read_figures(replace(options, **more))


@pytest.mark.parametrize(
    ("own", "given", "student"),
    [
        (figures("none", student_novel=12.3), None, "A"),
        (figures("none", student_novel=12.3), "A", "A"),
        (figures("none"), "B", "B"),
    ],
)
def test_students_keep_their_recipe(options, own, given, student):
    write(options, "A", [own])
    assert read_figures(replace(options, student=given)) == (student, [own])


def test_rows_are_chosen_by_name(options):
    few = replace(options, rows=("UPT", "none"))
    assert chosen_rows(few) == ["none", "UPT"]
    average = replace(options, rows=("fine-tuning, average 0.5",))
    assert chosen_rows(average) == ["fine-tuning"]
    assert Teachers(few, 0).missing([figures("none")]) == ["UPT"]
    for row in ("magic", "none, average 0.5", "LoRA, average 0.6"):
        with pytest.raises(UserError, match=f"'{row}'"):
            chosen_rows(replace(options, rows=(row,)))
    assert method_of("LoRA, average 0.25") == "LoRA"
    assert method_of("CoOp, a context a class") == "CoOp, a context a class"


@pytest.mark.parametrize(
    ("row", "key", "name"),
    [
        ("CoOp, a context a class", "vocabulary", "coop-a-context-a-class.safetensors"),
        ("linear probe", "vocabulary", "linear-probe.safetensors"),
        ("UPT", "teacher.adapter", "upt.safetensors"),
        ("fine-tuning, average 0.25", "teacher.model", "fine-tuning-average-025"),
    ],
)
def test_a_student_takes_what_a_row_wrote(options, row, key, name):
    given = dict(o.split("=", 1) for o in student_options(options, figures(row), Path("inputs")))
    assert given["regions"] == "inputs/regions"
    assert given[key] == str(options.out / "teachers" / "seed0" / name)
    assert ("prepare.vocabulary" in given) == (key == "vocabulary")


def test_a_teacher_as_it_is_has_no_file(options):
    given = [*student_options(options, figures("none"), Path("inputs"))]
    assert given == ["regions=inputs/regions", "vocabulary=inputs/vocabulary.safetensors"]


def test_names_of_files_differ():
    names = ["none", *METHODS, *(f"LoRA, average {share}" for share in (0.25, 0.5, 0.75))]
    assert len({*map(slug, names)}) == len(names)
