"""Fill an installation for one source tree, in a process that imports ``grantway`` from it (``PYTHONPATH``).

python -m bench.flames.filling FOLDER CODES REFRESH_TOKENS ACCESS_TOKENS REVOCABLE
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.ours import fill, material_of
from bench.systems import Amounts
from grantway.server.settings_sources import load_settings


def main() -> None:
    folder = Path(sys.argv[1])
    codes, refresh_tokens, access_tokens, revocable = map(int, sys.argv[2:6])
    amounts = Amounts(codes, refresh_tokens, access_tokens, revocable, races=0)
    material = asdict(material_of(folder, fill(load_settings(data=folder), folder, amounts), amounts))
    del material["folder"]
    (folder / "material.json").write_text(json.dumps(material))


if __name__ == "__main__":
    main()
