"""One module per subject; each has `async def measure(bench)` yielding rows of docs/quality.md."""
