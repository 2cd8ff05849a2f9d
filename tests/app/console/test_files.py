"""Files at the console: seen by the tenant's own people, put for a reply, and never a page of ours."""

import httpx
import pytest

from core.files import MAX_BYTES
from core.messages import Attachment
from tests.app.console.office import Office
from tests.app.console.test_conversations import API, at, words
from tests.core.test_files import PDF, PNG
from tests.store.scene import OTHER

SHOT = Attachment("shot.png", "image/png", len(PNG), data=PNG)
HTML = Attachment("page.html", "text/html", 6, data=b"<html>")


async def shown(client: httpx.AsyncClient, accepted: object) -> list[dict[str, object]]:
    found = (await client.get(at(accepted))).json()["messages"]
    files: list[dict[str, object]] = found[-1]["attachments"]
    return files


async def test_a_customers_files_are_listed_with_what_became_of_them(desk: Office) -> None:
    accepted = await desk.says("see this", attachments=(SHOT, HTML))
    async with desk.signed_in("vera") as vera:
        kept, refused = await shown(vera, accepted)
    assert (kept["name"], kept["size"], kept["shown"]) == ("shot.png", len(PNG), True)
    assert (refused["name"], refused["refused"], refused["id"]) == (
        "page.html",
        "not_allowed",
        None,
    )


async def test_a_file_is_downloaded_and_a_picture_may_be_shown(desk: Office) -> None:
    pdf = Attachment("plañ.pdf", "application/pdf", len(PDF), data=PDF)
    accepted = await desk.says("", attachments=(SHOT, pdf))
    async with desk.signed_in("vera") as vera:
        files = await shown(vera, accepted)
        urls = [f"{API}/files/{file['id']}" for file in files]
        plain = [await vera.get(url) for url in urls]
        pictured = [await vera.get(f"{url}?shown=true") for url in urls]
    assert [a.content for a in plain] == [PNG, PDF]
    assert [a.headers["content-type"] for a in plain] == ["image/png", "application/pdf"]
    how = [a.headers["content-disposition"].partition(";")[0] for a in (*plain, *pictured)]
    assert how == ["attachment", "attachment", "inline", "attachment"]
    for answer in (*plain, *pictured):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "filename*=UTF-8''pla%C3%B1.pdf" in plain[1].headers["content-disposition"]


async def test_files_are_the_tenants_own_and_need_a_session(desk: Office) -> None:
    accepted = await desk.says("", attachments=(SHOT,))
    foreign = await desk.services.files.put(OTHER, "x.pdf", "application/pdf", PDF)
    async with desk.signed_in("maya") as maya, desk.browser() as nobody:
        (file,) = await shown(maya, accepted)
        answers = [
            await nobody.get(f"{API}/files/{file['id']}"),
            await maya.get(f"{API}/files/{foreign.id}"),
            await maya.get(f"{API}/files/fil_{'0' * 32}"),
        ]
    assert [a.status_code for a in answers] == [401, 404, 404]


async def test_a_reply_carries_what_was_attached(desk: Office) -> None:
    accepted = await desk.says("hi")
    kind = {"content-type": "application/pdf"}
    async with desk.signed_in("maya") as maya:
        await maya.post(at(accepted, "/claim"))
        put = await maya.post(at(accepted, "/files?name=../plan.pdf"), content=PDF, headers=kind)
        file = put.json()
        sent = await maya.post(
            at(accepted, "/reply"), json={**words("here"), "files": [file["id"]]}
        )
        again = await maya.post(
            at(accepted, "/reply"), json={**words("again", "f" * 16), "files": [file["id"]]}
        )
    assert (file["name"], file["size"]) == ("plan.pdf", len(PDF))
    (attached,) = sent.json()["message"]["attachments"]
    assert (attached["id"], attached["name"]) == (file["id"], "plan.pdf")
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("who", "rest", "body", "status"),
    [
        ("maya", "?name=a.exe", b"MZ\x90\0", 422),
        ("maya", "?name=a.html", b"<html>", 422),
        ("maya", "?name=a.pdf", PNG, 422),
        ("maya", "?name=a.png", PNG + b"\0" * MAX_BYTES, 413),
        ("maya", "", PNG, 422),
        ("vera", "?name=a.png", PNG, 403),
    ],
    ids=["program", "page", "other kind", "too large", "nameless", "viewer"],
)
async def test_what_is_not_put(desk: Office, who: str, rest: str, body: bytes, status: int) -> None:
    accepted = await desk.says("hi")
    async with desk.signed_in(who) as client:
        answer = await client.post(at(accepted, f"/files{rest}"), content=body)
    assert answer.status_code == status
    assert "detail" in answer.json()


async def test_a_file_is_put_for_a_conversation_of_ours(desk: Office) -> None:
    foreign = await desk.says("hi", tenant=OTHER)
    async with desk.signed_in("maya") as maya, desk.browser(**{"x-usher-console": ""}) as other:
        answers = [
            await maya.post(at(foreign, "/files?name=a.png"), content=PNG),
            await other.post(at(foreign, "/files?name=a.png"), content=PNG),
        ]
    assert [a.status_code for a in answers] == [404, 403]
