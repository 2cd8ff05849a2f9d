"""One encoder for the run, and a small company's docs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.ids import TenantId
from core.ports import Chunk, Document
from knowledge.encoder import Encoder, EncoderSettings
from knowledge.extract import ExtractiveAnswers
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages

ACME = TenantId("acme")
OTHER = TenantId("other")

PRICES = """| Plan | Paid monthly | Paid yearly |
| --- | --- | --- |
| Basic | $5 per seat | $4 per seat |
| Gold | $19 per seat | $15 per seat |

Prices are before tax."""

EXPORT = """Only owners can export data. To export a project:

1. Open Settings > Data.
2. Select Export and choose CSV.
3. Wait for the mail with the [download link](https://acme.example/x).

The link works for 48 hours."""


def document(path: str, title: str, *chunks: tuple[str, str], **more: object) -> Document:
    """Return a document with (section, text) chunks."""
    return Document(
        source="docs",
        path=path,
        title=title,
        digest=path,
        chunks=tuple(
            Chunk(position, section, text, anchor=section.lower().replace(" ", "-") or None)
            for position, (section, text) in enumerate(chunks)
        ),
        **more,  # type: ignore[arg-type] # test data
    )


DOCUMENTS = (
    document(
        "prices.md",
        "Prices",
        ("Prices by plan", PRICES),
        ("Discounts", "Charities get 30% off every plan. Send proof to billing@acme.example."),
        url="https://acme.example/prices",
    ),
    document("export.md", "Export your data", ("Export a project", EXPORT)),
    document(
        "trash.md",
        "Trash",
        (
            "Restore items",
            "Deleted items stay in the trash for 7 days on Basic. On Gold they stay 60 days.",
        ),
    ),
    document(
        "team.md",
        "Invite your team",
        ("Invite people", "Open People and select Invite. An invitation expires after 14 days."),
        ("Roles", "An owner can change the plan. A member can edit projects but not billing."),
    ),
    document(
        "sso.md",
        "Single sign-on",
        (
            "Set up SAML",
            "SAML single sign-on needs the Gold plan. Upload the metadata of your provider.",
        ),
        editions=("gold",),
    ),
    document(
        "runbook.md",
        "Runbook",
        ("Refund by hand", "Support agents refund double charges in the ledger console."),
        internal=True,
    ),
    document(
        "es/facturas.md",
        "Facturas",
        (
            "Descargar facturas",
            "Las facturas se descargan en Ajustes > Facturación. Se guardan diez años.",
        ),
        locale="es",
    ),
)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """The real encoder, its graph built once a run."""
    return Encoder(EncoderSettings(cache_dir=Path(tmp_path_factory.mktemp("encoder"))))


async def fill(
    encoder: Encoder, tenant: TenantId, documents: Sequence[Document], passages: MemoryPassages
) -> None:
    """Store documents with real vectors."""
    for each in documents:
        texts = [f"{each.title}. {chunk.section}. {chunk.text}" for chunk in each.chunks]
        vectors = await encoder.encode_batch(texts)
        await passages.put(tenant, each, [row.astype("<f4").tobytes() for row in vectors])


@pytest.fixture
async def passages(encoder: Encoder) -> MemoryPassages:
    """The company's docs, and one page of another tenant."""
    stored = MemoryPassages()
    await fill(encoder, ACME, DOCUMENTS, stored)
    secret = document(
        "secret.md", "Prices", ("Prices", "The secret price of Basic is $1 per seat.")
    )
    await fill(encoder, OTHER, [secret], stored)
    return stored


@pytest.fixture
def retriever(passages: MemoryPassages, encoder: Encoder) -> HybridRetriever:
    """Search over the company's docs, without a vector store."""
    return HybridRetriever(passages, Indexes(passages), None, encoder)


@pytest.fixture
def answers(retriever: HybridRetriever, encoder: Encoder) -> ExtractiveAnswers:
    """Answers from the company's docs."""
    return ExtractiveAnswers(retriever, encoder)


def unit(*values: float) -> np.ndarray:
    """Return a vector [384] of length 1 that begins with these values."""
    vector = np.zeros(384, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)
