"""Write the files that compose.yaml mounts, from what GitHub answers for the code of a new App.

    curl --fail --request POST https://api.github.com/app-manifests/CODE/conversions > app.json
    python3 deploy/prepare.py app.json && rm app.json

Standard library alone. What is there already is kept, so that it can be run again. The folder is open to its owner
alone; the files in it are readable, since the server in its container is another user.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def prepare(app: Path, folder: Path = HERE) -> list[str]:
    """Write secrets/ and settings.env below `folder`, and return what was written. SystemExit for what is no App."""
    try:
        told = json.loads(app.read_bytes())
        number, key, hook = int(told["id"]), str(told["pem"]), str(told["webhook_secret"])
        client, secret, url = str(told["client_id"]), str(told["client_secret"]), str(told["external_url"])
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(f"{app} holds no App as GitHub answers it: a code is good once, and for an hour; create the App again")
    password = _kept(folder, "database_password") or secrets.token_hex(32)
    files = {
        "webhook_secret": hook,
        "github_key": key,
        "github_client_secret": secret,
        "api_token": secrets.token_hex(32),
        "database_password": password,
        "database_url": f"postgresql://oversight:{password}@database/oversight",
    }
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    written = [name for name, text in files.items() if _write(folder / "secrets" / name, text.strip() + "\n")]
    lines = (HERE / "settings.env.example").read_text(encoding="utf-8").splitlines()
    for name, value in (("GITHUB__APP_ID", number), ("GITHUB__CLIENT_ID", client), ("PAGES__URL", url)):
        lines = [f"OVERSIGHT_{name}={value}" if line.startswith(f"OVERSIGHT_{name}=") else line for line in lines]
    if _write(folder / "settings.env", "\n".join([*lines, ""])):
        written.append("settings.env")
    return written


def _kept(folder: Path, name: str) -> str | None:
    path = folder / "secrets" / name
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def _write(path: Path, text: str) -> bool:
    """Write a file that is not there yet, and say whether it was not."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        return False
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        opened.write(text)
    return True


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: prepare.py app.json")
    sys.stdout.write("written: " + (", ".join(prepare(Path(sys.argv[1]))) or "nothing, all of it was there") + "\n")
