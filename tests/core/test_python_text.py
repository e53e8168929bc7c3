"""Python source that holds data: whatever the data is, it stays data."""

import ast
from string import Template

import pytest

from ovdistill.core.python_text import docstring, fill, literal

HOSTILE = [
    "plain",
    'double " quote',
    "single ' quote",
    "both ' and \"",
    'end of the docstring """\nraise SystemExit("run")\n"""',
    "'''\nraise SystemExit\n'''",
    "ends in a backslash \\",
    'backslash and quote \\"',
    'three and a backslash \\"""',
    "line\nbreak\r\nand\ttab",
    "nul \0 and bell \a and escape \x1b",
    "{{ fileDirname }}",
    "{{{{ fileBasename }}}}",
    "{{$HOME:default}}",
    "{{_base_.model}}",
    "{{{",
    "\\{{ fileDirname }}",
    "$name ${name} %(name)s %s",
    "Ünïcödé 斑马 🦓",
    "separators \u2028 \u2029 \x85",
    "lone surrogate \udc80",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_literal_is_one_value_and_nothing_else(text):
    for value in (text, [text, text], (text,)):
        source = literal(value)
        assert ast.literal_eval(source) == value
        assert "{{" not in source  # mmengine replaces it before Python reads it
        source.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_docstring_is_one_string_and_nothing_else(text):
    source = docstring(f"{text}\n\nmore{text}")
    module = ast.parse(f"{source}\n\nvalue = 1\n")
    assert len(module.body) == 2
    expected = f"{text}\n\nmore{text}"
    assert ast.literal_eval(source) == expected
    assert "{{" not in source
    source.encode()


def test_numbers_and_lists():
    assert literal(3) == "3" and literal(0.0025) == "0.0025" and literal(None) == "None"
    names = [f"a class of some length, number {n}" for n in range(20)]
    assert ast.literal_eval(literal(names)) == names
    assert max(map(len, literal(names).splitlines())) <= 90


def test_templates_are_filled_with_literals():
    template = Template("a = $a\nb = dict(c=$c)\n")
    namespace: dict = {}
    exec(fill(template, a='"""; raise SystemExit', c="$a"), namespace)
    assert namespace["a"] == '"""; raise SystemExit' and namespace["b"] == {"c": "$a"}
