"""Ask the gateway whether a job would be done now.

Ready means: the gateway reaches its stores, and at least one job type has a live worker.  The answer is a
sentence about what is still missing, so that a wait that fails can say what it waited for.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request


def missing(url: str, api_key: str | None) -> str | None:
    """What is still missing; None when a job would be done."""
    try:
        get(f"{url}/health/ready", None)
        types = json.loads(get(f"{url}/api/v1/job-types", api_key))["items"]
    except urllib.error.HTTPError as refused:
        return f"the gateway answers {refused.code}: {refused.read(400).decode(errors='replace')}"
    except OSError as unreachable:
        return f"the gateway does not answer at {url} ({unreachable})"
    except (ValueError, KeyError, TypeError):
        return f"something answers at {url} that is not Warren"
    if not any(kind.get("workers", 0) for kind in types):
        return "no worker has registered its job types yet"
    return None


def get(url: str, api_key: str | None) -> bytes:
    request = urllib.request.Request(url)  # noqa: S310 - our own gateway
    if api_key:
        request.add_header("X-API-Key", api_key)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach our loopback
    with direct.open(request, timeout=5) as answer:
        return bytes(answer.read())
