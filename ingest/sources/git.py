"""A git repository, or a folder of it: the files of one branch as they stand.

Owns calling `git`. Nothing of the repository is ever run or checked out: it is fetched shallow into a
bare one of our own, without hooks, submodules, tags or questions, and its files are read as objects.
Symbolic links are no files. The address of its host is checked first, and that address is used.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import unicodedata
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from uuid import uuid4

from core.errors import BadInputError, ForbiddenError, NotFoundError, UnavailableError
from core.reach import Reach
from ingest.load import size_limit
from ingest.origins import Found, IngestSettings, Request, SourceSpec
from ingest.sources.folder import check as check_folder
from ingest.sources.folder import is_hidden

_PORTS = {"https": 443, "ssh": 22}
_SHORT = re.compile(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^/].*)")
_BRANCH = re.compile(r"(?![-/.])[\w./-]{1,200}(?<![/.])")
_MAX_PACKS = 30
_MAX_FILE = 2_000_000_000  # bytes of a pack: a larger repository is not docs
_BOUNDED = 'ulimit -f "$0" && exec "$@"'
_REGULAR = (b"100644", b"100755")
_SAFE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "protocol.allow": "never",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "transfer.fsckObjects": "true",
    "safe.directory": "*",
}


@dataclass(frozen=True, slots=True)
class _Blob:
    oid: str
    size: int
    path: str


async def files(request: Request) -> AsyncGenerator[Found, None]:
    """Yield the files of the branch; one whose content is what it was is not read again."""
    options = request.options
    branch = options.branch or ""
    if branch and (not _BRANCH.fullmatch(branch) or ".." in branch):
        raise BadInputError(f"{branch!r} is no name of a branch")
    folder = (options.folder or "").strip("/")
    git = _Git(request, await _pinned(request))
    commit = await git.fetch(branch)
    blobs = [blob for blob in await git.listed(commit, folder) if options.takes(blob.path)]
    if not blobs and folder and not await git.has(commit, folder):
        raise NotFoundError(f"the branch has no folder {folder!r}")
    request.listing.total = len(blobs)
    for blob in blobs:
        origin = {"oid": blob.oid}
        link = options.link(f"{folder}/{blob.path}" if folder else blob.path)
        if request.known.get(blob.path, {}).get("oid") == blob.oid:
            yield Found(blob.path, same=True, url=link, origin=origin)
        elif blob.size > size_limit(blob.path):
            limit = size_limit(blob.path)
            yield Found(blob.path, refused=f"larger than {limit} bytes")
        else:
            yield Found(blob.path, await git.content(blob.oid), url=link, origin=origin)


def check(location: str, settings: IngestSettings) -> str:
    """Return the address of the repository. Raises ForbiddenError for a scheme that is not allowed."""
    text = location.strip()
    short = _SHORT.fullmatch(text)
    if short:
        text = f"ssh://{short['user']}@{short['host']}/{short['path']}"
    elif text.startswith("/"):
        text = f"file://{text}"
    parts = urlsplit(text)
    if not text.isprintable() or " " in text or parts.scheme not in ("https", "ssh", "file"):
        raise BadInputError("a git repository is at https://, ssh:// or file://")
    if parts.scheme not in settings.git_schemes:
        raise ForbiddenError(f"{parts.scheme}:// is not among USHER_INGEST_GIT_SCHEMES")
    if parts.scheme == "file":
        return f"file://{check_folder(parts.path, settings)}"
    if (
        not parts.hostname
        or parts.hostname.startswith("-")
        or (parts.username or "").startswith("-")
    ):
        raise BadInputError(f"{location!r} names no host")
    if parts.password or (parts.scheme == "https" and parts.username):
        raise BadInputError(
            "the address carries no name and password: they would be kept in the open"
        )
    return text


def claims(location: str) -> bool:
    """Return whether it looks like a repository."""
    known = location.startswith(("git@", "ssh://", "file://"))
    return known or urlsplit(location).path.rstrip("/").endswith(".git")


async def _pinned(request: Request) -> Mapping[str, str]:
    """Return the configuration and environment that hold git to the address that was checked."""
    parts = urlsplit(request.location)
    scheme = parts.scheme
    found = {f"protocol.{scheme}.allow": "always"}
    if scheme == "file":
        return found
    host, port = parts.hostname or "", parts.port or _PORTS[scheme]
    address = await Reach(request.settings.allow_hosts).address(host, port)
    shown = f"[{address}]" if ":" in address else address
    if scheme == "https":
        return {**found, "http.curloptResolve": f"{host}:{port}:{shown}"}
    options = ("BatchMode=yes", "ConnectTimeout=20", f"HostName={address}", f"HostKeyAlias={host}")
    return {**found, "core.sshCommand": " ".join(["ssh", *(f"-o{option}" for option in options)])}


class _Git:
    """The bare repository of one source, and the commands run in it."""

    def __init__(self, request: Request, pinned: Mapping[str, str]) -> None:
        self._dir = request.cache
        self._location = request.location
        self._timeout = request.settings.git_timeout
        config = {**_SAFE, **pinned}
        # by the environment: no other configuration is read, and nothing shows in a list of processes
        self._env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(Path.home()) if "core.sshCommand" in pinned else "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "SSH_ASKPASS": "/bin/false",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_CONFIG_COUNT": str(len(config)),
            **{f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(config)},
            **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(config.values())},
        }

    async def fetch(self, branch: str) -> str:
        """Bring the newest commit of the branch (the default one without a name); return its id.

        Raises UnavailableError when it cannot be had, NotFoundError when there is no such branch.
        """
        if not await asyncio.to_thread((self._dir / "HEAD").exists):
            await asyncio.to_thread(self._dir.mkdir, parents=True, exist_ok=True)
            await self._run("init", "--bare", "--quiet", "--template=", ".")
        await asyncio.to_thread(self._tidy)
        wanted = f"refs/heads/{branch}" if branch else "HEAD"
        # of this run alone: another one may be fetching another branch
        own = f"refs/usher/{uuid4().hex}"
        command = (
            "fetch",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--force",
            "--quiet",
        )
        try:
            await self._run(*command, "--", self._location, f"+{wanted}:{own}")
        except UnavailableError as error:
            if "couldn't find remote ref" in error.detail:
                raise NotFoundError(f"the repository has no branch {branch!r}") from error
            raise
        commit = (await self._run("rev-parse", own)).decode().strip()
        await self._run("update-ref", "-d", own)
        return commit

    def _tidy(self) -> None:
        """Begin anew when a fetch was killed, or many have been kept: nothing here is needed."""
        packs = len(list(self._dir.glob("objects/pack/*.pack")))
        if packs > _MAX_PACKS or (self._dir / "shallow.lock").exists():
            shutil.rmtree(self._dir / "objects" / "pack", ignore_errors=True)
            for name in ("shallow.lock", "shallow"):
                (self._dir / name).unlink(missing_ok=True)

    async def listed(self, commit: str, folder: str) -> Sequence[_Blob]:
        """Return the files below the folder that could be docs, in a fixed order."""
        out = await self._run("ls-tree", "-r", "-l", "-z", f"{commit}:{folder}", miss=b"")
        blobs = []
        for line in out.split(b"\0"):
            head, _, raw = line.partition(b"\t")
            if not raw:
                continue
            mode, kind, oid, size = head.split()
            path = unicodedata.normalize("NFC", raw.decode("utf-8", "replace"))
            is_docs = size_limit(path) and not is_hidden(path) and "\ufffd" not in path
            if kind == b"blob" and mode in _REGULAR and is_docs:
                blobs.append(_Blob(oid.decode(), int(size), path))
        return sorted(blobs, key=lambda blob: blob.path)

    async def has(self, commit: str, folder: str) -> bool:
        """Return whether the commit has this folder."""
        found = await self._run("ls-tree", "-d", "-z", commit, "--", folder)
        return bool(found) and str(PurePosixPath(folder)) == folder

    async def content(self, oid: str) -> bytes:
        """Return a file's bytes."""
        return await self._run("cat-file", "blob", oid)

    async def _run(self, *command: str, miss: bytes | None = None) -> bytes:
        """Return what git prints, or `miss` when it fails. Raises UnavailableError with its words."""
        program = await asyncio.to_thread(shutil.which, "git")
        if program is None:
            raise UnavailableError("git is not installed here")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _BOUNDED,
            str(_MAX_FILE // 512),
            program,
            *command,
            cwd=self._dir,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._timeout):
                out, said = await process.communicate()
        except TimeoutError:
            raise UnavailableError(f"git {command[0]} took over {self._timeout:g} s") from None
        finally:
            await _end(process)
        if process.returncode == 0:
            return out
        if miss is not None:
            return miss
        words = said.decode("utf-8", "replace").strip().split("\n")[-1] or "ended, maybe too large"
        raise UnavailableError(f"git {command[0]}: {words[:200]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git and what it started (ssh, a remote helper), if it still runs."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


SOURCE = SourceSpec(
    name="git",
    summary="A git repository, or a folder of it.",
    files=files,
    check=check,
    claims=claims,
    order=30,
)
