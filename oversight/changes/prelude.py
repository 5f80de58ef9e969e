"""What stands before the files of a diff: the messages that `git show`, `git log` and `git format-patch` write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from oversight.changes.paths import decode

_MAIL = re.compile(rb"From [0-9a-f]{40}(?:[0-9a-f]{24})? ")
_SHOW = re.compile(rb"commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\b")
_ENCODED = re.compile(rb"content-transfer-encoding: *(?:quoted-printable|base64)", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]*): *(.*)")
_TAG = re.compile(r"\s*\[[^\]]*\]\s*")
_MESSAGE_BYTES = 64_000
_MESSAGES_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A commit's message with its author as "Name <email>"; None where the text does not tell."""

    author: str | None
    authored_at: datetime | None
    title: str
    body: str

    @property
    def text(self) -> str:
        """The whole message."""
        return f"{self.title}\n\n{self.body}"


class Prelude:
    """Collects the lines that belong to no file.

    `known` says whether a commit or mail header was among them; `open`, whether one began since the last
    file; `encoded`, whether a mail says that its lines are not what was sent; `text_at` is the number of the
    first line that is not blank. A message is kept up to 64 kB, all of them together up to 4 MB.
    """

    def __init__(self) -> None:
        self.known = False
        self.open = False
        self.encoded = False
        self.text_at: int | None = None
        self._raw: list[tuple[bool, list[bytes]]] = []
        self._fields = False
        self._room = 0
        self._all = _MESSAGES_BYTES

    @property
    def mail(self) -> bool:
        """Whether the message of a mail is open, in which any line may stand."""
        return self.open and self._raw[-1][0]

    def feed(self, line: bytes, number: int) -> None:
        """Take one line."""
        if self.text_at is None and line.strip():
            self.text_at = number
        mail = _MAIL.match(line) is not None
        if mail or _SHOW.match(line):
            self.known = self.open = True
            self._fields = mail
            self._room = min(_MESSAGE_BYTES, self._all)
            self._raw.append((mail, []))
        self._fields = self._fields and bool(line.strip())
        self.encoded = self.encoded or (self._fields and _ENCODED.match(line) is not None)
        if self.open and len(line) <= self._room:
            self._room -= len(line)
            self._all -= len(line)
            self._raw[-1][1].append(line)

    def end(self) -> None:
        """A file begins: what follows it is no part of the message."""
        self.open = False

    def messages(self) -> list[Message]:
        """The messages, in the order of the input."""
        return [_mail(lines) if mail else _show(lines) for mail, lines in self._raw]


def _mail(lines: list[bytes]) -> Message:
    """A message as `git format-patch` writes it: header fields, a blank line, the body up to `---`."""
    text = [decode(line).rstrip("\r\n") for line in lines[1:]]
    blank = text.index("") if "" in text else len(text)
    fields: dict[str, str] = {}
    name = ""
    for line in text[:blank]:
        if line[:1] in (" ", "\t") and name:
            fields[name] += " " + line.strip()
        elif match := _FIELD.fullmatch(line):
            name = match[1].lower()
            fields.setdefault(name, match[2])
    body = text[blank + 1 :]
    if "---" in body:
        body = body[: body.index("---")]
    title = _TAG.sub("", _words(fields.get("subject", "")), count=1)
    if body and (inner := _FIELD.fullmatch(body[0])) and inner[1] == "From":
        # git puts the author there when somebody else sends the mail.
        fields["from"] = inner[2]
        body = body[1:]
    author = _words(fields["from"]) if "from" in fields else None
    return Message(author, _date(fields.get("date", "")), title, "\n".join(body).strip("\n"))


def _show(lines: list[bytes]) -> Message:
    """A message as `git show` and `git log` write it: fields, a blank line, the text indented by four."""
    text = [decode(line).rstrip("\r\n") for line in lines[1:]]
    fields: dict[str, str] = {}
    for line in text:
        if not (match := _FIELD.fullmatch(line)):
            break
        fields.setdefault(match[1].lower(), match[2].strip())
    words = [line[4:] for line in text if line.startswith("    ")]
    date = fields.get("authordate") or fields.get("date", "")
    return Message(fields.get("author"), _date(date), words[0] if words else "", "\n".join(words[1:]).strip("\n"))


def _words(text: str) -> str:
    """Undo RFC 2047 encoded words; text that is none, or is broken, stays as it is."""
    if "=?" not in text:
        return text
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def _date(text: str) -> datetime | None:
    """A date as git writes it (default, RFC 2822 or ISO), time-zone aware; None where it is none of these."""
    if not text or len(text) > 100:
        return None
    from email.utils import parsedate_to_datetime

    for read in (parsedate_to_datetime, _iso):
        try:
            date = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return None


def _iso(text: str) -> datetime:
    parts = text.split()
    return datetime.fromisoformat(parts[0] + "T" + "".join(parts[1:]) if len(parts) > 1 else text)
