"""Where a server is: origins as browsers write them, and addresses that no other machine can reach."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Return the origin that `url` is. ValueError for an address with more in it, or of neither http nor https.

    >>> origin_of("https://Oversight.example.com:443/")
    'https://oversight.example.com'
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    plain = not (parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not host or not host.isascii() or not plain:
        raise ValueError("it is no address such as https://oversight.example.com, with nothing behind the name")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def host_of(origin: str) -> str:
    """Return the name or address in what `origin_of` returned."""
    return urlsplit(origin).hostname or ""


def is_loopback(name: str) -> bool:
    """Whether a name or an address, without a port, is this machine's own and no other's.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if name.lower() == "localhost":
        return True
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
