"""The pocket model's text encoder: a real `comfy.sd.CLIP` of a few hundred kilobytes.

ComfyUI's own LTX-2.3 text encoder is hard-wired to the sizes of Gemma 3 12B. This one reads words, not pieces:
a word and the word after it each pick a row of a table (so that "red circle" differs from "red background"),
and the sum goes to the transformer's connectors as `unprocessed_ltxav_embeds`.
"""

import re
import zlib
from types import SimpleNamespace
from typing import Any

WORDS = 64
"""Words that are read; the rest of a longer prompt is not."""

TOKENS = 1024
"""The connectors fill shorter prompts up with registers to this length, so the words are repeated to fill it."""

NOTHING = "<nothing>"
END = "<end>"


class PocketTokenizer:
    """Words → row numbers, in the shape that `comfy.sd.CLIP` passes on: ``{name: [[(token, weight), ...]]}``."""

    rows = 1

    def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None) -> None:
        self.rows = int((tokenizer_data or {}).get("rows", self.rows))

    def tokenize_with_weights(
        self, text: str, return_word_ids: bool = False, **options: Any
    ) -> dict[str, list[list[tuple[tuple[int, int], float]]]]:
        words = re.findall(r"\w+", text.lower())[:WORDS]
        words = words or [NOTHING]
        following = [*words[1:], END]
        pairs = [(self._row(word), self._row(f"next:{after}")) for word, after in zip(words, following, strict=True)]
        return {"pocket": [[(pair, 1.0) for pair in pairs]]}

    def _row(self, word: str) -> int:
        return zlib.crc32(word.encode()) % self.rows

    def state_dict(self) -> dict[str, Any]:
        return {}


def _model_class(rows: int, width: int) -> Any:
    """The `cond_stage_model` of the CLIP; made late, because torch is not imported before ComfyUI boots."""
    import torch

    class PocketTextEncoder(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """`table` has the shape (rows, width): one vector for each word, one for each following word."""

        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None) -> None:
            super().__init__()
            self.dtypes = {dtype}
            self.table = torch.nn.Parameter(torch.empty(rows, width, dtype=dtype, device=device), requires_grad=False)

        def set_clip_options(self, options: dict[str, Any]) -> None:
            """The table is looked up where it lies, so the execution device does not matter."""

        def reset_clip_options(self) -> None:
            """There is nothing that stays set."""

        def encode_token_weights(self, tokens: dict[str, Any]) -> tuple[Any, None, dict[str, bool]]:
            """To (1, TOKENS, width), float32, unit mean square; no pooled vector."""
            pairs = torch.tensor([pair for pair, _ in tokens["pocket"][0]], device=self.table.device)
            vectors = self.table[pairs].float().sum(dim=1)
            vectors = vectors * torch.rsqrt(vectors.pow(2).mean(dim=-1, keepdim=True) + 1e-6)
            repeats = -(-TOKENS // len(vectors))
            return vectors.repeat(repeats, 1)[None, :TOKENS].cpu(), None, {"unprocessed_ltxav_embeds": True}

        def load_sd(self, sd: dict[str, Any]) -> Any:
            return self.load_state_dict(sd, strict=False, assign=getattr(self, "can_assign_sd", False))

    return PocketTextEncoder


class PocketTextEncoderLoader:
    """Loads the pocket model's text encoder as a CLIP; `CLIPTextEncode` is ComfyUI's own."""

    RETURN_TYPES = ("CLIP",)
    FUNCTION = "load"
    CATEGORY = "LTX Studio"
    DESCRIPTION = "Loads the text encoder of the pocket LTX-2.3."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802  (ComfyUI's name)
        import folder_paths

        return {"required": {"text_encoder": (folder_paths.get_filename_list("text_encoders"),)}}

    def load(self, text_encoder: str) -> tuple[Any]:
        import comfy.sd
        import comfy.utils
        import folder_paths

        path = folder_paths.get_full_path_or_raise("text_encoders", text_encoder)
        weights = comfy.utils.load_torch_file(path, safe_load=True)
        if set(weights) != {"table"}:
            raise ValueError(f"{text_encoder} is not the text encoder of a pocket LTX-2.3")
        rows, width = weights["table"].shape

        target = SimpleNamespace(params={}, clip=_model_class(rows, width), tokenizer=PocketTokenizer)
        clip = comfy.sd.CLIP(target, tokenizer_data={"rows": rows}, parameters=rows * width, state_dict=[weights])
        return (clip,)
