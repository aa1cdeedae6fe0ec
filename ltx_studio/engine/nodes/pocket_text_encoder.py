"""The pocket model's text encoder: a real `comfy.sd.CLIP` of a few hundred kilobytes.

ComfyUI's own LTX-2.3 text encoder is hard-wired to the sizes of Gemma 3 12B. This one reads words, not pieces: each
word that it knows, the known word before it and the one after it pick a row each of three tables (so that "red
circle" differs from "red background"), and the sum goes to the transformer's connectors as
`unprocessed_ltxav_embeds`. Words that it does not know are passed over.
"""

import json
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

WORDS = 16
"""Known words that are read; the rest of a longer prompt is not."""

TOKENS = 1024
"""The connectors fill shorter prompts up with registers to this length, so the words are repeated to fill it."""

NOTHING = 0
"""The row of every table that stands for no word."""

TABLES = ("word", "before", "after")
"""The tables' names in the file, each (known words + 1, width), in the order in which a word's rows are given."""


def rows_of(text: str, known: Mapping[str, int]) -> list[tuple[int, int, int]]:
    """The rows that a text picks, `WORDS` triples; `known` gives a word's number from 1 on."""
    ids = [known[word] for word in re.findall(r"\w+", text.lower()) if word in known][:WORDS]
    triples = list(zip(ids, [NOTHING, *ids], [*ids[1:], NOTHING], strict=False))
    return triples + [(NOTHING, NOTHING, NOTHING)] * (WORDS - len(triples))


class PocketTokenizer:
    """Words → row numbers, in the shape that `comfy.sd.CLIP` passes on: ``{name: [[(token, weight), ...]]}``."""

    def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None) -> None:
        self._known = {word: number for number, word in enumerate((tokenizer_data or {}).get("words", ()), start=1)}

    def tokenize_with_weights(
        self, text: str, return_word_ids: bool = False, **options: Any
    ) -> dict[str, list[list[tuple[tuple[int, int, int], float]]]]:
        return {"pocket": [[(rows, 1.0) for rows in rows_of(text, self._known)]]}

    def state_dict(self) -> dict[str, Any]:
        return {}


def _model_class(rows: int, width: int) -> Any:
    """The `cond_stage_model` of the CLIP; made late, because torch is not imported before ComfyUI boots."""
    import torch

    class PocketTextEncoder(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """Three tables of the shape (rows, width)."""

        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None) -> None:
            super().__init__()
            self.dtypes = {dtype}
            for name in TABLES:
                table = torch.empty(rows, width, dtype=dtype, device=device)
                self.register_parameter(name, torch.nn.Parameter(table, requires_grad=False))

        def set_clip_options(self, options: dict[str, Any]) -> None:
            """The tables are looked up where they lie, so the execution device does not matter."""

        def reset_clip_options(self) -> None:
            """There is nothing that stays set."""

        def encode_token_weights(self, tokens: dict[str, Any]) -> tuple[Any, None, dict[str, bool]]:
            """To (1, TOKENS, width), float32, unit mean square; no pooled vector."""
            picked = torch.tensor([rows for rows, _ in tokens["pocket"][0]], device=self.word.device)
            vectors = embed(picked, {name: self.get_parameter(name) for name in TABLES})
            return vectors.repeat(TOKENS // WORDS, 1)[None].cpu(), None, {"unprocessed_ltxav_embeds": True}

        def load_sd(self, sd: dict[str, Any]) -> Any:
            return self.load_state_dict(sd, strict=False, assign=getattr(self, "can_assign_sd", False))

    return PocketTextEncoder


def embed(rows: Any, tables: Mapping[str, Any]) -> Any:
    """The vectors of words: (..., 3) row numbers to (..., width), float32, unit mean square."""
    import torch

    vectors = sum(tables[name][rows[..., index]].float() for index, name in enumerate(TABLES))
    return vectors * torch.rsqrt(vectors.pow(2).mean(dim=-1, keepdim=True) + 1e-6)


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
        weights, metadata = comfy.utils.load_torch_file(path, safe_load=True, return_metadata=True)
        if set(weights) != set(TABLES) or "words" not in (metadata or {}):
            raise ValueError(f"{text_encoder} is not the text encoder of a pocket LTX-2.3")
        rows, width = weights[TABLES[0]].shape

        target = SimpleNamespace(params={}, clip=_model_class(rows, width), tokenizer=PocketTokenizer)
        words = {"words": json.loads(metadata["words"])}
        clip = comfy.sd.CLIP(target, tokenizer_data=words, parameters=len(TABLES) * rows * width, state_dict=[weights])
        return (clip,)
