"""The prompts of a graph, by which the queue and the history name and find it."""

from typing import Any

import pytest

from ltx_studio.graph.prompts import prompts_of


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}


def encode(text: Any, title: str = "") -> dict[str, Any]:
    return node("CLIPTextEncode", title, text=text)


def test_the_text_of_negative_conditioning_is_left_out_whatever_its_title() -> None:
    graph = {
        "1": encode("blurry", "CLIP Text Encode"),
        "2": encode("a red ball", "CLIP Text Encode"),
        "3": node("LTXVConditioning", positive=["2", 0], negative=["1", 0], frame_rate=25),
        "4": node("CFGGuider", positive=["3", 0], negative=["3", 1]),
    }

    assert prompts_of(graph) == ["a red ball"]


def test_a_text_for_both_is_a_prompt() -> None:
    graph = {
        "1": encode("a red ball"),
        "2": node("ConditioningZeroOut", conditioning=["1", 0]),
        "3": node("KSampler", positive=["1", 0], negative=["2", 0]),
    }

    assert prompts_of(graph) == ["a red ball"]


@pytest.mark.parametrize("source", [node("PrimitiveStringMultiline", value="a ball"), node("Text", string="a ball")])
def test_a_prompt_in_a_node_of_its_own_is_found(source: dict[str, Any]) -> None:
    graph = {
        "1": source,
        "2": node("Reroute", value=["1", 0]),
        "3": encode(["2", 0]),
        "4": node("K", positive=["3", 0]),
    }

    assert prompts_of(graph) == ["a ball"]


def test_a_title_that_says_negative_is_believed_where_nothing_is_connected() -> None:
    assert prompts_of({"1": encode("blurry", "Negative Prompt"), "2": encode("a ball", "Prompt")}) == ["a ball"]


def test_cycles_links_to_nothing_and_empty_texts_give_no_prompt() -> None:
    graph = {
        "1": encode(["2", 0]),
        "2": node("Text", text=["1", 0]),
        "3": encode(["9", 0]),
        "4": encode("  "),
        "5": node("K", positive=["5", 0], negative=["5", 0]),
    }

    assert prompts_of(graph) == []
