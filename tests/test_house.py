"""What holds the house together: the walls between the rooms, and papers that tell the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sidelight.core.tasks import TASKS
from sidelight.setting_table import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
# Keys have no place in settings files, and VS Code has its own trust and its own client's limits.
NOT_IN_VS_CODE = {"anythingllm.apiKey", "openai.apiKey", "dashscope.apiKey", "trustWorkspace", "messageLimitMib"}
CLIENTS_OWN = {"python", "server.command"}


def test_the_walls_between_the_rooms_stand() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    checked = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_example_lists_every_setting_with_its_default() -> None:
    listed = dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(listed) == {setting.environment for setting in SETTINGS}
    for setting in SETTINGS:
        default = (
            {True: "1", False: "0"}.get(setting.default, setting.default) if setting.kind == "flag" else setting.default
        )
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        assert listed[setting.environment] == shown, setting.environment


def test_the_readme_lists_every_setting() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([\w.]+)` \|", readme, re.MULTILINE)
    assert rows == [(setting.environment, setting.client) for setting in SETTINGS]


def test_the_manifest_has_the_settings_of_the_table() -> None:
    manifest = json.loads((ROOT / "package.json").read_text("utf-8"))
    configuration = manifest["contributes"]["configuration"]
    sections = configuration if isinstance(configuration, list) else [configuration]
    properties = {
        key.removeprefix("sidelight."): value for section in sections for key, value in section["properties"].items()
    }
    table = {setting.client: setting for setting in SETTINGS}
    assert set(properties) - CLIENTS_OWN == set(table) - NOT_IN_VS_CODE
    for key in set(properties) - CLIENTS_OWN:
        assert properties[key]["default"] == table[key].default, key
        assert tuple(properties[key].get("enum", ())) == table[key].choices, key


def test_the_protocol_page_names_every_command() -> None:
    page = (ROOT / "server" / "sidelight" / "lsp" / "PROTOCOL.md").read_text("utf-8")
    for command in [*TASKS, "stop", "insertBlock", "send"]:
        assert f"`sidelight.{command}`" in page


def test_the_documents_link_only_to_what_exists() -> None:
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text("utf-8")
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{name} links to {target}"


def test_the_architecture_page_is_short_and_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert len(text.splitlines()) < 200
    for room in (ROOT / "server" / "sidelight").iterdir():
        if room.name not in ("__init__.py", "__main__.py", "__pycache__"):
            assert room.name in text, room.name


@pytest.mark.parametrize("heavy", ["requests", "urllib3", "dotenv", "argparse"])
def test_nothing_heavy_is_imported_at_the_start(heavy: str) -> None:
    code = (
        f"import sys\nimport sidelight.cli, sidelight.logs, sidelight.lsp.server\nsys.exit({heavy!r} in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "server", check=True)


def test_every_command_of_the_servers_own_table_is_announced() -> None:
    from sidelight.lsp.handshake import COMMANDS

    code = (ROOT / "server" / "sidelight" / "lsp" / "server.py").read_text("utf-8")
    done = set(re.findall(r'^            "(sidelight\.\w+)": self\.', code, re.MULTILINE))
    assert done <= set(COMMANDS)
