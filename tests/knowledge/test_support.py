"""The grounding score on answers a help centre might give (claims.yaml), none of which taught it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from knowledge.claims import SIGNS, read, relations, signs
from knowledge.encoder import Encoder
from knowledge.support import FEATURES, WEIGHTS, shipped, support

CUT = 0.5
PAGES = yaml.safe_load(Path(__file__).with_name("claims.yaml").read_text("utf-8"))
RIGHT = ("same", "said")
# What the signs are made to notice, and what needs knowledge of the world beyond them.
SURE = ("same", "number", "negation", "name", "foreign")


def claims(*kinds: str) -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        for kind in kinds:
            for claim in page.get(kind, ()):
                yield page["source"], claim, kind


KINDS = tuple(dict.fromkeys(kind for page in PAGES for kind in page if kind != "source"))


@pytest.fixture
async def scored(encoder: Encoder) -> list[tuple[str, str, bool]]:
    return [
        (kind, claim, (await support(encoder, claim, [source]) >= CUT) == (kind in RIGHT))
        for source, claim, kind in claims(*KINDS)
    ]


async def test_most_are_judged_right(scored: list[tuple[str, str, bool]]) -> None:
    assert len(scored) >= 60
    wrong = [claim for _, claim, right in scored if not right]
    assert len(wrong) <= 0.1 * len(scored), wrong


@pytest.mark.parametrize(
    ("source", "claim", "kind"), [pytest.param(*c, id=c[1]) for c in claims(*SURE)]
)
async def test_numbers_names_negations_and_repetitions(
    encoder: Encoder, source: str, claim: str, kind: str
) -> None:
    assert (await support(encoder, claim, [source]) >= CUT) == (kind in RIGHT)


async def test_the_weakest_sentence_decides(encoder: Encoder) -> None:
    source, good, bad = PAGES[0]["source"], PAGES[0]["same"][0], PAGES[0]["number"][0]
    assert await support(encoder, good, [source]) >= CUT
    assert await support(encoder, f"{good} {bad}", [source]) < CUT


async def test_nothing_claimed_and_nothing_to_lean_on(encoder: Encoder) -> None:
    assert await support(encoder, "", ["Something."]) == 1.0
    assert await support(encoder, "[1]", ["Something."]) == 1.0
    assert await support(encoder, "Boards can be exported.", []) == 0.0
    assert await support(encoder, "Boards can be exported.", ["", " "]) == 0.0


async def test_markers_are_not_numbers_of_the_claim(encoder: Encoder) -> None:
    claim = PAGES[0]["same"][0]
    assert await support(encoder, f"{claim} [7]", [PAGES[0]["source"]]) >= CUT


@pytest.mark.parametrize(
    ("claim", "source", "sign"),
    [
        ("It costs 1,200 euros.", "It costs 1200 euros.", None),
        ("It costs 2.50 euros.", "It costs 2.5 euros.", None),
        ("Seven boards are free.", "7 boards are free.", None),
        ("It has nine seats.", "It has seats.", "number_missing"),
        ("Exports are unavailable.", "Exports are available.", "prefix_turned"),
        ("Exports are available.", "Exports are unavailable.", "prefix_turned"),
        ("Guests fail to see boards.", "Guests see boards.", "hindered"),
        ("It doesn't work.", "It works.", "negation_new"),
        ("It doesn’t work.", "It works.", "negation_new"),
        ("Everything is public.", "Everything is private.", "opposite"),
    ],
)
def test_signs(claim: str, source: str, sign: str | None) -> None:
    counts = dict(zip(SIGNS, signs(claim, [source], [read(source)]), strict=True))
    speaking = {
        name for name in SIGNS if counts[name] and name not in ("unknown_share", "reworded")
    }
    assert (sign in speaking) if sign else not speaking


def test_no_sign_speaks_for_a_text_but_rewording() -> None:
    weights = dict(zip(FEATURES, shipped().weights, strict=True))
    assert [name for name, weight in weights.items() if weight > 0] in ([], ["reworded"])


def test_no_word_excludes_what_may_stand_for_it() -> None:
    known = relations()
    both = {
        (one, other)
        for one, others in known.opposites.items()
        for other in others & known.synonyms.get(one, frozenset())
    }
    assert not both


def test_weights_are_a_small_file() -> None:
    assert WEIGHTS.stat().st_size < 2_000
