from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.imports import RowReport, import_accounts
from core.conversations import Account
from core.errors import BadInputError, UnavailableError
from core.ids import AccountId, TenantId

DEMO = TenantId("demo")
GOOD = "external_id,name,domains,edition,arr\na-1,Acme,acme.example,pro,48000\n"


class MemoryAccounts:
    """Accounts in a dictionary; knows two editions and refuses the region `Nowhere`."""

    def __init__(self) -> None:
        self.kept: dict[str, Account] = {}
        self.state = "up"

    async def account_by_external(self, tenant: TenantId, external_id: str) -> Account | None:
        return self.kept.get(external_id)

    async def put_account(
        self, tenant: TenantId, external_id: str, values: Mapping[str, object]
    ) -> Account:
        problems = {"down": UnavailableError("down"), "Nowhere": BadInputError("region is nowhere")}
        for sign in problems.keys() & {self.state, str(values.get("region"))}:
            raise problems[sign]
        known = self.kept.get(external_id) or Account(
            AccountId(f"acc_{external_id}"), external_id, external_id
        )
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        editions = {"starter": "starter", "pro": "pro"}
        plain["edition"] = editions.get(
            str(values.get("edition", known.edition)).lower(), "starter"
        )
        self.kept[external_id] = replace(known, **plain)  # type: ignore[arg-type] # as given
        return self.kept[external_id]


@pytest.fixture
def accounts() -> MemoryAccounts:
    return MemoryAccounts()


async def run(
    accounts: MemoryAccounts, tmp_path: Path, content: str | bytes, name: str = "accounts.csv"
) -> list[RowReport]:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return await import_accounts(accounts, DEMO, file)


async def test_the_same_file_twice_changes_nothing(
    accounts: MemoryAccounts, tmp_path: Path
) -> None:
    assert await run(accounts, tmp_path, GOOD) == [RowReport(2, "a-1", "created")]
    assert await run(accounts, tmp_path, GOOD) == [RowReport(2, "a-1", "unchanged")]
    changed = GOOD.replace("48000", "50000")
    assert await run(accounts, tmp_path, changed) == [RowReport(2, "a-1", "updated")]
    kept = accounts.kept["a-1"]
    assert (kept.name, kept.domains, kept.edition, kept.arr) == (
        "Acme",
        ("acme.example",),
        "pro",
        50000.0,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.encode("utf-16"),
        b"\n\n" + GOOD.replace("\n", "\n,,,,\n\n").encode(),
        b"ID,Company,Domain,Plan,ARR\na-1,Acme,acme.example,pro,48000",
        b'"External-ID","Name","Domains","Edition","ARR"\n"a-1"," Acme ","acme.example","pro","48000"',
    ],
)
async def test_what_spreadsheets_write(
    accounts: MemoryAccounts, tmp_path: Path, content: bytes
) -> None:
    reports = await run(accounts, tmp_path, content)
    assert [(r.external_id, r.status, r.why) for r in reports] == [("a-1", "created", "")]
    kept = accounts.kept["a-1"]
    assert (kept.name, kept.domains, kept.arr) == ("Acme", ("acme.example",), 48000.0)


async def test_a_windows_code_page_is_read(accounts: MemoryAccounts, tmp_path: Path) -> None:
    await run(accounts, tmp_path, "external_id,name\na-1,Café\n".encode("cp1252"))
    assert accounts.kept["a-1"].name == "Café"


async def test_each_row_says_what_became_of_it(accounts: MemoryAccounts, tmp_path: Path) -> None:
    content = (
        "external_id,name,region,edition,arr,colour\n"
        "a-1,Acme,EMEA,Platinum,,red\n"
        ",No id,,,,\n"
        "a-2,Bad,Nowhere,,,\n"
        "a-3,Bad money,,,much,\n"
        "a-4,Too many,,,,,,x\n"
        "a-5\n"
        '"a-6","two\nlines",,,,\n'
        "a-1,Acme,,,,\n"
    )
    assert await run(accounts, tmp_path, content) == [
        RowReport(1, "", "ok", "not used: colour"),
        RowReport(2, "a-1", "created", "edition 'Platinum' is unknown: counted as 'starter'"),
        RowReport(3, "", "failed", "external_id is empty"),
        RowReport(4, "a-2", "failed", "region is nowhere"),
        RowReport(5, "a-3", "failed", "arr 'much' is not a number"),
        RowReport(6, "a-4", "failed", "it has more cells than the header"),
        RowReport(7, "a-5", "created"),
        RowReport(9, "a-6", "created"),
        RowReport(10, "a-1", "unchanged"),
    ]
    assert accounts.kept["a-1"].region == "EMEA"
    assert set(accounts.kept) == {"a-1", "a-5", "a-6"}


@pytest.mark.parametrize(
    ("cell", "arr"),
    [
        ("48000", 48000.0),
        ("48,000", 48000.0),
        ("48.000", 48000.0),
        ("1,048,000", 1048000.0),
        ("48,000.50", 48000.5),
        ("48.000,50", 48000.5),
        ("48000,5", 48000.5),
        ("$48 000.50", 48000.5),
        ("48 000,50 €", 48000.5),
        ("EUR 48’000", 48000.0),
        ("0", 0.0),
    ],
)
async def test_money_as_people_write_it(
    accounts: MemoryAccounts, tmp_path: Path, cell: str, arr: float
) -> None:
    await run(accounts, tmp_path, f'external_id\tarr\na-1\t"{cell}"\n')
    assert accounts.kept["a-1"].arr == arr


async def test_several_domains_in_a_cell(accounts: MemoryAccounts, tmp_path: Path) -> None:
    await run(accounts, tmp_path, 'external_id,domains\na-1,"a.example; b.example,c.example"\n')
    assert accounts.kept["a-1"].domains == ("a.example", "b.example", "c.example")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "name,edition\nAcme,pro\n",
        "external_id,id\na,b\n",
        "external_id,name\n" + "x" * 200_000,
    ],
)
async def test_what_is_no_table_is_refused(
    accounts: MemoryAccounts, tmp_path: Path, content: str
) -> None:
    with pytest.raises(BadInputError):
        await run(accounts, tmp_path, content)
    assert accounts.kept == {}


async def test_a_missing_file_is_said(accounts: MemoryAccounts, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.csv"):
        await import_accounts(accounts, DEMO, tmp_path / "none.csv")
    with pytest.raises(BadInputError):
        await import_accounts(accounts, DEMO, tmp_path)


async def test_a_database_that_is_down_ends_the_run(
    accounts: MemoryAccounts, tmp_path: Path
) -> None:
    accounts.state = "down"
    with pytest.raises(UnavailableError):
        await run(accounts, tmp_path, GOOD)
