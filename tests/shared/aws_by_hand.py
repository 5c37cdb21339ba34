"""Shell commands that say ``aws …`` as they stand, against a double: an ``aws`` that is botocore, whose models say what
operations, options and answers there are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import botocore.session
import jmespath
from botocore import xform_name


def run_block(commands: str, folder: Path, endpoint: str) -> str:
    """What the commands print.

    :param folder: for the ``aws`` in their path. ``endpoint``: of the double.
    """
    tool = folder / "aws"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    tool.chmod(0o700)
    keys = {"AWS_ACCESS_KEY_ID": "by-hand", "AWS_SECRET_ACCESS_KEY": "by-hand"}
    env = {**os.environ, **keys, "PATH": f"{folder}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": endpoint}
    script = f"set -e\n{commands}\n"
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def aws(service: str, operation: str, *options: str) -> str:
    """As the AWS CLI does it: pages are followed, ``--query`` is JMESPath, and ``--output text`` has tabs."""
    given = dict(zip(options[::2], options[1::2], strict=True))
    query, region = given.pop("--query", "@"), given.pop("--region")
    given.pop("--output", None)
    client = botocore.session.get_session().create_client(service, region_name=region)
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    names = {xform_name(name, "-"): name for name in model.input_shape.members}
    params = {names[option.removeprefix("--")]: value for option, value in given.items()}
    if client.can_paginate(method):
        answer = client.get_paginator(method).paginate(**params).build_full_result()
    else:
        answer = getattr(client, method)(**params)
    found = jmespath.search(query, answer)
    return "\t".join(found) if isinstance(found, list) else ""


if __name__ == "__main__":
    print(aws(*sys.argv[1:]))
