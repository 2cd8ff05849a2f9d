"""A row of a table said as a sentence is the docs' own word, and only as the table has it."""

import pytest

from guardrails._shared.sentences import contained

SOURCE = """Sync intervals.

| Integration | Starter | Pro | Enterprise |
| --- | :-: | --- | --- |
| Google Calendar | 5 minutes | 5 minutes | 5 minutes |
| **Salesforce** | not available | 15 minutes | 5 minutes |

| | Small | Large |
|---|---|---|
| Storage | 10 GB | 2 TB |
| Sign-on | | yes |
"""


@pytest.mark.parametrize(
    "sentence",
    [
        "Salesforce – Pro: 15 minutes. [1]\n",
        "- Salesforce – Pro: 15 minutes; Enterprise: 5 minutes.",
        "Storage – Large: 2 TB. [2]",
    ],
)
def test_a_row_as_it_stands(sentence: str) -> None:
    assert contained(sentence, ["Other.", SOURCE])


@pytest.mark.parametrize(
    "sentence",
    [
        "Salesforce – Pro: 5 minutes.",
        "Salesforce – Starter: 15 minutes.",
        "Google Calendar – Pro: 15 minutes.",
        "Salesforce – Pro: 15 minutes; Enterprise: 1 minute.",
        "Salesforce – Pro: 15 minutes for a fee.",
        "Storage – Large: 2 TB; Small: 2 TB.",
        "Storage – 2 TB.",
        "Sign-on – Small.",
        "Sign-on – Small: .",
        " – Large: 2 TB.",
        "Storage – " + "." * 30_000 + "x",
    ],
)
def test_another_cell_is_no_citation(sentence: str) -> None:
    assert not contained(sentence, [SOURCE])
