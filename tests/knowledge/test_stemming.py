"""Stems are the same whoever asks for them, and when."""

import sys
from concurrent.futures import ThreadPoolExecutor

from knowledge.stemming import stem, unaccented

WORDS = (
    "notification",
    "notifications",
    "cancelling",
    "conditional",
    "relational",
    "happiness",
    "a",
)


def test_many_threads_get_what_one_gets() -> None:
    alone = {word: stem(word, "english") for word in WORDS}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda at: stem(WORDS[at % 7], "english"), range(7000)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [alone[WORDS[at % 7]] for at in range(7000)]


def test_accents_go_in_every_language() -> None:
    assert stem("facturación", "spanish") == stem("facturacion", "spanish")
    assert unaccented("Übergröße") == "Ubergroße"
