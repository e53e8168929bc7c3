"""The notebook of demo/ runs from end to end, with less training."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).parents[2] / "demo" / "ovshapes.ipynb"
SMALL = "TRAIN_IMAGES, TEST_IMAGES, ITERATIONS = 16, 4, 2"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_committed_without_outputs(notebook):
    nbformat.validate(notebook)
    assert not [cell for cell in code_cells(notebook) if cell.outputs or cell.execution_count]


@pytest.mark.slow
def test_it_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    (parameters,) = (
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())
    )
    parameters.source, changed = re.subn("TRAIN_IMAGES, .*", SMALL, parameters.source)
    assert changed == 1
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(tmp_path)}},
        skip_cells_with_tag="skip-execution",  # it installs the package
    )
    client.execute()
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    drawings = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(drawings) == 4  # two of the shipped detector, one of the trained one, one hit
    said = "".join(output.get("text", "") for output in outputs)
    assert re.search(r"nothing competes: .* striped star", said)
    assert re.search(r"the training's names do: +no detections", said)
    assert re.search(r"^8\. ", said, re.MULTILINE)
