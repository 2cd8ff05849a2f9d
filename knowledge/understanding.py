"""One encoder pass over a message: language, intent, mood, threats, times, a wish for a person.

Owns what is computed and how words and heads are joined; never raises for odd text, and without the encoder
says what words alone say. Not here: heads (knowledge/shelf.py), intents (knowledge/own_intents.py), what
follows from a score (core/escalation.py, handlers).
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import yaml

from core.ids import TenantId
from core.understanding import Said, Scored, TimeSpan, Understanding
from knowledge.asks_human import HumanWords
from knowledge.courtesy import matter
from knowledge.cues import Cues, read_cues
from knowledge.encoder import Encoded
from knowledge.language import Languages
from knowledge.linear import HEAD_NAMES, INJECTION, KINDS, SENTIMENT
from knowledge.own_intents import OwnIntents
from knowledge.scoring import Scores, Scoring, cut
from knowledge.shelf import Shelf
from knowledge.times import find_times
from knowledge.trend import satisfaction

logger = logging.getLogger(__name__)

NONE_PHRASES = Path(__file__).parent / "phrases" / "none.yaml"
LONGEST = 8_000
# How many of the customer's earlier messages tell the trend; they are in the encoder's memo already.
EARLIER = 4
# The heads were taught in these, Spanish by its spelling; elsewhere words must agree with a head. What did not help
# and what does not work are told by the same Spanish words, so there words must agree too.
TAUGHT = ("en", "es")
ENGLISH_ONLY = ("not_helped",)
OTHER_LANGUAGES = 0.45
# Anger that words confirm is no neutral mood, whatever the irony. A head's word alone leaves the mood to the other
# head, unless it is as good as certain: two who were taught apart must agree before a person is called.
CONFIRMED_ANGER = 0.6
CERTAIN_ANGER = 0.95
IRONIC = -0.4


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
        shelf: Shelf | None = None,
        sentiment_model: SentimentModel | None = None,
        locale: str = "en",
        cache: Path | None = None,
    ) -> None:
        """Keep the parts; `phrases` are intent → example phrases of the handlers, for every tenant.

        The heads are the package's own when no `shelf` is given; `cache` is a folder where trained intents
        outlive the process. Raises MisconfiguredError when heads are missing.
        """
        self.shelf = shelf if shelf is not None else Shelf()
        self.intents = OwnIntents(encoder, phrases, none_phrases, cache)
        self._encoder = encoder
        self._scoring = Scoring(self.shelf)
        self._human = HumanWords(words.human)
        self._sentiment = sentiment_model
        self._languages = Languages()
        self._locale = locale

    async def prepare(self) -> None:
        """Fit the shared intents now, so that the first message does not wait."""
        await self.intents.prepare()

    async def teach(self, tenant: TenantId, phrases: Mapping[str, Sequence[str]]) -> None:
        """Give a tenant phrases of its own beside the handlers'; replaces what it had, used from the next message."""
        await self.intents.teach(tenant, phrases)

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
        scores, intent = await self._read(tenant, text, talk) if text.strip() else (Scores(), None)
        mood = await self._mood(text, scores, cues, language)
        return _joined(
            language, intent, mood, scores, cues, times, asks_human=self._human.asked(text)
        )

    async def _read(
        self, tenant: TenantId, text: str, talk: Sequence[Said]
    ) -> tuple[Scores | None, Scored | None]:
        """Return the scores and the intent of one pass; (None, None) when the encoder fails."""
        try:
            text = matter(text)
            pieces = cut(text)
            earlier = [s.text[:LONGEST] for s in talk if s.role == "customer" and s.text.strip()]
            texts = [text, *pieces.parts, *pieces.sentences, *earlier[-EARLIER:]]
            encoded = await self._encoder.encode(texts)
            # spelling and long mails take milliseconds that the loop need not wait for
            scores = await asyncio.to_thread(self._scoring.score, texts, pieces, encoded)
            intent = await self.intents.intent(tenant, text, encoded.vectors[0], encoded.layers[0])
        except Exception:  # the encoder may fail in any way; words still work
            logger.exception("understanding.degraded")
            return None, None
        return scores, intent

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

    async def _mood(self, text: str, scores: Scores | None, cues: Cues, language: str) -> float:
        if self._sentiment is not None and text.strip():
            try:
                return max(-1.0, min(1.0, await self._sentiment.sentiment(text)))
            except Exception:
                logger.exception("understanding.sentiment_model_failed")
        if scores is None:
            return cues.mood
        mood = scores.of(SENTIMENT)
        if language == "en":
            return mood
        return cues.mood if language == "es" and cues.mood else mood / 2


def _joined(
    language: str,
    intent: Scored | None,
    mood: float,
    scores: Scores | None,
    cues: Cues,
    times: tuple[TimeSpan, ...],
    *,
    asks_human: bool,
) -> Understanding:
    lifted = {name: _lifted(name, scores, cues, language) for name in HEAD_NAMES}
    if cues.ironic:
        mood = min(mood, IRONIC)
    hinted = cues.grieves or ("anger" in cues.hints and mood < 0)
    said = "anger" in cues.sure or cues.shouts or cues.ironic or hinted
    if lifted["anger"] >= (CONFIRMED_ANGER if said else CERTAIN_ANGER):
        mood = min(mood, -0.7)
    mood = round(max(-1.0, min(1.0, mood)), 4)
    kind = cues.danger or (max(KINDS, key=scores.of) if scores is not None else KINDS[-1])
    return Understanding(
        language=language,
        intent=intent,
        sentiment=mood,
        times=times,
        asks_human=asks_human,
        degraded=scores is None,
        safety_kind=kind if lifted["safety"] >= 0.5 else "",
        satisfaction=satisfaction((*(scores.earlier if scores else ()), mood)),
        heads=scores.heads if scores else (),
        shadow=scores.shadow if scores else {},
        **lifted,
    )


def _lifted(name: str, scores: Scores | None, cues: Cues, language: str) -> float:
    if scores is None:
        return round(cues.lift(name, None), 4)
    heard = language in TAUGHT and (language == "en" or name not in ENGLISH_ONLY)
    score = scores.of(name) if heard else min(scores.of(name), OTHER_LANGUAGES)
    if name == INJECTION:
        # how a sentence stands in a mail is seen in any language
        score = max(score, scores.planted)
    return round(cues.lift(name, score), 4)


def _times(text: str, now: datetime, time_zone: str, language: str) -> tuple[TimeSpan, ...]:
    try:
        return find_times(text, now, time_zone, language)
    except Exception:
        logger.exception("understanding.times_failed")
        return ()


def none_phrases() -> list[str]:
    """Return our phrases that belong to no intent."""
    return [str(phrase) for phrase in yaml.safe_load(NONE_PHRASES.read_text(encoding="utf-8"))]
