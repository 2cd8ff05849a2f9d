"""Hashed character n-grams: how a text is spelt, for what the encoder's word pieces lose.

Typing errors, brand names, abbreviations, stretched words. Signed hashing into a fixed width keeps no text.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LONGEST = 2_000
_APART = re.compile(r"[^\w' ]+")
_HIGH_BIT = 31


def grams(
    texts: Sequence[str], width: int, sizes: Sequence[int] = (3, 4, 5), least: float = 1e-9
) -> Floats:
    """Return float32 [n, width], rows of unit length: signed counts of n-grams within words, square-rooted.

    `width` is a power of two (Weinberger et al. 2009, feature hashing). A row shorter than `least` is not stretched
    to unit length but divided by it: of a single word, its spelling says less than of a sentence.
    """
    found = np.zeros((len(texts), width), np.float32)
    for row, text in zip(found, texts, strict=True):
        for word in _APART.sub(" ", text[:LONGEST].lower()).split():
            padded = f" {word} ".encode()
            for size in sizes:
                for start in range(max(1, len(padded) - size + 1)):
                    hashed = zlib.crc32(padded[start : start + size])
                    row[hashed & (width - 1)] += 1.0 if hashed >> _HIGH_BIT else -1.0
    found = np.sign(found) * np.sqrt(np.abs(found))
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, least), np.float32)
