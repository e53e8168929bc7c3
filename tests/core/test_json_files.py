"""Test that JSON is read, or refused with our error, whatever the bytes are."""

import codecs

import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import loads, read_json


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_with_and_without_mark(tmp_path, encoding):
    file = tmp_path / "a.json"
    file.write_bytes('{"name": "Käfer"}'.encode(encoding))
    assert read_json(file, "annotation file") == {"name": "Käfer"}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\x00", b"\xff\xfe{", b'"\xe4"', b'"\xed\xa0\x80"', codecs.BOM_UTF8),
        *(b"[" * 200_000, b'{"a":' * 200_000, b"9" * 5000, b"NaN", b"[-Infinity]"),
    ],
    ids=range(12),
)
def test_what_is_no_json_is_our_error(tmp_path, content):
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json"):
        read_json(file, "annotation file")
    with pytest.raises(UserError, match="the header of x"):
        loads(content, "the header of x")


def test_nan_on_request():
    assert loads("[NaN, Infinity]", "x", allow_nan=True)[1] == float("inf")


def test_no_file_or_a_folder(tmp_path):
    with pytest.raises(UserError, match=r"annotation file .*none\.json\. Put it there\."):
        read_json(tmp_path / "none.json", "annotation file", hint="Put it there.")
    with pytest.raises(UserError, match=str(tmp_path)):
        read_json(tmp_path, "annotation file")
    with pytest.raises(UserError):
        read_json("a\0b", "annotation file")
