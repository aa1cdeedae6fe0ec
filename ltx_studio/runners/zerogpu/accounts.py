"""The visitors' accounts at Hugging Face, as far as the platform tells them.

It tells a visitor's account only when it answers a request for a GPU, in a header. Before a visitor's first run nothing
is known: what their token says of them is not documented, and the token of each visit is another one.
"""

import threading
from collections.abc import Mapping

from ltx_studio.runners.protocol import Account

HEADER = "X-Authenticated"
ACCOUNTS: Mapping[str | None, Account] = {"regular": "free", "pro": "pro"}
"""Accounts by the value of the header. Visitors without an account have no header, and others may lack it, too."""

A_DAY: Mapping[Account, int] = {"": 5 * 60, "free": 5 * 60, "pro": 40 * 60}
"""Seconds of quota a day. Without an account it is 2 minutes: what is unknown is taken for a free account.

https://huggingface.co/docs/hub/spaces-zerogpu
"""

MOST_KEPT = 1000


class Accounts:
    """The accounts of the visitors who had runs, by owner; safe in any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._by_owner: dict[str, Account] = {}

    def note(self, owner: str, account: Account) -> None:
        """Note what the platform has told; an empty account, which tells nothing, leaves the earlier one."""
        if not owner or not account:
            return
        with self._guard:
            self._by_owner.pop(owner, None)
            self._by_owner[owner] = account
            for oldest in list(self._by_owner)[:-MOST_KEPT]:
                del self._by_owner[oldest]

    def of(self, owner: str) -> Account:
        """Return an owner's account; empty if it is unknown."""
        with self._guard:
            return self._by_owner.get(owner, "")
