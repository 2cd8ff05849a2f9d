"""Install what the tests need from Debian packages: Redis, PostgreSQL, Chromium, Dovecot.

Owns finding out what is missing and installing it. What cannot be installed is named and fails the
run: nothing is ever skipped. Starting the services is tests/services.py's work.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are not on this machine."""
    found = {
        "redis-server": shutil.which("redis-server") is not None,
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        "chromium": shutil.which("chromium") is not None,
        "dovecot-imapd": Path("/usr/lib/dovecot/imap").exists() and _finds("dovecot"),
    }
    return [package for package, is_here in found.items() if not is_here]


def _finds(program: str) -> bool:
    """Return whether a server's program is here; Debian keeps some outside a user's path."""
    return any(shutil.which(program, path=path) for path in (None, "/usr/sbin"))


def root_prefix() -> list[str] | None:
    """Return what to put before a command to run it as root, or None when that is impossible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def install(packages: list[str], prefix: list[str]) -> None:
    """Run apt-get; whether it worked is judged by looking again."""
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt, *wait, "update"], check=False, stdin=subprocess.DEVNULL)
    # One at a time: one that cannot be had does not take the others with it.
    for package in packages:
        subprocess.run(
            [*apt, *wait, "install", "--no-install-recommends", package],
            check=False,
            stdin=subprocess.DEVNULL,
        )


def main() -> int:
    """Install what is missing; return 1, naming it, when something still is."""
    missing = missing_packages()
    if not missing:
        return 0
    print(f"the tests need {', '.join(missing)}: installing", flush=True)
    prefix = root_prefix()
    if shutil.which("apt-get") is None:
        reason = "this machine has no apt-get"
    elif prefix is None:
        reason = "we are not root and `sudo -n` does not work"
    else:
        install(missing, prefix)
        reason = "apt-get could not (its output is above)"
    still = missing_packages()
    for package in still:
        print(f"MISSING: {package}: {reason}", file=sys.stderr)
    return 1 if still else 0


if __name__ == "__main__":
    sys.exit(main())
