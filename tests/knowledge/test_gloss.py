"""Spanish read in English for searching."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.ids import TenantId
from core.ports import Viewer
from ingest.sources.folder import SOURCE
from ingest.sync import Origin, sync
from knowledge.encoder import Encoder
from knowledge.gloss import GlossedEncoder, english, is_spanish, knows
from knowledge.index import Indexes
from knowledge.retriever import HybridRetriever
from tests.fakes_knowledge import MemoryPassages
from tests.knowledge.conftest import ACME, document, fill

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    "text",
    [
        "¿Y en Pro?",
        "olvidé la clave",
        "facturas",
        "mover una visita a otro momento, se entera la persona?",
        "error 429 al llamar desde nuestro programa",
    ],
)
def test_spanish_is_told(text: str) -> None:
    assert is_spanish(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙂",
        "files",
        "roles",
        "personal",
        "no",
        "How do I export my data?",
        "total error in chat",
        "Can we invite Señora Muñoz and Josefa de la Cruz to the board?",
        "x" * 100_000,
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert not is_spanish(text)
    assert english(text) == text[:20_000]


def test_each_known_word_is_replaced_and_the_rest_stays() -> None:
    assert english("¿Cuánto cuesta la factura de Zorblax 12?") == (
        "how much cost the invoice of Zorblax 12 ?"
    )


def test_forms_of_a_word_are_known() -> None:
    assert knows("facturas")
    assert knows("contraseñas")
    assert not knows("zorblax")


async def test_one_model_reads_both(encoder: Encoder) -> None:
    glossed = GlossedEncoder(encoder)
    raw = (await encoder.encode([english("olvidé la contraseña")])).vectors
    live = (await glossed.encode(["olvidé la contraseña"])).vectors
    batch = await glossed.encode_batch(["olvidé la contraseña"])
    assert np.allclose(raw, live, atol=1e-6)
    assert np.allclose(raw, batch, atol=1e-4)


async def test_each_language_finds_the_others_pages(encoder: Encoder) -> None:
    passages = MemoryPassages()
    glossed = GlossedEncoder(encoder)
    pages = [
        document("refunds.md", "Refunds", ("", "Ask for your money back within 14 days.")),
        document("printer.md", "Printers", ("", "Switch the printer off and on again.")),
        document("clave.md", "Contraseña", ("", "La clave caduca al año."), locale="es"),
        document("equipo.md", "Equipo", ("", "Invita a tus compañeros por correo."), locale="es"),
    ]
    await fill(glossed, ACME, pages, passages)
    retriever = HybridRetriever(passages, Indexes(passages), None, glossed)
    for question, page in (
        ("¿me devolvéis el dinero?", "refunds.md"),
        ("la impresora no funciona", "printer.md"),
        ("when does a password expire", "clave.md"),
        ("invite colleagues by mail", "equipo.md"),
    ):
        found = await retriever.search(ACME, question, [], Viewer())
        assert found[0].document == page


async def test_a_spanish_help_centre_is_searched_by_its_customers_words(encoder: Encoder) -> None:
    """At least four of five questions find their page among five passages."""
    tenant = TenantId("ayuda")
    passages = MemoryPassages()
    glossed = GlossedEncoder(encoder)
    origin = Origin(SOURCE, str(DATA / "ayuda"))
    report = await sync(tenant, "ayuda", origin, passages, glossed.encode_batch)
    assert report.added >= 25
    retriever = HybridRetriever(passages, Indexes(passages), None, glossed)
    hits = []
    for line in (DATA / "ayuda_questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found = await retriever.search(tenant, row["q"], [], Viewer(locale="es"), 5)
        hits.append(any(each.document in row["docs"] for each in found))
    assert len(hits) >= 60
    assert sum(hits) / len(hits) >= 0.8
