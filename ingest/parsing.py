"""The process that parses what may be hostile: `python -m ingest.parsing MEMORY`.

Owns nothing but its own limits. Says that it is ready, then takes frames (header, file) on stdin and
answers each with the pages as JSON on stdout, or with {"error": why}. Started and killed by
ingest/reading.py.
"""

import io
import json
import os
import resource
import sys

from ingest.load import load_pages
from ingest.reading import PAGES, receive, send


def main() -> None:
    """Answer until stdin ends."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = io.FileIO(os.dup(1), "w")
    os.dup2(2, 1)  # what a parser prints must not mix with the answers
    questions = sys.stdin.buffer
    with io.BufferedWriter(answers) as out:
        send(out, b"ready")
        while True:
            try:
                header, data = json.loads(receive(questions)), receive(questions)
            except EOFError:
                return
            send(out, _answer(header, data))


def _answer(header: dict[str, str | None], data: bytes) -> bytes:
    try:
        pages = load_pages(
            header["path"] or "", data, header.get("charset"), header.get("media_type")
        )
        return PAGES.dump_json(pages)
    except ValueError as error:
        why = str(error)
    except RecursionError:
        why = "nested too deeply"
    except MemoryError:
        why = "needs too much memory"
    except Exception as error:  # noqa: BLE001 - whatever a parser raises is said, and the next file read
        why = f"cannot be parsed ({type(error).__name__})"
    return json.dumps({"error": why}).encode()


if __name__ == "__main__":
    main()
