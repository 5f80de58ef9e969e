"""The closed list of repositories that anything here is trained, tuned or measured on: the rest of the world stays
unseen. Each stands at a fixed revision, so that a figure can be had again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["trailers", "reverts"]
"""How repairs are recorded: `Fixes:` trailers name the repaired commit, reverts withdraw it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A repository at a fixed revision. `permissive` says that a model trained on it may be shipped, where the changes
    of `left_out` paths are left out.
    """

    name: str
    revision: str
    licence: str
    kind: Kind
    permissive: bool
    left_out: tuple[str, ...] = ()


SOURCES = (
    Source("dpdk", "38f72e500b3b159eca3ba2f4ca0e46a26a7cb057", "BSD-3-Clause", "trailers", True),
    Source("u-boot", "6073c36b2c8d39afe3ecc789b281667a3ddebc70", "GPL-2.0-or-later", "trailers", False),
    Source("networkmanager", "355bc902994f8f616bc80dcb451455f7aeb6b809", "LGPL-2.1-or-later", "trailers", False),
    # Its code may be had under the MIT or a BSD licence; what is left out, under the GPL alone or without a word.
    Source(
        "rdma-core",
        "691953d8d502f54088f776c5ba2aeed0a5ac945d",
        "MIT or BSD",
        "trailers",
        True,
        left_out=("kernel-headers/", "debian/", "redhat/", "suse/", "Documentation/", "buildlib/"),
    ),
    Source("frr", "fbfc8222da75dff28696b0d17f257cdf0808ba21", "GPL-2.0-or-later", "trailers", False),
    Source("jax", "cec06d116c05f0d52adfceee3d3b730fdbcb0ce5", "Apache-2.0", "reverts", True),
    Source("tinygrad", "a9069c177a9da9cca18593edf55acd2e6073cca6", "MIT", "reverts", True),
    Source("ansible", "c9ac477e53a99e95781f333eec3329a935c1bf95", "GPL-3.0-or-later", "reverts", False),
    Source("meson", "cd1a097e10d3a16062772c985a0dfdd6f5d824bf", "Apache-2.0", "reverts", True),
    Source("pants", "7f5db53ac90ebc7e62b721697d0e52619c7e9138", "Apache-2.0", "reverts", True),
    Source("rocksdb", "1dfa7297933df05237ac11376d6cb69d32591b1d", "Apache-2.0", "reverts", True),
    Source("ao", "36027d82d1ad9949597ea16002ff4940374b1b94", "BSD-3-Clause", "reverts", True),
)

PERMISSIVE = tuple(source for source in SOURCES if source.permissive)
"""Those that the shipped model is trained on."""
