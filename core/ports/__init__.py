"""Protocols for everything that does I/O on behalf of handlers, checks and pipelines.

Handlers and checks see only these; app/compose.py passes the implementations.
"""

from core.ports.checks import Consents, Features, Moderated, Moderator
from core.ports.delivery import Alarm, Alarms, Job, Outbox
from core.ports.knowledge import (
    Answers,
    Chunk,
    Document,
    DocumentUses,
    EncodedChunk,
    Extract,
    Gap,
    Gaps,
    Passages,
    Retriever,
    StoredPage,
    Understands,
    UseKind,
    Viewer,
)
from core.ports.live import Cache, Fanout, Metrics, Subscription, Wakeups
from core.ports.memory import Fact, Facts, Recall, Window
from core.ports.people import Directory, Humans, TenantPolicy
from core.ports.sessions import Calendar
from core.ports.turns import (
    Accepted,
    Claim,
    Committed,
    Inline,
    Intake,
    Reply,
    Superseded,
    TurnResult,
    TurnView,
    UnitOfWork,
)
from core.ports.words import (
    Generated,
    Generator,
    Lines,
    ModelUse,
    ModelUses,
    PluginState,
    Preview,
)

__all__ = [
    "Accepted",
    "Alarm",
    "Alarms",
    "Answers",
    "Cache",
    "Calendar",
    "Chunk",
    "Claim",
    "Committed",
    "Consents",
    "Directory",
    "Document",
    "DocumentUses",
    "EncodedChunk",
    "Extract",
    "Fact",
    "Facts",
    "Fanout",
    "Features",
    "Gap",
    "Gaps",
    "Generated",
    "Generator",
    "Humans",
    "Inline",
    "Intake",
    "Job",
    "Lines",
    "Metrics",
    "ModelUse",
    "ModelUses",
    "Moderated",
    "Moderator",
    "Outbox",
    "Passages",
    "PluginState",
    "Preview",
    "Recall",
    "Reply",
    "Retriever",
    "StoredPage",
    "Subscription",
    "Superseded",
    "TenantPolicy",
    "TurnResult",
    "TurnView",
    "Understands",
    "UnitOfWork",
    "UseKind",
    "Viewer",
    "Wakeups",
    "Window",
]
