"""A LoRA that ComfyUI cannot load is named as the user named it, through the whole studio."""

import json
from pathlib import Path

from ltx_studio.pocket import files
from tests.cli.conftest import Terminal


def test_a_broken_lora_is_named_as_its_user_named_it(terminal: Terminal, tmp_path: Path) -> None:
    data = (files.SHIPPED / files.STYLE_LORA).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    next(tensor for name, tensor in header.items() if name != "__metadata__")["dtype"] = "F99"
    text = json.dumps(header).encode()
    lora = tmp_path / "my style.safetensors"
    lora.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])

    terminal("generate", "t2v", "--prompt", "a ball", "--width", "128", "--height", "128", "--seconds", "0.7",
             "--lora", str(lora), rc=1)  # fmt: skip

    assert "your file my style.safetensors is damaged" in terminal.err
    assert terminal.err.splitlines()[-1] == "Use another file."
    assert "studio-" not in terminal.err
    assert "models verify" not in terminal.err
