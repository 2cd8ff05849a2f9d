"""`make eval`: every quality figure in one table, printed and written to docs/quality.md.

`python -m benchmarks.quality [--data ../shared/data] [--only NAME …] [--write]`. A measure is a module in
benchmarks/measures with `async def measure(bench) -> AsyncIterator[Row]`; it is discovered, not listed. What each
said last is kept in var/quality, so that the page can be written after one measure was repeated.
"""

import argparse
import asyncio
import importlib
import json
import logging
import pkgutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import benchmarks.measures
from benchmarks.bench import Bench, Measure, Row, bench, machine

logger = logging.getLogger(__name__)

PAGE = Path("docs/quality.md")
KEPT = Path("var/quality")
HEAD = "| what | set | figure | known figures | asked | |\n| --- | --- | --- | --- | --- | --- |"
INTRO = """# Quality

Written by `make eval` from the development halves of public sets; nothing was tuned on anything else.
What each figure means, and what limits it, stands in its note.
"""


def measures() -> dict[str, Measure]:
    """Return name → measure of every module in benchmarks/measures."""
    found: dict[str, Measure] = {}
    for module in pkgutil.iter_modules(benchmarks.measures.__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"benchmarks.measures.{module.name}")
            found[module.name] = loaded.measure
    return found


async def run(data: Path, only: Sequence[str]) -> list[str]:
    """Run the measures one after the other, each on an usher of its own; return those that broke."""
    broken = []
    for name, measure in measures().items():
        if only and name not in only:
            continue
        started = time.perf_counter()
        try:
            async with bench(data) as running:
                _keep(name, await _collect(measure, running))
        except Exception:  # hours of other figures must not be lost
            logger.exception("measure %s broke", name)
            broken.append(name)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    return broken


def _keep(name: str, rows: Sequence[Row]) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    told = json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1, default=bool)
    (KEPT / f"{name}.json").write_text(told, encoding="utf-8")


def kept() -> dict[str, list[Row]]:
    """Return measure → what it said last, of those there are."""
    files = {name: KEPT / f"{name}.json" for name in measures()}
    return {
        name: [Row(**row) for row in json.loads(file.read_text("utf-8"))]
        for name, file in files.items()
        if file.exists()
    }


async def _collect(measure: Measure, running: Bench) -> list[Row]:
    rows = []
    async for row in measure(running):
        print(_line(row), flush=True)
        rows.append(row)
    return rows


def _line(row: Row) -> str:
    mark = {True: "met", False: "**not met**", None: ""}[row.met]
    return f"| {row.what} | {row.data} | {row.figure} | {row.known} | {row.target} | {mark} |"


def page(rows: dict[str, list[Row]]) -> str:
    """Return docs/quality.md."""
    lines = [INTRO, HEAD]
    lines += [_line(row) for group in rows.values() for row in group]
    notes = [f"- **{r.what}** ({r.data}): {r.note}" for g in rows.values() for r in g if r.note]
    lines += [
        "",
        f"Written on {machine()}; each measure's rows are those of its last run.",
        "",
        "## Notes",
        "",
        *notes,
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run what is asked for; --write makes the page of what every measure said last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    broken = asyncio.run(run(arguments.data.resolve(), arguments.only))
    if arguments.write:
        PAGE.write_text(page(kept()), encoding="utf-8")
    if broken:
        print(f"broke, so their rows are older or missing: {', '.join(broken)}", file=sys.stderr)
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
