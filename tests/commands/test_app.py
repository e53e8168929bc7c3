"""The command that serves the pages: its errors, and what others can reach."""

from __future__ import annotations

import socket
import sys

import pytest

from ovdistill.commands.app import AppOptions, app, find_examples, segmentor_page
from ovdistill.core.errors import UserError

from ..app.pages import running_app


def test_errors_come_before_anything_is_loaded(tmp_path, monkeypatch) -> None:
    with pytest.raises(UserError, match="no such folder"):
        app(AppOptions(index=(tmp_path / "none",)))
    with pytest.raises(UserError, match="no such folder"):
        app(AppOptions(examples=tmp_path / "none"))
    with pytest.raises(UserError, match="image"):
        app(AppOptions(examples=tmp_path))
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(UserError, match=r"ovdistill\[app\]"):
        app(AppOptions())


def test_an_index_is_not_searched_with_a_segmentor(tmp_path) -> None:
    options = AppOptions(model="mine", index=(tmp_path,))
    with pytest.raises(UserError, match=r"--index .* with the segmentor mine; .*--model"):
        segmentor_page(None, options, [], {})


def test_examples(tmp_path) -> None:
    assert [path.name for path, _ in find_examples(AppOptions())] == [
        "ovshapes.png",
        "hexagon.png",
        "checkered.png",
    ]
    assert find_examples(AppOptions(model="my/detector")) == []


@pytest.mark.slow
def test_only_this_computer_and_only_uploads(tmp_path) -> None:
    pytest.importorskip("gradio")
    import httpx

    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    with running_app(tmp_path) as (url, _):
        assert url.startswith("http://127.0.0.1:")
        port = int(url.rsplit(":", 1)[1].strip("/"))
        for address in (one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None)):
            if not address.startswith("127.") and address != "::1":
                with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as other:
                    assert other.connect_ex((address, port)) != 0
        assert httpx.get(url).status_code == 200
        assert httpx.get(f"{url}gradio_api/file={secret}").status_code == 403
        config = httpx.get(f"{url}config").json()
        look = next(one for one in config["dependencies"] if one["api_name"] == "look")
        image = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
        sent = {"data": [image, "", "auto", 0.3], "fn_index": look["id"], "session_hash": "a"}
        httpx.post(f"{url}gradio_api/queue/join", json=sent)
        with httpx.stream("GET", f"{url}gradio_api/queue/data?session_hash=a") as answers:
            last = [line for line in answers.iter_lines() if "process_completed" in line]
        assert '"success": false' in last[0].replace('":', '": ').replace('":  ', '": ')
        taken = running_app(tmp_path / "other", "--port", port)
        (tmp_path / "other").mkdir()
        with pytest.raises(pytest.fail.Exception, match="expected a free port"), taken:
            pass
    assert not list((tmp_path / "tmp").iterdir())
