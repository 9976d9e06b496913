"""The key of backups, made once and kept beside the data: a secret key of age, which is 32 random bytes in bech32.

Written out here because `deploy/up` runs before there is anything but Python.  Who loses it loses the backups that are
encrypted with it, so it belongs somewhere else as well.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

PREFIX: Final = "age-secret-key-"
CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # of bech32's checksum


def kept(file: Path) -> str:
    """The key in this file, which is made if there is none; nobody but its owner reads it."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        key = of(secrets.token_bytes(32))
    making = file.with_name(f"{file.name}.{os.getpid()}")
    making.touch(mode=0o600)
    making.write_text(f"{key}\n")
    making.replace(file)
    return key


def of(secret: bytes) -> str:
    """A key, as age spells it."""
    words = list(_fives(secret))
    sum_ = _polymod([*_expanded(PREFIX), *words, *[0] * 6]) ^ 1
    words += [(sum_ >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{PREFIX}1{''.join(CHARSET[word] for word in words)}".upper()


def _fives(secret: bytes) -> Iterator[int]:
    """The same bits, five at a time."""
    missing = -len(secret) * 8 % 5
    number, bits = int.from_bytes(secret) << missing, len(secret) * 8 + missing
    return ((number >> place) & 31 for place in range(bits - 5, -1, -5))


def _expanded(prefix: str) -> list[int]:
    return [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]


def _polymod(words: Iterable[int]) -> int:
    found = 1
    for word in words:
        top, found = found >> 25, ((found & 0x1FFFFFF) << 5) ^ word
        for place, part in enumerate(GENERATOR):
            found ^= part if (top >> place) & 1 else 0
    return found
