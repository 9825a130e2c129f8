"""The workflow that comments: its own scripts, run by gh against an API on loopback."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

HOW_TO = Path(__file__).parents[3] / "docs/howto/pull-request.md"
SHA = "5a" * 20
MARK = "<!-- boardless-budget -->\n"
REPORT = MARK + "**PASS app.elf: 3 budgets kept**\n"
MISSING = [tool for tool in ("gh", "jq", "unzip") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not on this machine: apt-get install {' '.join(MISSING)}"
)


def scripts() -> list[str]:
    """What the steps of the commenting workflow run."""
    text = HOW_TO.read_text("utf-8").partition("workflow_run:")[2]
    return [textwrap.dedent(found) for found in re.findall(r"run: \|\n((?: {10}.*\n)+)", text)]


def packed(**files: str) -> bytes:
    """An artifact."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr({"report": "report.md", "sha": "head-sha"}.get(name, name), text)
    return stream.getvalue()


class Api(HTTPServer):
    """One repository: an artifact, pull requests, comments."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.artifact = packed(report=REPORT, sha=SHA + "\n")
        self.pulls = [{"number": 7, "head": {"sha": SHA}}]
        self.comments: list[dict[str, object]] = []
        self.asked: list[str] = []

    def answer(self, method: str, url: str, body: bytes) -> bytes:
        parts = urlsplit(url)
        path = parts.path.removeprefix("/repos/owner/app/")
        self.asked.append(f"{method} {path}")
        if path == "actions/runs/31/artifacts":
            return json.dumps({"artifacts": [{"name": "budget", "id": 5}]}).encode()
        if path == "actions/artifacts/5/zip":
            return self.artifact
        if path == "pulls":
            assert parse_qs(parts.query)["head"] == ["fork:feature"]
            return json.dumps(self.pulls).encode()
        text = str(json.loads(body)["body"]) if body else ""
        if method == "POST":
            assert path == "issues/7/comments"
            user = {"login": "github-actions[bot]"}
            self.comments.append({"id": len(self.comments), "user": user, "body": text})
        elif method == "PATCH":
            self.comments[int(path.rpartition("/")[2])]["body"] = text
        return json.dumps(self.comments).encode()


class Handler(BaseHTTPRequestHandler):
    """gh comes through it as a proxy, so the request holds a whole address."""

    server: Api

    def _handle(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        answer = self.server.answer(self.command, self.path, self.rfile.read(size))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - BaseHTTPRequestHandler's names

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run_workflow(api: Api, folder: Path) -> int:
    """The exit code of its steps, up to the first that fails."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GH_HOST": "github.localhost",
        "GH_TOKEN": "none",
        "HTTP_PROXY": f"http://127.0.0.1:{api.server_port}",
        "GH_REPO": "owner/app",
        "HEAD_SHA": SHA,
        "RUN": "31",
        "HEAD": "fork:feature",
    }
    for script in scripts():
        command = ["bash", "-c", script]
        done = subprocess.run(command, cwd=folder, env=variables, timeout=120, check=False)
        if done.returncode:
            return done.returncode
    return 0


def test_the_comment_is_made_once_and_then_kept_up_to_date(api: Api, tmp_path: Path) -> None:
    api.comments = [{"id": 0, "user": {"login": "someone"}, "body": MARK + "not ours"}]
    assert len(scripts()) == 2
    assert run_workflow(api, tmp_path) == 0
    assert [comment["body"] for comment in api.comments] == [MARK + "not ours", REPORT]
    api.artifact = packed(report=REPORT.replace("PASS", "FAIL"), sha=SHA)
    assert run_workflow(api, tmp_path) == 0
    bodies = [comment["body"] for comment in api.comments]
    assert bodies == [MARK + "not ours", REPORT.replace("PASS", "FAIL")]
    assert api.asked[-1] == "PATCH issues/comments/1"


@pytest.mark.parametrize(
    "artifact",
    [
        packed(report=REPORT, sha="0" * 40),
        packed(report=REPORT),
        packed(sha=SHA),
        packed(report="", sha=SHA),
        b"no archive",
    ],
    ids=["another commit", "no commit", "no report", "empty report", "no archive"],
)
def test_an_artifact_that_does_not_fit_is_not_posted(
    api: Api, tmp_path: Path, artifact: bytes
) -> None:
    api.artifact = artifact
    assert run_workflow(api, tmp_path) != 0
    assert api.comments == []


def test_no_pull_request_at_that_commit_is_no_comment(api: Api, tmp_path: Path) -> None:
    api.pulls = [{"number": 8, "head": {"sha": "0" * 40}}]
    assert run_workflow(api, tmp_path) == 0
    assert api.comments == []


def test_a_report_of_any_length_and_content_is_one_comment_with_the_mark(
    api: Api, tmp_path: Path
) -> None:
    hostile = "$(touch taken) `touch taken` \\ \" ' \u2026\n" * 40_000
    api.artifact = packed(report=hostile, sha=SHA, **{"../taken": "x"})
    assert run_workflow(api, tmp_path) == 0
    assert run_workflow(api, tmp_path) == 0
    (comment,) = api.comments
    body = str(comment["body"])
    assert body.startswith(MARK + "$(touch taken)")
    assert len(body) <= 65_536
    assert not list(tmp_path.parent.glob("**/taken"))
