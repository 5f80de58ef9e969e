"""Zip files from outside: whatever is amiss with one is one error."""

from __future__ import annotations

import io
import zipfile

import pytest

from oversight_github.archives import ArchiveError, unpacking

CONTENT = b"hello world " * 200


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_byte_may_be_damaged(method: int) -> None:
    """Each in four ways: the member comes out whole, or there is one error, whatever the method raises by itself."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("a", CONTENT if method != zipfile.ZIP_STORED else CONTENT[:60])
    whole = target.getvalue()
    expected, refused = _read(whole), 0
    for at, byte in enumerate(whole):
        for other in {0, 0xFF, byte ^ 1, byte ^ 0x40} - {byte}:
            try:
                assert _read(whole[:at] + bytes([other]) + whole[at + 1 :]) == expected
            except ArchiveError:
                refused += 1
    assert refused > len(whole)


def _read(archive: bytes) -> bytes:
    with unpacking(io.BytesIO(archive)) as opened, opened.open("a") as member:
        return member.read(1 << 20)


def test_a_member_that_is_not_there_is_the_same_error() -> None:
    """Nobody has to tell a KeyError from a damaged file."""
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    with pytest.raises(ArchiveError):
        _read(target.getvalue())
