"""What is sealed opens here, for its purpose, unchanged, and nowhere else."""

import pytest

from app.adapters.vault import SealedVault
from core.errors import MisconfiguredError, SignatureError

VAULT = SealedVault(lambda: "a long secret")


@pytest.mark.parametrize("text", ["", "xoxb-1-2", "ü🚀" * 1000])
def test_it_opens_again(text: str) -> None:
    sealed = VAULT.seal(text, "token")
    assert SealedVault(lambda: "a long secret").open(sealed, "token") == text
    assert sealed.isascii()
    assert not {"+", "/", "=", "&", " "} & set(sealed), "fit for a URL"


def test_twice_is_never_the_same() -> None:
    assert VAULT.seal("x", "token") != VAULT.seal("x", "token")


def test_another_purpose_or_secret_opens_nothing() -> None:
    sealed = VAULT.seal("x", "token")
    with pytest.raises(SignatureError):
        VAULT.open(sealed, "link")
    with pytest.raises(SignatureError):
        SealedVault(lambda: "another").open(sealed, "token")


def test_a_changed_seal_opens_nothing() -> None:
    sealed = VAULT.seal("a token of some length", "token")
    for at in range(3, len(sealed) - 1):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(SignatureError):
            VAULT.open(changed, "token")


@pytest.mark.parametrize("sealed", ["", "v1.", "v2.AAAA", "v1.é", "v1.****", "v1.AAAA", "x" * 5000])
def test_garbage_opens_nothing(sealed: str) -> None:
    with pytest.raises(SignatureError):
        VAULT.open(sealed, "token")


def test_without_a_secret_it_says_so() -> None:
    with pytest.raises(MisconfiguredError, match="USHER_SECRET"):
        SealedVault(lambda: "").seal("x", "token")
