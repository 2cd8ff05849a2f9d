"""The knowledge side made and opened as one: encoder, indexes, answers, understanding, recall."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import UnavailableError
from core.ids import ContactId, TenantId
from core.ports import Facts, Passages
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.extract import ExtractiveAnswers
from knowledge.gloss import GlossedEncoder
from knowledge.index import Indexes
from knowledge.indexer import Indexer
from knowledge.pipelines import PipelineSentiment
from knowledge.recall import FactRecall
from knowledge.retriever import HybridRetriever
from knowledge.shelf import Shelf
from knowledge.understanding import Understander, Words
from knowledge.understanding_settings import UnderstandingSettings
from knowledge.vectors import Vectors, VectorSettings

logger = logging.getLogger(__name__)


class KnowledgeParts:
    """Everything app/compose.py needs of this package; folders stand under `var_dir` by default."""

    def __init__(
        self,
        passages: Passages,
        facts: Facts,
        var_dir: Path,
        phrases: Mapping[str, Sequence[str]],
        human_words: Mapping[str, Sequence[str]],
        env_file: Path | None = None,
    ) -> None:
        encoder = EncoderSettings(_env_file=env_file)
        if "cache_dir" not in encoder.model_fields_set:
            encoder = encoder.model_copy(update={"cache_dir": var_dir / "encoder"})
        self.encoder = Encoder(encoder)
        settings = VectorSettings(_env_file=env_file)
        if "path" not in settings.model_fields_set:
            settings = settings.model_copy(update={"path": var_dir / "chroma"})
        self.vectors = Vectors(settings)
        self.indexer = Indexer(passages, self.vectors)
        self.indexes = Indexes(passages)
        self._meaning = GlossedEncoder(self.encoder)
        self.retriever = HybridRetriever(passages, self.indexes, self.vectors, self._meaning)
        self.answers = ExtractiveAnswers(self.retriever, self._meaning)
        self.recall = FactRecall(facts, self.vectors, self.encoder)
        how = UnderstandingSettings(_env_file=env_file)
        folder = how.heads_dir if "heads_dir" in how.model_fields_set else var_dir / "heads"
        self.shelf = Shelf(folder, shadow=how.shadow)
        self.mood = PipelineSentiment(how.sentiment_model) if how.sentiment_model else None
        self.understands = Understander(
            self.encoder,
            phrases,
            Words(human_words),
            shelf=self.shelf,
            sentiment_model=self.mood,
            cache=encoder.cache_dir,
        )
        self._facts = facts

    async def encode(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return (n, 384) vectors of document texts."""
        return await self._meaning.encode_batch(texts, progress)

    async def open(self) -> None:
        """Load the encoder, lock the vector folder, fit the shared intents.

        Raises MisconfiguredError when another process has the folder.
        """
        await self._meaning.load()
        try:
            await self.vectors.open()
        except UnavailableError:
            # words alone find a lot; the index catches up when the store is back
            logger.warning("vectors.unavailable")
        if self.mood is not None:
            await self.mood.open()
        await self.understands.prepare()

    async def close(self) -> None:
        """Stop what runs in the background, free the vector folder."""
        await self.indexes.close()
        await self.vectors.close()

    async def healthy(self) -> bool:
        """Return whether the vector store answers."""
        return await self.vectors.healthy()

    async def apply(self, tenant: str) -> None:
        """Make a tenant's docs searchable as they stand in SQL.

        A vector store that is down is tried again later.
        """
        await self.indexes.fresh(TenantId(tenant))
        await self.indexer.round([TenantId(tenant)])

    async def rebuild(self, tenant: str) -> int:
        """Build a tenant's vectors anew from SQL; returns how many rows."""
        return await self.indexer.rebuild(TenantId(tenant))

    async def apply_facts(self, tenant: str, contact: str) -> None:
        """Make a contact's facts searchable; forgotten ones resolve to nothing already."""
        for fact in await self._facts.all(TenantId(tenant), ContactId(contact)):
            await self.recall.index(TenantId(tenant), fact)

    async def teach(self, tenant: str, phrases: Mapping[str, Sequence[str]]) -> None:
        """Train a tenant's own intents beside the handlers'."""
        await self.understands.teach(TenantId(tenant), phrases)

    def heads(self) -> Mapping[str, object]:
        """Return `name@version` of the heads that serve and of those in their shadow, with their agreement."""
        current = self.shelf.current
        return {
            "heads": list(current.versions()),
            "shadow": [
                {
                    "head": f"{name}@{head.version}",
                    "seen": self.shelf.agreed(name).seen,
                    "same": self.shelf.agreed(name).same,
                }
                for name, head in sorted(current.shadow.items())
            ],
        }

    async def reload_heads(self) -> Mapping[str, object]:
        """Read the heads again. Raises MisconfiguredError for a broken one; the old ones then stay."""
        await asyncio.to_thread(self.shelf.reload)
        return self.heads()
