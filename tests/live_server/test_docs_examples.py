"""The curl examples of docs/api.md do what they say, sent to a running server."""

import argparse
import re
import shlex
from pathlib import Path

import httpx
import pytest

from tests.live import Live

pytestmark = pytest.mark.allow_blocking

PAGE = Path(__file__).parents[2] / "docs/api.md"
SHOWN = "http://127.0.0.1:8000"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def curl(command: str, base_url: str) -> httpx.Response:
    """Send what a curl command line would send; an option the docs do not use is refused."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    program, *words = shlex.split(command)
    assert program == "curl"
    asked = parser.parse_args(words)
    return httpx.request(
        asked.method or ("POST" if asked.body else "GET"),
        asked.url.replace(SHOWN, base_url),
        headers=dict(line.split(": ", 1) for line in asked.headers),
        content=asked.body,
        timeout=60,
    )


def commands(block: str) -> list[str]:
    return block.replace("\\\n", " ").strip().splitlines()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: re.findall(r"8000(/\w+)", b)[0])
def test_an_example_works(live: Live, block: str) -> None:
    for command in commands(block):
        answer = curl(command, live.url)
        assert answer.is_success, (command, answer.text)


def test_the_first_example_is_answered_from_the_docs(live: Live) -> None:
    answer = curl(commands(BLOCKS[0])[0], live.url).json()
    assert "14 days" in answer["reply"]
    named = re.findall(r"\w+", re.findall(r"→ `\{(.*?)\}`", PAGE.read_text("utf-8"), re.DOTALL)[0])
    assert set(named) >= set(answer)
    assert set(answer["citations"][0]) <= set(named)


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 6
