import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInputError, ForbiddenError, NotFoundError, UnavailableError
from ingest.origins import IngestSettings
from ingest.sources import source_for, source_named
from tests.ingest.sources.conftest import Gatherer

Git = Callable[..., str]
AS = ("-c", "user.name=T", "-c", "user.email=t@t.test", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a docs folder on `main` and another page on `next`."""
    root = tmp_path / "repository"
    (root / "docs" / "sub").mkdir(parents=True)
    (root / "README.md").write_text("# Home\n\nHello.")
    (root / "docs" / "a.md").write_text("# A\n\nFirst.")
    (root / "docs" / "sub" / "b.md").write_text("# B\n\nSecond.")
    (root / "docs" / ".hidden.md").write_text("x")
    (root / "docs" / "code.py").write_text("x = 1")
    (root / "docs" / "secret.md").symlink_to("/etc/passwd")
    git(root, "init", "-q", "-b", "main")
    commit(root)
    git(root, "checkout", "-q", "-b", "next")
    (root / "docs" / "new.md").write_text("# New\n\nThird.")
    commit(root)
    git(root, "checkout", "-q", "main")
    return root


def git(root: Path, *command: str) -> None:
    subprocess.run(["git", *AS, *command], cwd=root, check=True, capture_output=True)  # noqa: S603, S607 - a test's own repository


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")


@pytest.mark.allow_blocking
async def test_files_of_the_default_branch_without_links_and_hidden_ones(
    repository: Path, gather: Gatherer
) -> None:
    """The test itself makes commits, on the loop."""
    found = await gather("git", f"file://{repository}", url="https://x.test/{branch}/{slug}")
    assert sorted(found) == ["README.md", "docs/a.md", "docs/sub/b.md"]
    assert found["docs/a.md"].data == b"# A\n\nFirst."
    assert found["docs/a.md"].url == "https://x.test/main/docs/a"
    assert gather.listing.whole
    known = {path: each.origin for path, each in found.items()}
    (repository / "docs" / "a.md").write_text("# A\n\nChanged.")
    (repository / "docs" / "sub" / "b.md").unlink()
    commit(repository)
    again = await gather("git", f"file://{repository}", known)
    assert {path: each.same for path, each in again.items()} == {
        "README.md": True, "docs/a.md": False,
    }  # fmt: skip
    assert again["docs/a.md"].data == b"# A\n\nChanged."


async def test_a_folder_of_another_branch(repository: Path, gather: Gatherer) -> None:
    found = await gather(
        "git", str(repository), folder="/docs/", branch="next", url="https://x.test/{path}",
        exclude=("sub/*",),
    )  # fmt: skip
    assert sorted(found) == ["a.md", "new.md"]
    assert found["new.md"].url == "https://x.test/docs/new.md"


async def test_history_that_was_rewritten(repository: Path, gather: Gatherer) -> None:
    await gather("git", str(repository))
    (repository / "docs" / "a.md").write_text("# A\n\nAnew.")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--amend", "-m", "y")
    assert (await gather("git", str(repository)))["docs/a.md"].data == b"# A\n\nAnew."


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"branch": "none"}, NotFoundError),
        ({"folder": "none"}, NotFoundError),
        ({"branch": "--upload-pack=touch x"}, BadInputError),
        ({"branch": "a..b"}, BadInputError),
        ({"branch": "a b"}, BadInputError),
    ],
)
async def test_what_a_repository_does_not_have(
    repository: Path, gather: Gatherer, options: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await gather("git", str(repository), **options)


async def test_no_repository_is_unavailable(tmp_path: Path, gather: Gatherer) -> None:
    with pytest.raises(UnavailableError):
        await gather("git", f"file://{tmp_path}/none")


async def test_what_a_killed_fetch_left_is_thrown_away(repository: Path, gather: Gatherer) -> None:
    await gather("git", str(repository))
    (gather.cache / "shallow.lock").write_text("")
    (repository / "docs" / "a.md").write_text("# A\n\nAnew.")
    commit(repository)
    assert (await gather("git", str(repository)))["docs/a.md"].data == b"# A\n\nAnew."


async def test_a_repository_that_is_too_large(
    repository: Path, gather: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "big.bin").write_bytes(os.urandom(300_000))
    commit(repository)
    monkeypatch.setattr("ingest.sources.git._MAX_FILE", 100_000)
    with pytest.raises(UnavailableError):
        await gather("git", str(repository))


async def test_git_that_hangs_is_ended(repository: Path, gather: Gatherer, tmp_path: Path) -> None:
    gather.settings = gather.settings.model_copy(update={"git_timeout": 0.001})
    with pytest.raises(UnavailableError, match="took over"):
        await gather("git", str(repository))


async def test_a_repository_inside_the_network_is_refused(gather: Gatherer) -> None:
    gather.settings = IngestSettings(git_schemes=("https", "ssh"))
    for location in ("https://10.0.0.1/x.git", "git@169.254.169.254:x/y.git"):
        with pytest.raises(ForbiddenError):
            await gather("git", location)


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("ext::sh -c touch% /tmp/x", BadInputError),
        ("http://x.test/y.git", BadInputError),
        ("https://user:token@x.test/y.git", BadInputError),
        ("ssh://-oProxyCommand=x/y", ForbiddenError),
        ("git@x.test:y/z.git", ForbiddenError),
        ("file:///etc", ForbiddenError),
        ("https:///y.git", BadInputError),
        ("https://x.test/y z.git", BadInputError),
    ],
)
def test_addresses_that_are_refused(location: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        source_named("git").check(location, IngestSettings())


def test_an_option_is_no_host() -> None:
    with pytest.raises(BadInputError):
        source_named("git").check("ssh://-oProxyCommand=x/y", IngestSettings(git_schemes=("ssh",)))


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("docs", "folder"), ("/srv/docs", "folder"), ("https://x.test/help", "site"),
        ("https://x.test/sitemap.xml", "sitemap"), ("https://x.test/sitemap_index.xml.gz", "sitemap"),
        ("https://x.test/y.git", "git"), ("git@x.test:y/z.git", "git"), ("file:///srv/y", "git"),
    ],
)  # fmt: skip
def test_a_location_tells_its_kind(location: str, kind: str) -> None:
    assert source_for(location).name == kind
