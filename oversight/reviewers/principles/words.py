"""Sub-words of identifiers: the cheap test that comes before any pattern.

Every pattern names words without which it cannot match. A file is broken into its sub-words once, whatever
the number of principles, and only detectors with a word in common read its rows.
"""

from __future__ import annotations

import re

_SUBWORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def subwords(text: str) -> frozenset[str]:
    """Break identifiers at case changes, digits and punctuation; lower case.

    >>> sorted(subwords("yaml.innerHTML = MD5_init"))
    ['html', 'init', 'inner', 'md', 'yaml']
    """
    return frozenset(word.lower() for word in set(_SUBWORD.findall(text)))
