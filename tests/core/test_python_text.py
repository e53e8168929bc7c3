"""Python source that holds data: whatever the data is, it stays data."""

import ast
from string import Template

import pytest

from ovdistill.core.errors import UserError
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


NESTED = [
    {},
    [[]],
    ((1, 2),),
    [dict(type="A", scale=(640, 400), keep=True), dict(type="B")],
    {"class": 1, "two words": [2.5, None], "ä": {"dotted.key": (dict(a=1),)}},
    {text: [text, {text: (text,)}] for text in HOSTILE},
    dict(long=[dict(type="Resize", scales=[(1333, side) for side in range(400, 900, 32)])]),
]


@pytest.mark.parametrize("value", NESTED)
def test_nested_values_come_back_and_call_nothing_but_dict(value):
    source = literal(value)
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    assert all(isinstance(call.func, ast.Name) and call.func.id == "dict" for call in calls)
    assert eval(source, {"__builtins__": {}, "dict": dict}) == value
    assert "{{" not in source


@pytest.mark.parametrize("value", [print, [print], dict(a=object()), float("nan"), [float("inf")]])
def test_what_is_no_data_is_refused(value):
    with pytest.raises(UserError):
        literal(value)
