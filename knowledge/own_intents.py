"""Whose phrases teach which intents: the handlers' for everybody, and each tenant's own beside them.

Owns training (off the event loop, the older model serving meanwhile), the cache of encoded phrases and fitted
models under one folder, and who wins when both know a message. Not here: the model itself (knowledge/intents.py).
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from core.ids import TenantId
from core.understanding import Scored
from knowledge.encoder import Encoded
from knowledge.intent_limit import KNOWN_SHARE, SHARED_SHARE, find_limit
from knowledge.intents import (
    NONE,
    Floats,
    Halves,
    IntentModel,
    intent_features,
    is_none,
    merged,
    phrase_rows,
)

logger = logging.getLogger(__name__)

# Few enough that a customer's message waits for one batch of a tenant's phrases, not for all.
BATCH = 32
# What a handler must lead a tenant's own intents by, and come near at all, to be meant in that tenant.
LEAD = 0.05
NEAR = 0.7
# Encoded phrases remembered for the next correction, 1.3 kB each.
MOST_ROWS = 30_000
# Part of the cache's names: another arithmetic must not read an older model.
FORMAT = 3

Phrases = Mapping[str, Sequence[str]]


class Encodes(Protocol):
    """The encoder as far as it is needed here."""

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Return vectors float32 [n, 384] and layer means float32 [n, 4, 384], all of unit length."""
        ...


class OwnIntents:
    """The models of all tenants of one process. Safe to share between tasks."""

    def __init__(
        self,
        encoder: Encodes,
        shared: Phrases,
        strangers: Callable[[], Sequence[str]],
        cache: Path | None,
    ) -> None:
        """Keep the parts; `shared` are the handlers' phrases, `strangers` reads those of no intent, in a thread."""
        self._encoder = encoder
        self._shared = merged(shared)
        self._strangers = strangers
        self._cache = cache / "intents" if cache is not None else None
        self._common: IntentModel | None = None
        self._models: dict[TenantId, IntentModel] = {}
        self._wanted: dict[TenantId, int] = {}
        self._training = asyncio.Lock()
        self._rows: dict[str, Halves] = {}

    async def prepare(self) -> None:
        """Fit the shared intents."""
        if self._common is None and any(self._shared.values()):
            strangers = list(await asyncio.to_thread(self._strangers))
            self._common = await self._model(
                {**self._shared, NONE: strangers}, "shared", SHARED_SHARE
            )

    async def teach(self, tenant: TenantId, phrases: Phrases) -> None:
        """Replace what a tenant taught; its older model serves until the new one stands.

        Phrases under a name such as `none` teach what is nobody's intent. Of several calls the last one counts.
        """
        turn = self._wanted[tenant] = self._wanted.get(tenant, 0) + 1
        own: dict[str, list[str]] = {}
        for name, texts in phrases.items():
            own.setdefault(NONE if is_none(name) else name, []).extend(texts)
        own = merged(own)
        if not any(texts for name, texts in own.items() if name != NONE):
            self._models.pop(tenant, None)
            return
        model = await self._model(own, str(tenant))
        if self._wanted[tenant] == turn:
            self._models[tenant] = model

    def knows(self, tenant: TenantId) -> bool:
        """Return whether a tenant's own model stands."""
        return tenant in self._models

    async def intent(
        self, tenant: TenantId, text: str, vector: Floats, layers: Floats
    ) -> Scored | None:
        """Return the intent of an encoded message: vector [384], layers [4, 384]; None is none of these.

        A tenant's own intent wins unless a handler's phrase is clearly nearer.
        """
        if self._common is None:
            await self.prepare()
        own, common = self._models.get(tenant), self._common
        if own is None and common is None:
            return None
        features = intent_features(phrase_rows(vector[None], layers[None]), [text])[0]
        if own is None:
            return common.predict(features)[0] if common is not None else None
        mine, near = own.predict(features)
        if common is None:
            return mine
        theirs, nearer = common.predict(features)
        if theirs is not None and nearer >= NEAR and nearer >= near + LEAD:
            return theirs
        return mine

    # --- training ------------------------------------------------------------------------------

    async def _model(
        self, phrases: Phrases, owner: str, known_share: float = KNOWN_SHARE
    ) -> IntentModel:
        file = self._file(phrases, owner)
        if file is not None:
            kept = await asyncio.to_thread(_kept, file)
            if kept is not None:
                return kept
        async with (
            self._training
        ):  # one at a time: training is what the processor has least to spare for
            names = list(phrases)
            texts = [text for group in phrases.values() for text in group]
            owners = np.repeat(np.arange(len(names)), [len(group) for group in phrases.values()])
            rows = await self._encode(texts)
            strangers = list(await asyncio.to_thread(self._strangers))
            away = await self._encode(strangers)
            model = await asyncio.to_thread(
                _fit, names, rows, texts, owners.astype(np.intp), away, strangers, known_share
            )
        if file is not None:
            await asyncio.to_thread(_keep, file, model)
        return model

    async def _encode(self, texts: Sequence[str]) -> Halves:
        """Return phrase rows float16 [n, 640], a batch at a time so that live messages come between."""
        found: dict[str, Halves] = {}
        waiting = sorted({t for t in texts if t not in self._rows}, key=len)
        for start in range(0, len(waiting), BATCH):
            part = waiting[start : start + BATCH]
            encoded = await self._encoder.encode(part)
            found.update(zip(part, phrase_rows(encoded.vectors, encoded.layers), strict=True))
        known = {text: found[text] if text in found else self._rows[text] for text in texts}
        self._rows.update(found)
        for text in list(self._rows)[: max(0, len(self._rows) - MOST_ROWS)]:
            del self._rows[text]
        return np.stack([known[text] for text in texts])

    def _file(self, phrases: Phrases, owner: str) -> Path | None:
        if self._cache is None:
            return None
        told = repr((FORMAT, sorted((n, sorted(t)) for n, t in phrases.items())))
        digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:24]
        whose = hashlib.sha256(owner.encode()).hexdigest()[:12]
        return self._cache / whose / f"{digest}.npz"


def _fit(
    names: list[str],
    rows: Halves,
    texts: list[str],
    owners: "np.ndarray[tuple[int], np.dtype[np.intp]]",
    away: Halves,
    strangers: list[str],
    known_share: float,
) -> IntentModel:
    features = intent_features(rows, texts)
    strange = intent_features(away, strangers)
    limit = find_limit(names, features, owners, strange, known_share)
    return IntentModel.fit(names, features, owners, limit)


def _kept(file: Path) -> IntentModel | None:
    try:
        return IntentModel.load(file)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError):
        logger.warning("intents.cache_unreadable")
        return None


def _keep(file: Path, model: IntentModel) -> None:
    """Write a model and drop the owner's older ones; a full disk costs a restart time, nothing else."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        model.save(file)
        for older in file.parent.glob("*.npz"):
            if older != file:
                older.unlink(missing_ok=True)
    except OSError:
        logger.warning("intents.cache_unwritable")
