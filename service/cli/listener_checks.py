"""What `herdbook check` says of the listeners of applications."""

from __future__ import annotations

from datetime import UTC, datetime

from service.config import Configuration


def listeners(configuration: Configuration) -> str:
    """What listeners show is there and counts; without it they stay on this machine."""
    files = configuration.listen.files
    if files is None:
        return "applications are listened for without TLS, on this machine only"
    # The libraries of certificates are imported only where there are any.
    from service.identity.life import Standing
    from service.identity.listener import ListenerPaths, load_listener

    now = datetime.now(UTC)
    found = load_listener(ListenerPaths(*files), now)
    told = (
        f"TLS for {', '.join(found.hosts) or 'no host'}, until {found.life.ends:%Y-%m-%d %H:%M} UTC"
    )
    warnings = []
    if found.life.standing(now) is Standing.DUE:
        warnings.append(f"{files[0]} is to be renewed: put the new one in its place")
    if not found.hosts:
        warnings.append(
            f"{files[0]} names no host (subjectAltName), so clients will not believe it"
        )
    return "\n".join([told, *(f"WARNING: {one}" for one in warnings)])
