"""A code that no page names is not answered from its neighbours."""

import pytest

from core.ids import DocumentId, PassageId
from core.turns import Passage
from knowledge.decision import codes_missing

PASSAGE = Passage(
    PassageId("p"),
    DocumentId("d"),
    "errors.md",
    "Errors",
    "",
    "LB-422 means a value does not fit.",
)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("What does HB-117 mean?", ("hb-117",)),
        ("I get error 504 all day", ("504",)),
        ("¿qué significa el código 9031?", ("9031",)),
        ("It says 0x8007F1, why?", ("0x8007f1",)),
        ("Is LB 422 like LB-422?", ()),
        ("What does lb-422 mean?", ()),
        ("Where is my invoice LW-20231?", ()),
        ("my order A-10234 is late", ()),
        ("Can I import 500 rows?", ()),
        ("I saw this error 10 times today", ()),
        ("Does it cost $29?", ()),
        ("", ()),
    ],
)
def test_codes_that_stand_nowhere(question: str, codes: tuple[str, ...]) -> None:
    assert codes_missing(question, [PASSAGE]) == codes
