"""A help centre of some 300 pages, made for the demo from our own sentences and the handbook.

Every page has facts of its own: numbers follow from its place in the lists. Writes Markdown only.
"""

import re
from collections.abc import Iterator
from pathlib import Path

HANDBOOK = Path(__file__).resolve().parent.parent / "ingest" / "handbook"

FEATURES = (
    "Timeline view", "Calendar view", "Automations", "Forms", "Comments", "Checklists", "Templates",
    "Dashboards", "Time tracking", "File attachments", "Saved searches", "Public links", "Labels",
    "Custom fields", "Recurring items", "Workload view", "Milestones", "Dependencies", "Favorites",
    "Archive",
)  # fmt: skip
PARTNERS = (
    "Microsoft Teams", "Outlook Calendar", "HubSpot", "GitHub", "GitLab", "Jira", "Figma", "Dropbox",
    "Google Drive", "OneDrive", "Zendesk", "Intercom", "Notion", "Stripe", "QuickBooks", "Miro",
    "Asana", "Trello", "Power BI", "Tableau",
)  # fmt: skip
COUNTRIES = (
    "Germany", "France", "Spain", "Italy", "Portugal", "the Netherlands", "Belgium", "Austria",
    "Switzerland", "Ireland", "Poland", "Sweden", "Norway", "Denmark", "Finland", "Canada", "Brazil",
    "Mexico", "Japan", "Australia",
)  # fmt: skip
CAUSES = (
    ("the sign-in token has run out", "Sign out, sign in again and repeat the step"),
    ("a field that the form needs is empty", "Fill the marked field and send the form again"),
    ("two people changed the item at once", "Reload the board and make the change again"),
    ("the file is larger than the plan allows", "Make the file smaller or attach a link instead"),
    ("the workspace has no free seat", "Add a seat under Settings > Billing > Seats"),
    ("the import has a column we do not know", "Map the column to a field or leave it out"),
    ("the address of the webhook does not answer", "Check that the address answers within 10 seconds"),
    ("the role may not change this board", "Ask an Admin for the role Member on this board"),
)  # fmt: skip


def write_pages(folder: Path, address: str) -> int:
    """Write the pages below `folder`, each with its URL below `address`; return how many."""
    pages = dict(_pages())
    for path, text in pages.items():
        file = folder / f"{path}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\nurl: {address}/{path}\nlocale: en\n---\n{text}", "utf-8")
    return len(pages)


def _pages() -> Iterator[tuple[str, str]]:
    for file in sorted(HANDBOOK.rglob("*.md")):
        path = file.relative_to(HANDBOOK).with_suffix("").as_posix()
        if not path.startswith("es/"):
            yield path, file.read_text("utf-8")
    for n, name in enumerate(FEATURES):
        yield from _feature(n, name)
    for n, name in enumerate(PARTNERS):
        yield from _partner(n, name)
    for n, name in enumerate(COUNTRIES):
        yield f"tax/{slug(name)}", _country(n, name)
    for n in range(86):
        yield f"errors/hb-{100 + n}", _error(n)


def slug(name: str) -> str:
    """Return a name as paths have it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _feature(n: int, name: str) -> Iterator[tuple[str, str]]:
    low, items, keep = name.lower(), 25 + 5 * n, 14 + 2 * n
    yield (
        f"features/{slug(name)}/set-up",
        f"""# Set up {low}

{name} can be switched on for every board by its owner. It takes about {2 + n % 4} minutes.

## Switch it on

1. Open the board and select **Board settings > {name}**.
2. Turn on **Use {low} on this board**.
3. Choose who sees it: everybody, or Members only.
4. Select **Save**. People who have the board open see the change within {5 + n} seconds.

## Switch it off

Select **Board settings > {name} > Turn off**. What was made with {low} is kept for {keep} days and comes
back when you switch it on again. After that it is deleted for good.
""",
    )
    yield (
        f"features/{slug(name)}/limits",
        f"""# Limits of {low}

What each plan allows for {low}.

## By plan

| Plan | {name} on one board | Boards with {low} |
| --- | --- | --- |
| Starter | {items} | {3 + n} |
| Pro | {items * 10} | {30 + n} |
| Enterprise | unlimited | unlimited |

## When a limit is reached

Nothing is lost. New entries of {low} are refused with a message until you remove some or move to a larger
plan. Owners get a mail when {70 + n} percent of the limit are used.
""",
    )
    yield (
        f"features/{slug(name)}/phone",
        f"""# {name} on your phone

{name} works in the app from version {3 + n % 3}.{n % 9} on.

## Open it

Open a board in the app, tap the three dots and choose **{name}**. Hold an entry for a second to move it.

## Without a connection

The app keeps the last {50 + 10 * n} entries of {low} on the phone. Changes made without a connection are
sent within {n + 1} minutes after the phone is online again; of two changes of one entry the later one stays.
""",
    )
    yield (
        f"features/{slug(name)}/problems",
        f"""# Problems with {low}

The commonest reasons why {low} do not show what you expect.

## It does not show

Check that the board's owner switched on {low}, and that your role may see it. Guests see {low} only on boards
they were invited to. Reload the page after a change of role.

## It is slow

{name} gets slow beyond {200 + 20 * n} entries. Archive what is done, or filter the board by label. If it still
needs more than {4 + n % 5} seconds, send us the board's link.
""",
    )


def _partner(n: int, name: str) -> Iterator[tuple[str, str]]:
    minutes = 5 + n
    yield (
        f"integrations/{slug(name)}/connect",
        f"""# Connect {name}

Connect {name} to bring its entries onto your boards.

## What you need

An Admin of the workspace, and an account of {name} that may approve apps. The plan must be
{("Starter or larger", "Pro or larger")[n % 2]}.

## Connect it

1. Open **Settings > Integrations > {name}** and select **Connect**.
2. Sign in to {name} and approve the access that is shown.
3. Choose up to {n + 2} boards that may use {name}.
4. Select **Start**. The first copy takes up to {minutes * 3} minutes.
""",
    )
    yield (
        f"integrations/{slug(name)}/sync",
        f"""# What {name} and your boards exchange

Which entries go which way, and how often.

## Direction and pace

New entries of {name} appear on the board every {minutes} minutes. Changes on the board go back to {name} at
once. Comments are {("copied both ways", "never copied")[n % 2]}.

## What stays out

Files over {10 + n} MB, archived entries and drafts are not copied from {name}.
""",
    )
    yield (
        f"integrations/{slug(name)}/disconnect",
        f"""# Disconnect {name}

How to end the connection, and what happens to the entries.

## End the connection

Open **Settings > Integrations > {name} > Disconnect**. Entries from {name} stay on the board for
{30 + n} days, marked as frozen; then they are removed. To keep them, select **Keep as own items** first.
""",
    )
    yield (
        f"integrations/{slug(name)}/problems",
        f"""# {name} stopped to sync

What to check when nothing comes from {name} any more.

## Check the connection

1. Open **Settings > Integrations > {name}**. A red mark means that the access was withdrawn.
2. Select **Reconnect** and approve again.
3. Wait {minutes + 2} minutes for the next round.

## The person who connected it has left

A connection of {name} ends {n + 3} days after its person was removed. Another Admin can take it over with
**Take over connection** until then.
""",
    )


def _country(n: int, name: str) -> str:
    return f"""# Invoices and tax in {name}

How customers in {name} are billed.

## Tax on the invoice

Prices are shown without tax. For customers in {name} we add {15 + n % 11} percent unless a valid tax number is
entered under **Settings > Billing > Tax number** before the invoice is made.

## Ways to pay in {name}

Cards are accepted everywhere. Bank transfer is offered in {name} for yearly plans of {5 + n} seats and more; the
invoice is due within {14 + n} days.
"""


def _error(n: int) -> str:
    cause, remedy = CAUSES[n % len(CAUSES)]
    code = f"HB-{100 + n}"
    return f"""# Error {code}

You see {code} when {cause}, in step {n + 1} of our list of checks.

## What to do about {code}

{remedy}. If {code} comes back within {n + 5} minutes, send us the time and the address of the page.
"""
