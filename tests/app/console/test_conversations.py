"""What a CSM sees and does in conversations, on both databases."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.store.changes import SqlChanges
from app.store.demo import DEMO_PASSWORD
from core.conversations import Mode, Status
from core.effects import OpenGap
from core.ids import TurnId, new_id
from core.messages import Assurance, Author, Correction
from core.ports import Reachable, TurnResult
from tests.app.console.office import CITED, Office
from tests.store.scene import DEMO, OTHER

API = "/console/api"


def at(accepted: Any, rest: str = "") -> str:
    return f"{API}/conversations/{accepted.conversation_id}{rest}"


def words(text: str, key: str = "0123456789abcdef") -> dict[str, str]:
    return {"text": text, "key": key}


def ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


# ---------------------------------------------------------------- the inbox


async def test_the_inbox_is_filtered_and_searched(desk: Office) -> None:
    plain = await desk.says("where is my invoice?", sender="v-1", display_name="Ann")
    angry = await desk.asks_for_a_person("I am furious", sender="v-2", display_name="Bo")
    mine = await desk.says("the export is broken", sender="v-3", display_name="Cy")
    done = await desk.says("thanks", sender="v-4", display_name="Di")
    foreign = await desk.says("invoice", sender="v-5", tenant=OTHER)
    async with desk.signed_in("maya") as maya:
        await maya.post(at(mine, "/claim"))
        await maya.post(at(done, "/claim"))
        await maya.post(at(done, "/resolve"))
        found = {
            name: set(ids(await maya.get(f"{API}/inbox?filter={name}")))
            for name in ("open", "handoffs", "mine", "resolved", "all")
        }
        searched = ids(await maya.get(f"{API}/inbox?filter=all&search=INVOICE"))
        nothing = ids(await maya.get(f"{API}/inbox?filter=all&search=%25%25%25"))
        counts = (await maya.get(f"{API}/counts")).json()
        bad = [
            await maya.get(f"{API}/inbox?filter=everything"),
            await maya.get(f"{API}/inbox?cursor=nonsense"),
        ]
    names = {a.conversation_id for a in (plain, angry, mine)}
    assert found["open"] == names
    assert found["handoffs"] == {angry.conversation_id}
    assert found["mine"] == {mine.conversation_id}
    assert found["resolved"] == {done.conversation_id}
    assert found["all"] == names | {done.conversation_id}
    assert foreign.conversation_id not in found["all"]
    assert searched == [plain.conversation_id]
    assert nothing == []
    assert (counts["handoffs"], counts["mine"]) == (1, 1)
    assert [b.status_code for b in bad] == [422, 422]


async def test_a_row_says_who_where_and_how_long(desk: Office) -> None:
    await desk.asks_for_a_person("Fix this now!", sender="+12025550143", channel="sms")
    desk.clock.advance(timedelta(seconds=90))
    async with desk.signed_in("maya") as maya:
        page = (await maya.get(f"{API}/inbox?filter=handoffs")).json()
        queue = (await maya.get(f"{API}/handoffs")).json()
    row = page["items"][0]
    assert (row["contact"], row["account"], row["tier"]) == ("Jordan Lee", "Acme Robotics", "gold")
    assert (row["channel"], row["last_text"], row["last_author"]) == (
        "sms",
        "Fix this now!",
        "customer",
    )
    assert row["handoff"]["reason_text"] == "The customer is angry"
    assert row["handoff"]["requested_at"] < page["now"]
    assert [r["id"] for r in queue["waiting"]] == [row["id"]]


async def test_pages_of_the_inbox_join_without_a_gap(desk: Office) -> None:
    said = []
    for n in range(5):
        desk.clock.advance(timedelta(seconds=1))
        said.append((await desk.says(f"question {n}", sender=f"v-{n}")).conversation_id)
    async with desk.signed_in("maya") as maya:
        first = await maya.get(f"{API}/inbox?limit=2")
        second = await maya.get(
            f"{API}/inbox", params={"limit": 3, "cursor": first.json()["cursor"]}
        )
    assert ids(first) + ids(second) == said[::-1]
    assert second.json()["cursor"] is None


# ---------------------------------------------------------------- one conversation


async def test_the_transcript_has_authors_channels_citations_and_delivery(desk: Office) -> None:
    accepted = await desk.says("How do I invite Bo?", sender="+12025550143", channel="sms")
    await desk.answers(accepted, "Choose Invite. [1]", citations=(CITED,))
    async with desk.signed_in("maya") as maya:
        found = (await maya.get(at(accepted))).json()
        turn = found["messages"][1]["turn_id"]
        trace = (await maya.get(f"{API}/turns/{turn}")).json()
        unknown = await maya.get(f"{API}/turns/trn_nothing")
    asked, answered = found["messages"]
    assert (asked["author"], asked["channel"], asked["seq"]) == ("customer", "sms", 1)
    assert (answered["author"], answered["status"]) == ("bot", "sent")
    assert answered["citations"][0]["title"] == "Invite teammates"
    assert found["target"] == {"channel": "sms", "address": "+12025550143"}
    assert trace["trace"]["query"] == "How do I invite Bo?"
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("assurance", "words"), [(Assurance.CLAIMED, False), (Assurance.PROVEN, True)]
)
async def test_it_says_where_an_unread_answer_also_goes(
    desk: Office, assurance: Assurance, words: bool
) -> None:
    accepted = await desk.says("Is anybody there?", sender="vis_1")
    reach = Reachable("email", "kim@acme.example", assurance)
    await desk.scene.reaches.give(DEMO, accepted.conversation_id, reach, desk.clock.now())
    async with desk.signed_in("maya") as maya:
        target = (await maya.get(at(accepted))).json()["target"]
    also = {"channel": "email", "address": "k•••@acme.example", "minutes": 5, "words": words}
    assert target == {"channel": "web", "address": "vis_1", "also": also}


async def test_who_declined_gets_word_nowhere_else(desk: Office) -> None:
    accepted = await desk.says("Is anybody there?", sender="vis_1")
    declined = Reachable("email", None, Assurance.CLAIMED)
    await desk.scene.reaches.give(DEMO, accepted.conversation_id, declined, desk.clock.now())
    async with desk.signed_in("maya") as maya:
        target = (await maya.get(at(accepted))).json()["target"]
    assert target == {"channel": "web", "address": "vis_1"}


async def test_a_long_conversation_is_read_backwards(desk: Office) -> None:
    accepted = await desk.says("message 1")
    for n in range(2, 131):
        accepted = await desk.scene.says(f"message {n}")
    async with desk.signed_in("maya") as maya:
        latest = (await maya.get(at(accepted))).json()
        first = latest["messages"][0]["seq"]
        before = (await maya.get(at(accepted, f"?before={first}"))).json()
    seqs = [m["seq"] for m in before["messages"] + latest["messages"]]
    assert seqs == list(range(1, 131))
    assert latest["earlier"]
    assert not before["earlier"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", None),
        ("/dropped", None),
        ("/claim", {}),
        ("/reply", words("hi")),
        ("/note", words("hi")),
        ("/hand_back", {}),
        ("/resolve", {}),
        ("/mode", {"mode": "auto"}),
        ("/drafts/msg_1", {"action": "send"}),
    ],
)
async def test_another_teams_conversation_does_not_exist(
    desk: Office, path: str, body: dict[str, Any] | None
) -> None:
    foreign = await desk.says("ours alone", tenant=OTHER)
    async with desk.signed_in("maya") as maya:
        method = "GET" if body is None else "POST"
        answer = await maya.request(method, at(foreign, path), json=body)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


# ---------------------------------------------------------------- taking over


async def test_two_claim_at_once_and_one_has_it(desk: Office) -> None:
    accepted = await desk.asks_for_a_person("help!")
    async with desk.signed_in("maya") as maya, desk.signed_in("noah") as noah:
        answers = await asyncio.gather(
            maya.post(at(accepted, "/claim")), noah.post(at(accepted, "/claim"))
        )
        row = (await maya.get(at(accepted))).json()["row"]
    codes = sorted(a.status_code for a in answers)
    lost = max(answers, key=lambda a: a.status_code).json()
    assert codes == [200, 409]
    assert lost["detail"] == f"{row['owner_name']} has claimed it already"
    assert row["handoff"]["state"] == "claimed"


async def test_a_claim_drops_what_the_bot_had_queued_and_names_what_is_under_way(
    desk: Office,
) -> None:
    accepted = await desk.says("hello?")
    await desk.scene.answers(accepted, "under way", "still queued")
    taken = await desk.scene.outbox.claim(1)
    async with desk.signed_in("maya") as maya:
        claimed = (await maya.post(at(accepted, "/claim"))).json()
        found = (await maya.get(at(accepted))).json()["messages"]
    states = {m["text"]: m["status"] for m in found if m["author"] == "bot"}
    assert len(taken) == 1
    assert claimed["in_flight"] == 1
    assert states == {"under way": "claimed", "still queued": "dropped"}


async def test_the_owner_replies_and_hands_back(desk: Office) -> None:
    accepted = await desk.asks_for_a_person("help!", sender="+12025550143", channel="sms")
    async with desk.signed_in("maya") as maya, desk.signed_in("noah") as noah:
        early = await maya.post(at(accepted, "/reply"), json=words("too early"))
        await maya.post(at(accepted, "/claim"))
        sent = await maya.post(at(accepted, "/reply"), json=words("I am on it", "b" * 16))
        again = await maya.post(at(accepted, "/reply"), json=words("I am on it", "b" * 16))
        barred = [
            await noah.post(at(accepted, "/reply"), json=words("me too")),
            await noah.post(at(accepted, "/hand_back")),
            await noah.post(at(accepted, "/resolve")),
        ]
        kept = await maya.post(at(accepted, "/mode"), json={"mode": "auto"})
        back = await maya.post(at(accepted, "/hand_back"))
        row = (await maya.get(at(accepted))).json()["row"]
    await desk.scene.sends()
    jobs = await desk.services.reads.transcript(DEMO, accepted.conversation_id, customer_view=True)
    said = [m.text for m in jobs if m.author is Author.CSM]
    assert early.status_code == 409
    assert "claim" in early.json()["detail"]
    assert sent.json()["message"]["channel"] == "sms"
    assert again.json()["message"] is None
    assert [b.status_code for b in barred] == [403, 403, 403]
    assert kept.status_code == 409
    assert back.status_code == 200
    assert (row["owner"], row["handoff"]) == (None, None)
    assert said == ["I am on it"]


async def test_a_note_never_reaches_the_customer(desk: Office) -> None:
    accepted = await desk.says("hello?")
    async with desk.signed_in("noah") as noah:
        done = await noah.post(at(accepted, "/note"), json=words("he is a VIP"))
        seen = (await noah.get(at(accepted))).json()["messages"]
    await desk.scene.sends()
    theirs = await desk.services.reads.transcript(
        DEMO, accepted.conversation_id, customer_view=True
    )
    assert done.json()["message"]["kind"] == "note"
    assert [m["text"] for m in seen if m["kind"] == "note"] == ["he is a VIP"]
    assert [m.text for m in theirs] == ["hello?"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": "", "key": "a" * 16},
        {"text": "  \n ", "key": "a" * 16},
        {"text": "nul \x00", "key": "a" * 16},
        {"text": "half \ud83d", "key": "a" * 16},
        {"text": "x" * 10_001, "key": "a" * 16},
        {"text": "hi", "key": "short"},
        {"text": "hi"},
        {"text": ["hi"], "key": "a" * 16},
        [],
    ],
)
async def test_odd_words_are_refused_and_nothing_is_kept(quick: Office, body: Any) -> None:
    accepted = await quick.says("hello?")
    async with quick.signed_in("maya") as maya:
        await maya.post(at(accepted, "/claim"))
        answer = await maya.post(
            at(accepted, "/reply"),
            content=json.dumps(body),
            headers={"content-type": "application/json"},
        )
        found = (await maya.get(at(accepted))).json()["messages"]
    assert answer.status_code == 422
    assert [m for m in found if m["author"] == "csm"] == []


@pytest.mark.parametrize("odd", ["%00", "a%20b", "x" * 81, "%ED%A0%80", "'--"])
async def test_an_odd_id_is_refused(desk: Office, odd: str) -> None:
    async with desk.signed_in("maya") as maya:
        answers = [
            await maya.get(f"{API}/conversations/{odd}"),
            await maya.get(f"{API}/turns/{odd}"),
            await maya.get(f"{API}/contacts/{odd}"),
            await maya.post(f"{API}/conversations/{odd}/claim"),
        ]
    assert {a.status_code for a in answers} == {422}


# ---------------------------------------------------------------- drafts and mode


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"action": "send"}, "queued", "Half price."),
        ({"action": "edit", "text": "Half price on Pro."}, "queued", "Half price on Pro."),
        ({"action": "discard"}, "discarded", "Half price."),
    ],
)
async def test_a_draft_is_decided_once(
    desk: Office, body: dict[str, str], status: str, text: str
) -> None:
    accepted = await desk.says("discounts for schools?")
    (draft,) = await desk.scene.answers(accepted, "Half price.", proposed=True)
    async with desk.signed_in("maya") as maya, desk.signed_in("noah") as noah:
        row = (await maya.get(at(accepted))).json()["row"]
        done = await maya.post(at(accepted, f"/drafts/{draft.id}"), json=body)
        late = await noah.post(at(accepted, f"/drafts/{draft.id}"), json={"action": "send"})
    assert row["drafts"] == 1
    assert (done.json()["message"]["status"], done.json()["message"]["text"]) == (status, text)
    assert late.status_code == 409
    assert "decided already" in late.json()["detail"]


@pytest.mark.parametrize("body", [{"action": "edit"}, {"action": "send", "text": "x"}, {}])
async def test_half_a_decision_is_refused(quick: Office, body: dict[str, str]) -> None:
    accepted = await quick.says("discounts?")
    (draft,) = await quick.scene.answers(accepted, "Half price.", proposed=True)
    async with quick.signed_in("maya") as maya:
        answer = await maya.post(at(accepted, f"/drafts/{draft.id}"), json=body)
        row = (await maya.get(at(accepted))).json()["row"]
    assert answer.status_code == 422
    assert row["drafts"] == 1


async def test_mode_and_pause_are_set(desk: Office) -> None:
    accepted = await desk.says("hello?")
    async with desk.signed_in("maya") as maya:
        await maya.post(at(accepted, "/mode"), json={"mode": "draft"})
        row = (await maya.get(at(accepted))).json()["row"]
        await maya.post(f"{API}/pause", json={"paused": True})
        await maya.post(f"{API}/pause", json={"paused": True, "channel": "sms"})
        paused = (await maya.get(f"{API}/me")).json()["policy"]
        await maya.post(f"{API}/pause", json={"paused": False})
        unknown = await maya.post(f"{API}/pause", json={"paused": True, "channel": "fax"})
        log = (await maya.get(f"{API}/settings")).json()["audit"]
    policy = await desk.services.directory.policy(DEMO)
    assert row["mode"] == Mode.DRAFT
    assert (paused["paused"], paused["paused_channels"]) == (True, ["sms"])
    assert (policy.paused, policy.paused_channels) == (False, frozenset({"sms"}))
    assert unknown.status_code == 422
    assert {"bot.paused", "bot.resumed"} <= {e["action"] for e in log}


async def test_a_dropped_answer_is_kept_for_the_team(desk: Office) -> None:
    accepted = await desk.says("hello?")
    claim = await desk.scene.turns.claim(accepted.conversation_id)
    assert claim is not None
    async with desk.signed_in("maya") as maya:
        await maya.post(at(accepted, "/claim"))
        await desk.scene.turns.commit(_late(desk, claim))
        found = (await maya.get(at(accepted, "/dropped"))).json()["items"]
        log = (await maya.get(at(accepted))).json()["messages"]
    assert [t["trace"]["reply"]["text"] for t in found] == ["too late"]
    assert "too late" not in [m["text"] for m in log]


def _late(desk: Office, claim: Any) -> Any:
    return TurnResult(
        TurnId(new_id("trn", desk.clock.now())),
        claim,
        "answer",
        (),
        (),
        Status.WAITING_CUSTOMER,
        {"reply": {"text": "too late"}},
        desk.clock.now(),
    )


# ---------------------------------------------------------------- the customer, knowledge, figures


async def test_the_customer_panel_and_forgetting(desk: Office) -> None:
    accepted = await desk.says("hi", sender="+12025550143", channel="sms")
    await desk.services.facts.put(DEMO, accepted.contact_id, "team size", "12", "conversation", 0.9)
    url = f"{API}/contacts/{accepted.contact_id}"
    async with desk.signed_in("maya") as maya:
        found = (await maya.get(url)).json()
        gone = await maya.post(f"{url}/forget", json={"key": "team size"})
        twice = await maya.post(f"{url}/forget", json={"key": "team size"})
        after = (await maya.get(url)).json()
    assert found["account"]["name"] == "Acme Robotics"
    assert {(i["kind"], i["assurance"]) for i in found["contact"]["identities"]} == {
        ("email", "proven"),
        ("phone", "proven"),
    }
    assert [(f["key"], f["value"], f["source"]) for f in found["facts"]] == [
        ("team size", "12", "conversation")
    ]
    assert [c["id"] for c in found["conversations"]] == [accepted.conversation_id]
    assert (gone.status_code, twice.status_code, after["facts"]) == (200, 404, [])
    assert desk.forgotten == [(DEMO, accepted.contact_id)]


async def test_another_teams_contact_does_not_exist(desk: Office) -> None:
    foreign = await desk.says("ours alone", tenant=OTHER)
    async with desk.signed_in("maya") as maya:
        look = await maya.get(f"{API}/contacts/{foreign.contact_id}")
        forget = await maya.post(
            f"{API}/contacts/{foreign.contact_id}/forget", json={"key": "team size"}
        )
    assert (look.status_code, forget.status_code) == (404, 404)


async def test_knowledge_shows_documents_and_gaps(desk: Office) -> None:
    await desk.bring_in_docs()
    accepted = await desk.says("How do I turn on SSO?")
    await desk.answers(accepted, "I do not know.", effects=(OpenGap("How do I turn on SSO?"),))
    async with desk.signed_in("maya") as maya:
        docs = (await maya.get(f"{API}/knowledge/docs")).json()
        searched = (await maya.get(f"{API}/knowledge/search?q=invite")).json()["items"]
        (gap,) = (await maya.get(f"{API}/knowledge/gaps")).json()["items"]
        whole = (await maya.get(f"{API}/knowledge/gaps/{gap['id']}")).json()
        url = f"{API}/knowledge/gaps/{gap['id']}/dismiss"
        closed = await maya.post(url, json={"reason": "not ours"})
        twice = await maya.post(url, json={"reason": "not ours"})
        left = (await maya.get(f"{API}/knowledge/gaps")).json()["items"]
        report = (await maya.get(f"{API}/knowledge/report")).json()
    assert (docs["documents"], docs["items"][0]["passages"]) == (1, 1)
    assert (gap["question"], gap["contacts"]) == ("How do I turn on SSO?", 1)
    assert whole["askers"][0]["conversation_id"] == accepted.conversation_id
    assert searched[0]["document"] == "team/invite.md"
    assert (closed.status_code, twice.status_code, left) == (200, 404, [])
    assert (report["gaps"]["open"], len(report["gaps"]["new"])) == (0, 1)


@pytest.mark.parametrize(("span", "steps"), [("24h", 6), ("7d", 7), ("30d", 10)])
async def test_the_steps_of_a_span_add_up(desk: Office, span: str, steps: int) -> None:
    accepted = await desk.says("one", sender="v-1")
    await desk.answers(accepted, "answer")
    desk.clock.advance(timedelta(hours=9))
    await desk.asks_for_a_person("two", sender="v-2")
    desk.clock.advance(timedelta(hours=5))
    async with desk.signed_in("maya") as maya:
        found = (await maya.get(f"{API}/kpis?span={span}")).json()
        sheet = await maya.get(f"{API}/kpis.csv?span={span}")
        odd = await maya.get(f"{API}/kpis?span=1y")
    assert len(found["steps"]) == steps
    assert sum(s["messages"] for s in found["steps"]) == sum(found["messages"].values()) == 2
    assert sum(s["handoffs"] for s in found["steps"]) == found["figures"]["breaches"]["over"] == 1
    assert found["figures"]["handoff_rate"]["value"] == 0.5
    assert found["channels"]["web"]["handoff_rate"] == found["figures"]["handoff_rate"]
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    assert {r["figure"] for r in rows if not r["channel"]} == set(found["figures"])
    assert [r["value"] for r in rows if r["figure"] == "handoff_rate"] == ["0.5", "0.5"]
    assert sheet.headers["content-type"].startswith("text/csv")
    assert odd.status_code == 422


async def test_each_team_sees_its_own(desk: Office) -> None:
    ours = await desk.says("ours")
    theirs = await desk.says("theirs", tenant=OTHER)
    async with desk.browser() as otto:
        await otto.post(
            f"{API}/login",
            json={"tenant": "other", "email": "otto@other.example", "password": DEMO_PASSWORD},
        )
        seen = ids(await otto.get(f"{API}/inbox?filter=all"))
        asked = await otto.get(at(ours))
    assert seen == [theirs.conversation_id]
    assert asked.status_code == 404


async def test_what_a_customer_changed_and_who_read_along_is_shown(desk: Office) -> None:
    said = await desk.says(
        "How do I exprot?", shared=True, cc=("bo@acme.example", "cy@acme.example")
    )
    inbox = desk.scene.inboxes[f"{DEMO}:web"]
    changes = SqlChanges(desk.scene.database, desk.clock, desk.scene.reads)
    external = f"ext-{desk.scene.numbers}"
    await changes.correct(inbox, Correction("web", external, "visitor-1", "How do I export?"))
    async with desk.signed_in("maya") as maya:
        (shown,) = (await maya.get(at(said))).json()["messages"]
        assert (shown["text"], shown["before"]) == ("How do I export?", "How do I exprot?")
        assert (shown["shared"], shown["cc"]) == (True, ["bo@acme.example", "cy@acme.example"])
        assert shown["taken_back"] is False
        await changes.correct(inbox, Correction("web", external, "visitor-1", None))
        (shown,) = (await maya.get(at(said))).json()["messages"]
        assert (shown["text"], shown["taken_back"]) == ("", True)
