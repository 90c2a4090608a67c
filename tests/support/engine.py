"""Whether there is a container engine, and the image that a test server would run from."""

from __future__ import annotations

import os
from functools import cache

import docker
from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config


@cache
def has_image(image: str) -> bool:
    """Whether `image` can be run here without fetching it; STOCKSYNC_TESTCONTAINERS=0 says no in any case."""
    if os.environ.get("STOCKSYNC_TESTCONTAINERS") == "0":
        return False
    try:
        client = docker.from_env()
        found = any(image in known.tags for known in client.images.list())
        reaper = any(testcontainers_config.ryuk_image in known.tags for known in client.images.list())
    except DockerException:
        return False
    testcontainers_config.ryuk_disabled = not reaper  # without its image nothing could start
    return found
