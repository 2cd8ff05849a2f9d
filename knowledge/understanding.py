"""One encoder pass over a message: language, intent, mood, threats, times, a wish for a person.

Owns what is computed and how words and heads are joined; never raises for odd text, and without the encoder
says what words alone say. Not here: what follows from a score (core/escalation.py, handlers).
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import yaml

from core.errors import BadInputError
from core.ids import TenantId
from core.understanding import Said, Scored, TimeSpan, Understanding
from knowledge.asks_human import HumanWords
from knowledge.cues import Cues, read_cues
from knowledge.encoder import Encoded
from knowledge.intents import IntentModel, merged
from knowledge.language import Languages
from knowledge.linear import HEAD_NAMES, SENTIMENT, LinearHead, flatten, load_heads
from knowledge.times import find_times

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]

HERE = Path(__file__).parent
HEADS = HERE / "heads"
NONE_PHRASES = HERE / "phrases" / "none.yaml"
LONGEST = 8_000
# The encoder reads English: in other languages a head alone never crosses a threshold, words must agree.
OTHER_LANGUAGES = 0.45
# Who is this angry is not in a neutral mood, whatever the irony.
CERTAIN_ANGER = 0.8
# A long message is judged by its most telling part, not by its average.
PART = 320
MOST_PARTS = 6


class Encodes(Protocol):
    """The encoder as far as it is needed here."""

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Return vectors float32 [n, 384] and layer means float32 [n, 4, 384], all of unit length."""
        ...


class SentimentModel(Protocol):
    """A slot for a stronger sentiment model, such as a `transformers` pipeline; none by default."""

    async def sentiment(self, text: str) -> float:
        """Return in [-1, 1] how the text feels. May raise; the head answers then."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Word lists by locale, from the lines files. `human` are the ways to ask for a person."""

    human: Mapping[str, Iterable[str]] = field(default_factory=dict)


class Understander:
    """Implements `core.ports.Understands`. Safe to share between tasks."""

    def __init__(
        self,
        encoder: Encodes,
        phrases: Mapping[str, Sequence[str]],
        words: Words,
        *,
        heads: Mapping[str, LinearHead] | None = None,
        sentiment_model: SentimentModel | None = None,
        locale: str = "en",
        cache: Path | None = None,
    ) -> None:
        """Keep the parts; `phrases` are intent → example phrases of the handlers, for every tenant.

        `heads` are read from knowledge/heads when not given; `cache` is a folder where phrases' vectors outlive
        the process. Raises MisconfiguredError when heads are missing.
        """
        self._encoder = encoder
        self._phrases = merged(phrases)
        self._human = HumanWords(words.human)
        self._heads = dict(heads) if heads is not None else load_heads(HEADS)
        self._sentiment = sentiment_model
        self._languages = Languages()
        self._locale = locale
        self._cache = cache
        self._own: dict[TenantId, dict[str, list[str]]] = {}
        self._models: dict[TenantId | None, IntentModel | None] = {}
        self._fitting = asyncio.Lock()

    async def prepare(self) -> None:
        """Fit the shared intents now, so that the first message does not wait."""
        await self._model(None)

    async def teach(self, tenant: TenantId, phrases: Mapping[str, Sequence[str]]) -> None:
        """Give a tenant phrases of its own beside the handlers'; replaces what it had, used from the next message."""
        self._own[tenant] = merged(phrases)
        self._models.pop(tenant, None)

    async def understand(
        self, tenant: TenantId, text: str, talk: Sequence[Said], now: datetime, time_zone: str
    ) -> Understanding:
        """Return what the message means; never raises for odd text.

        With the encoder down the result is `degraded`: language, times, asking for a person, and the scores
        that plain words give.
        """
        text = text[:LONGEST]
        cues = read_cues(text)
        language = await self._language(text, talk)
        times = await asyncio.to_thread(_times, text, now, time_zone, language)
        asks_human = self._human.asked(text)
        scores: dict[str, float] | None = None
        intent: Scored | None = None
        if text.strip():
            try:
                parts = _parts(text)
                encoded = await self._encoder.encode([text, *parts])
                scores = self._scores(encoded)
                intent = await self._intent(tenant, encoded.vectors[0])
            except Exception:  # the encoder may fail in any way; words still work
                logger.exception("understanding.degraded")
                scores = None
        else:
            scores = dict.fromkeys((SENTIMENT, *HEAD_NAMES), 0.0)
        if scores is not None and language != "en":
            scores = {name: _muted(name, score) for name, score in scores.items()}
        mood = await self._mood(text, scores, cues, language)
        return _joined(language, intent, mood, scores, cues, times, asks_human=asks_human)

    async def _language(self, text: str, talk: Sequence[Said]) -> str:
        running = self._locale
        try:
            for said in reversed(talk):
                if said.role == "customer" and sum(map(str.isalpha, said.text)) >= 12:
                    running = await self._languages.of(said.text, running)
                    break
            return await self._languages.of(text, running)
        except Exception:
            logger.exception("understanding.language_failed")
            return running

    def _scores(self, encoded: Encoded) -> dict[str, float]:
        features = flatten(encoded.layers)
        found = {}
        for name, head in self._heads.items():
            rows = head.score(features)
            found[name] = float(rows.min() if name == SENTIMENT else rows.max())
            if name == SENTIMENT and rows[0] > 0 and len(rows) > 1:
                found[name] = float((rows[0] + rows.min()) / 2)
        return found

    async def _intent(self, tenant: TenantId, vector: Floats) -> Scored | None:
        model = await self._model(tenant if tenant in self._own else None)
        return model.predict(vector) if model is not None else None

    async def _model(self, tenant: TenantId | None) -> IntentModel | None:
        if tenant not in self._own:
            tenant = None  # nothing of its own: the shared one
        if tenant in self._models:
            return self._models[tenant]
        async with self._fitting:
            if tenant not in self._models:
                own = self._own.get(tenant, {}) if tenant is not None else {}
                self._models[tenant] = await self._fit(merged(self._phrases, own))
        return self._models.get(tenant)

    async def _vectors(self, texts: Sequence[str]) -> Floats:
        """Return the phrases' vectors, from the folder when they were encoded before: 3 s at every start."""
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
        file = self._cache / f"phrases-{digest}.npy" if self._cache else None
        if file is not None:
            kept = await asyncio.to_thread(_read_vectors, file, len(texts))
            if kept is not None:
                return kept
        vectors = (await self._encoder.encode(texts)).vectors
        if file is not None:
            await asyncio.to_thread(_write_vectors, file, vectors)
        return vectors

    async def _fit(self, phrases: Mapping[str, Sequence[str]]) -> IntentModel | None:
        none = await asyncio.to_thread(none_phrases)
        texts = [phrase for group in phrases.values() for phrase in group] + none
        vectors = await self._vectors(texts)
        grouped: dict[str, Floats] = {}
        start = 0
        for name, group in phrases.items():
            grouped[name] = vectors[start : start + len(group)]
            start += len(group)
        return await asyncio.to_thread(IntentModel.fit, grouped, vectors[start:])

    async def _mood(
        self, text: str, scores: Mapping[str, float] | None, cues: Cues, language: str
    ) -> float:
        mood = scores[SENTIMENT] if scores is not None else cues.mood
        if self._sentiment is not None:
            try:
                return max(-1.0, min(1.0, await self._sentiment.sentiment(text)))
            except Exception:
                logger.exception("understanding.sentiment_model_failed")
        if language == "es" and cues.mood and scores is not None:
            return cues.mood
        return mood


def _muted(name: str, score: float) -> float:
    return score / 2 if name == SENTIMENT else min(score, OTHER_LANGUAGES)


def _joined(
    language: str,
    intent: Scored | None,
    mood: float,
    scores: Mapping[str, float] | None,
    cues: Cues,
    times: tuple[TimeSpan, ...],
    *,
    asks_human: bool,
) -> Understanding:
    lifted = {
        name: round(cues.lift(name, None if scores is None else scores[name]), 4)
        for name in HEAD_NAMES
    }
    said = "anger" in cues.sure or (mood < 0 and ("anger" in cues.hints or cues.shouts))
    if lifted["anger"] >= CERTAIN_ANGER or (lifted["anger"] >= 0.6 and said):
        mood = min(mood, -0.7)
    return Understanding(
        language=language,
        intent=intent,
        sentiment=round(max(-1.0, min(1.0, mood)), 4),
        times=times,
        asks_human=asks_human,
        degraded=scores is None,
        **lifted,
    )


def _times(text: str, now: datetime, time_zone: str, language: str) -> tuple[TimeSpan, ...]:
    try:
        return find_times(text, now, time_zone, language)
    except Exception:
        logger.exception("understanding.times_failed")
        return ()


def _parts(text: str) -> list[str]:
    """Return a long text's pieces, cut at sentence ends where there are any; none for a short one."""
    if len(text) <= PART:
        return []
    pieces: list[str] = []
    rest = text
    while rest and len(pieces) < MOST_PARTS:
        cut = max(rest.rfind(mark, 0, PART) for mark in ".!?\n")
        cut = cut + 1 if cut > PART // 3 else PART
        pieces.append(rest[:cut].strip())
        rest = rest[cut:]
    return [piece for piece in pieces if piece]


def none_phrases() -> list[str]:
    """Return our phrases that belong to no intent."""
    return [str(phrase) for phrase in yaml.safe_load(NONE_PHRASES.read_text(encoding="utf-8"))]


def read_phrases(path: Path) -> dict[str, list[str]]:
    """Return intent → phrases from JSON lines `{"intent": ..., "text": ...}`.

    Raises BadInputError naming the line that is not such an object.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found.setdefault(str(row["intent"]), []).append(str(row["text"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(f"line {number} is not an intent with a text") from error
    return found


def _read_vectors(file: Path, count: int) -> Floats | None:
    try:
        kept: Floats = np.load(file, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return kept if len(kept) == count else None


def _write_vectors(file: Path, vectors: Floats) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new.npy")
    np.save(draft, vectors)
    draft.replace(file)
