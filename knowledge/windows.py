"""A long text in pieces that say one thing each: sentences, lines, header fields.

Owns the cutting, for scores that must not drown in a long mail. Not here: passages of documents (ingest).
"""

import re

LONGEST = 400
MOST = 48
LETTERS = 8
_CUT = re.compile(
    r"(?<=[.!?。！？])[\"')\]”’]*\s+|(?<=[.!?])(?=[A-Z][a-z])|\s*[\n\r|]+\s*|[ \t\u00a0]{3,}"
)


def windows(text: str) -> list[str]:
    """Return up to 48 pieces of at most 400 characters, in order; crumbs without words join their neighbour.

    Of a text with more, the first and the last ones are kept: what is planted stands at an end more often.
    """
    found: list[str] = []
    for part in _CUT.split(text):
        piece = part.strip()
        while len(piece) > LONGEST:
            found.append(piece[:LONGEST])
            piece = piece[LONGEST:]
        if sum(map(str.isalpha, piece)) >= LETTERS:
            found.append(piece)
        elif piece and found:
            found[-1] = f"{found[-1]} {piece}"[: LONGEST + LETTERS]
    if len(found) <= MOST:
        return found
    return found[: MOST // 2] + found[-MOST // 2 :]
