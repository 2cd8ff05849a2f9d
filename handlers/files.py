"""A message that is only a file: say that a person sees it and ask what it is about; insisting brings the person.

Owns the answer to files without words, and the sentence on what was not taken. Not here: which files are kept
(core/files.py), files beside a question, which is answered as any other.
"""

from core.contracts import Context, HandlerSpec
from core.conversations import HandoffReason
from core.effects import SetNote
from core.files import MAX_BYTES, REASONS
from core.outcomes import Outcome, Turn
from core.turns import Decision
from handlers._shared.followups import to_person

ASKED = "file_asked"  # the note that we asked what a file is about


async def handle(turn: Turn, context: Context) -> Outcome:
    """Ask once what the files are about, or say why none was taken; a second time a person is asked for."""
    before = [said.text for said in turn.talk if said.role == "customer"][-1:]
    if turn.conversation.memory.get(ASKED) and before == [""]:
        return to_person(HandoffReason.REPEATED_FAILURE, SetNote({ASKED: None}))
    files = [a for m in turn.messages for a in m.attachments]
    refused = {a.refused for a in files if a.refused}
    if files and all(a.refused for a in files):
        reason = next(r for r in REASONS if r in refused)
        text = context.lines.say(
            f"files.{reason}", turn.locale, turn.channel, limit=MAX_BYTES // 1_000_000
        )
    else:
        text = context.lines.say("pipeline.attachment", turn.locale, turn.channel)
    return Outcome(
        text=text,
        effects=(SetNote({ASKED: True}),),
        decision=Decision(action="ask_back", reasons=("file",)),
    )


HANDLER = HandlerSpec(
    name="files",
    handle=handle,
    summary="Answers a message that is only a file: a person sees it; asks what it is about.",
)
