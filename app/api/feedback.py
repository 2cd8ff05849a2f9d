"""POST /feedback: what the customer thought of an answer."""

from typing import Literal

from fastapi import APIRouter

from app.api.deps import Secret, Uses
from app.api.schemas import Body, Word
from core.ids import ConversationId

router = APIRouter(tags=["messages"])


class FeedbackIn(Body):
    """A verdict on one of our messages."""

    conversation_id: Word
    message_id: Word
    value: Literal["up", "down", "1", "2", "3", "4", "5"]


@router.post("/feedback", status_code=204)
async def feedback(body: FeedbackIn, services: Uses, who: Secret) -> None:
    """Record what the customer thought; a thumbs-down becomes a knowledge gap."""
    await services.reads.feedback(
        who.tenant, ConversationId(body.conversation_id), body.message_id, body.value
    )
