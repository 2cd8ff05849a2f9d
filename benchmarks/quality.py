"""`make eval`: every quality figure in one table, printed and written to docs/quality.md.

`python -m benchmarks.quality [--data ../shared/data] [--only NAME …] [--write]`. A measure is a module in
benchmarks/measures with `async def measure(bench) -> AsyncIterator[Row]`; it is discovered, not listed.
"""

import argparse
import asyncio
import importlib
import pkgutil
import time
from collections.abc import Sequence
from pathlib import Path

import benchmarks.measures
from benchmarks.bench import Bench, Measure, Row, bench, machine

PAGE = Path("docs/quality.md")
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


async def run(data: Path, only: Sequence[str]) -> dict[str, list[Row]]:
    """Run the measures one after the other, each on an usher of its own."""
    rows: dict[str, list[Row]] = {}
    for name, measure in measures().items():
        if only and name not in only:
            continue
        started = time.perf_counter()
        async with bench(data) as running:
            rows[name] = await _collect(measure, running)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    return rows


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
    lines += ["", f"Measured on {machine()}.", "", "## Notes", "", *notes]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is asked for; --write needs all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows = asyncio.run(run(arguments.data.resolve(), arguments.only))
    if arguments.write:
        PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
