"""Shared mailboxes are told from people's."""

import pytest

from core.mailboxes import is_role_mailbox


@pytest.mark.parametrize(
    "address",
    ["support@acme.com", "INFO@acme.com", "info+mx@acme.com", "no-reply@a.io", "ventas@acme.es"],
)
def test_a_roles_mailbox_is_nobodys(address: str) -> None:
    assert is_role_mailbox(address)


@pytest.mark.parametrize(
    "address", ["jane@acme.com", "jane.info@acme.com", "it", "", "@acme.com", "infograph@acme.com"]
)
def test_a_persons_mailbox_is_theirs(address: str) -> None:
    assert not is_role_mailbox(address)
