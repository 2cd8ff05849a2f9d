"""Tells whether a sentence of a text is an instruction planted for an assistant that reads it.

Owns what is looked at: the sentence's vector, how it is built, and how far it stands from what the rest of the
text is about. Alone, "What is the capital of Peru?" is a harmless question; in the middle of a payment notice
it is somebody talking past the reader. Not here: attacks that say so openly (the `injection` head, cues).
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# Fewer pieces are a message, not a mail that something could be planted in.
FEWEST = 3
_COMMANDS = """
add answer append ask assume act begin build break call change check classify combine compare compose compute
convert create debug define delete describe design develop direct display do double draft draw emphasise
emphasize encode encourage end enhance enter execute explain express fill find finish fix forecast forget
format forward generate give group highlight ignore imagine include insert integrate introduce invite leave
let list look make mention misspell modify name offer open outline output plan pretend print produce promote
propose provide put rank rate rearrange recite recommend remind remove render repeat replace reply report
respond return reverse rewrite rhyme say schedule scramble search send set share show simplify sing solve sort
speak spell spread start state substitute suggest summarise summarize swap talk teach tell tease transform
translate turn use urge write anade agrega responde contesta escribe ignora olvida incluye menciona traduce
explica di dime cuenta envia manda redacta resume recomienda sustituye reemplaza usa convierte invierte
codifica
"""
_VERBS = frozenset(_COMMANDS.split())
_OPENING = frozenset({"please", "now", "also", "then", "por", "favor", "ahora", "y", "and"})
_SIGNS = (
    re.compile(
        r"\b(?:your|the|tu|su|la) (?:\w+ )?(?:reply|response|answer|message|output|summary|text|words?"
        r"|respuesta|mensaje)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:assistant|ai|language model|chatbot|bot|llm|prompt|instructions?|asistente|instrucciones)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:users?|readers?|usuarios?|lector(?:es)?)\b", re.IGNORECASE),
    re.compile(r"^(?:can|could|would|will) you\b|\bplease\b|\bpor favor\b", re.IGNORECASE),
    re.compile(
        r"^(?:what|who|when|where|which|why|how|is|are|do|does|que|quien|cuando|donde|cual|como|¿)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\?[\"')\]]*$"),
    re.compile(
        r"\b(?:i|i'm|i've|my|we|our|me|us|yo|mi|nosotros|nuestr\w+|me|nos)\b", re.IGNORECASE
    ),
    re.compile(r"\d"),
    re.compile(r"[$€£]"),
    re.compile(r"[\"“«]|(?<=\s)'"),
    re.compile(r"https?:|www\.|\.com\b", re.IGNORECASE),
)
_MAIL = re.compile(
    r"\b(?:subject|asunto|from|de|email_from|received date|sent|date|fecha|to|para|content):|unsubscribe"
    r"|^(?:hi|hello|dear|hola|estimad[oa]s?)\b[^.!?]{0,40}(?:,|:|$)|\b(?:regards|sincerely|saludos|atentamente"
    r"|sent from|sent with|the \w+ team)\b|reply to this email|©|all rights reserved|^>",
    re.IGNORECASE | re.MULTILINE,
)
_CONTEXT = 6
WIDTH = 384 + 2 + len(_SIGNS) + _CONTEXT


def planted_features(text: str, pieces: Sequence[str], vectors: Floats) -> Floats:
    """Return float32 [n, WIDTH] for a text's pieces and their unit vectors [n, 384]."""
    mail = {found.group(0).lower() for found in _MAIL.finditer(text[:8_000])}
    near = vectors @ vectors.T
    np.fill_diagonal(near, -1)
    total = vectors.sum(axis=0)
    rows = []
    for i, piece in enumerate(pieces):
        rest = total - vectors[i]
        context = [
            float(vectors[i] @ rest / (np.linalg.norm(rest) + 1e-9)) if len(pieces) > 1 else 1.0,
            float(near[i].max()) if len(pieces) > 1 else 1.0,
            max((float(near[i, j]) for j in (i - 1, i + 1) if 0 <= j < len(pieces)), default=1.0),
            min(len(pieces), 20) / 10,
            min(len(mail), 4) / 2,
            float(bool(mail)),
        ]
        rows.append(np.concatenate([vectors[i], _built(piece), context]))
    return np.asarray(rows, np.float32)


def _built(piece: str) -> list[float]:
    """Return how a piece is built: commanding or not, its length, and what it speaks of."""
    words = re.findall(r"[a-záéíóúüñ']+", piece.lower())
    first = next((i for i, word in enumerate(words[:4]) if word not in _OPENING), 0)
    commands = bool(words) and words[first] in _VERBS
    signs = [float(bool(sign.search(piece))) for sign in _SIGNS]
    return [float(commands), min(len(words), 40) / 20, *signs]
