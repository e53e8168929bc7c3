"""Whatever the bytes of embeddings and templates are: what was meant, or our error."""

import io

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.prompts import fill_template, read_templates
from ovdistill.vocabulary.published_embeddings import embeddings_from_array, read_array


def npy(header: str) -> bytes:
    """Return a .npy file with a header and 64 bytes of data."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04N.", b"\x00" * 100),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 512)}"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 512)}"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
        npy("{'descr': '<f8', 'fortran_order': 5, 'shape': 'a'}"),
        npy("(" * 5000),
        npy("{'descr': " + "[" * 900),
        npy("exit()"),
    ],
    ids=range(12),
)
def test_arrays_of_any_bytes(tmp_path, content):
    (tmp_path / "e.npy").write_bytes(content)
    with pytest.raises(UserError, match=r"e\.npy"):
        read_array(tmp_path / "e.npy")


def test_values_beyond_float32():
    with pytest.raises(UserError, match="'b'"):
        embeddings_from_array(np.array([[1.0, 0, 0], [1e308, 0, 0]]), ["a", "b"])


@pytest.mark.parametrize(
    "template",
    [
        "{} {article:>1000000000}",
        "{:>1000000000} {}",
        "{} {article.__class__}",
        "{} {article!r}",
        "{} {0}",
        "{} {}",
        "{} {",
    ],
)
def test_a_placeholder_is_a_placeholder_alone(template):
    with pytest.raises(UserError, match="placeholder"):
        fill_template(template, "cup")


def test_templates_of_any_bytes(tmp_path):
    for content in (b"\xff\xfe", b"\0", b"fox\nowl\n", b""):
        (tmp_path / "t.txt").write_bytes(content)
        with pytest.raises(UserError):
            read_templates(tmp_path / "t.txt")
    with pytest.raises(UserError):
        read_templates(tmp_path)
    with pytest.raises(UserError):
        read_templates("a\0b")


def test_a_good_array_is_read(tmp_path):
    content = io.BytesIO()
    np.save(content, np.eye(2, 3))
    (tmp_path / "e.npy").write_bytes(content.getvalue())
    assert embeddings_from_array(read_array(tmp_path / "e.npy"), ["a", "b"]).shape == (2, 3)
