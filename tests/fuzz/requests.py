"""Targets 1, 4 and 9: requests, and the recipes that clips carry."""

import json
from functools import partial
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from ltx_studio.families.ltx_2_3 import PRESETS
from ltx_studio.media import by_name
from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec, WorkflowSpec
from ltx_studio.takes import recipes, replay
from ltx_studio.workflow_files.read import read_workflow
from tests.fuzz import graphs, media_files
from tests.fuzz.case import Case, json_case
from tests.fuzz.ground import LORA, Ground
from tests.fuzz.measure import Attempts
from tests.fuzz.values import ANYTHING, LEAVES, Json, as_text, hostile, mostly, mutate_bytes, mutate_json, storm
from tests.support import REGISTRY


def read_request(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Check a request of a mode, as a client sends it."""
    asked = json.loads(path.read_bytes())
    model_set = attempts(lambda: REGISTRY.get_set(asked["model_set"]))
    if model_set is None:
        return
    spec = attempts(lambda: JobSpec.from_request(asked["mode"], asked["values"], model_set, asked["preset"]))
    if spec is not None:
        attempts(lambda: (spec.summary(), spec.notes(), json.dumps(spec.as_dict()), spec.build(by_name)))


def _request(mode: Json, values: Json, model_set: Json = "pocket", preset: Json = "fast") -> dict[str, Json]:
    return {"mode": mode, "values": values, "model_set": model_set, "preset": preset}


def mutate_request(ground: Ground, random: Random) -> Case:
    mode = random.choice(tuple(MODES))
    values = dict(ground.requests[mode])
    names = tuple(MODES[mode].params.model_fields)
    for _ in range(random.randint(0, 3)):
        values[random.choice((*names, storm(random)[:300]))] = hostile(random)
    if random.random() < 0.3:
        values["loras"] = mutate_json([{"file": LORA, "strength": 0.8}], random)
    asked = _request(mode, values, "pocket", random.choice(tuple(PRESETS)))
    if random.random() < 0.15:
        asked[random.choice(("mode", "model_set", "preset"))] = hostile(random)
    return Case(".json", json.dumps(asked).encode())


def request_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    fields = sorted({name for mode in MODES.values() for name in mode.params.model_fields})
    files = st.sampled_from(("image.png", "speech.wav", "clip.mp4", LORA, "canary", ".", "/etc/passwd"))
    lora = mostly(st.fixed_dictionaries({"file": mostly(files)}, optional={"strength": LEAVES}))
    value = st.one_of(LEAVES, files, mostly(st.lists(lora, max_size=20), ANYTHING))
    of_mode = st.sampled_from(sorted(MODES)).flatmap(
        lambda mode: st.dictionaries(st.sampled_from(fields), value, max_size=4).map(
            lambda odd: _request(mode, ground.requests[mode] | odd)
        )
    )
    asked = st.tuples(of_mode, mostly(st.sampled_from(sorted(PRESETS))), mostly(st.just("pocket"))).map(
        lambda each: each[0] | {"preset": each[1], "model_set": each[2]}
    )
    return asked.map(lambda document: Case(".json", json.dumps(document).encode()))


def read_tags(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read all that a take carries."""
    attempts(lambda: recipes.tags(path))
    attempts(lambda: recipes.read(path))
    attempts(lambda: read_workflow(path, ground.definitions))
    attempts(lambda: WorkflowSpec.from_file(path, {}, ground.definitions, trusted=False))


_MARK = b"#" * 64


def mutate_take(ground: Ground, random: Random) -> Case:
    kind = random.random()
    if kind < 0.4:
        return Case(".mp4", _changed_text(ground.take, random))
    if kind < 0.6:
        return Case(".mp4", mutate_bytes(ground.take, random))
    name = random.choice(("ltx_studio", "prompt", "workflow", "comment", "title", storm(random)[:40].replace("\0", "")))
    texts = ground.api_graphs if name == "prompt" else ground.editor_workflows
    is_recipe = name == "ltx_studio"
    document = ground.recipe(random.choice(tuple(MODES))) if is_recipe else json.loads(random.choice(texts))
    value = as_text(mutate_json(document, random), random)
    if random.random() < 0.4:
        value = mutate_bytes(value, random)
    return Case(".mp4", with_tag(ground, name, value))


def _changed_text(take: bytes, random: Random) -> bytes:
    """Change bytes within the tags only, so that the clip stays one and the text is none."""
    begin = take.index(b'{"recipe"')
    end = take.rindex(b"}")
    changed = bytearray(take)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(begin, end)] = random.getrandbits(8)
    return bytes(changed)


def with_tag(ground: Ground, name: str, value: bytes) -> bytes:
    mark = _MARK.decode()
    try:
        template = media_files.tagged(ground.film, {name or "x": mark})
    except (UnicodeError, ValueError, OSError):  # FFmpeg writes no such name
        template = media_files.tagged(ground.film, {"prompt": mark})
    return media_files.retagged(template, _MARK, value)


def take_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    names = st.sampled_from(("ltx_studio", "prompt", "workflow"))
    recipe = st.dictionaries(
        st.sampled_from(("mode", "params", "graph", "inputs", "models", "versions", "preset")), ANYTHING
    ).map(lambda odd: ground.recipe("t2v") | odd)
    graph = graphs.api_strategy((graphs.SAVE_NODE, graphs.TEXT_NODE))
    document = st.one_of(ANYTHING, recipe, graph, graphs.editor_strategy((graphs.SAVE_NODE, graphs.TEXT_NODE)))
    value = st.one_of(st.binary(max_size=200), document.map(as_text))
    return st.tuples(names, value).map(lambda each: Case(".mp4", with_tag(ground, *each)))


def make_again(path: Path, ground: Ground, attempts: Attempts) -> None:
    """Read a recipe from a clip, and build its graph."""
    clip = path.with_suffix(".mp4")
    clip.write_bytes(with_tag(ground, "ltx_studio", path.read_bytes()))
    try:
        recipe = attempts(lambda: recipes.read(clip))
        if recipe is None:
            return
        for trusted in (False, True):
            spec = attempts(partial(replay.spec_of, recipe, ground.settings, trusted=trusted))
            if spec is not None:
                attempts(partial(_used, spec))
                attempts(partial(_compared, recipe, spec, ground))
    finally:
        clip.unlink()


def _used(spec: JobSpec | WorkflowSpec) -> None:
    spec.build(by_name)
    json.dumps([spec.summary(), spec.notes(), spec.as_dict()])


def _compared(recipe: recipes.Recipe, spec: JobSpec | WorkflowSpec, ground: Ground) -> None:
    list(replay.changes(recipe, ground.settings, spec))
    replay.missing_files(spec)


def own_recipe(ground: Ground) -> dict[str, Json]:
    graph = json.loads(json.dumps(ground.mode_graphs["t2v"]))  # what is changed here stays here
    params = {"name": "mine", "prompt": "a", "seed": 1, "graph": graph, "files": {}}
    return ground.recipe("t2v") | {"mode": "workflow", "preset": "", "model_set": "", "params": params}


def mutate_recipe(ground: Ground, random: Random) -> Case:
    recipe = own_recipe(ground) if random.random() < 0.3 else ground.recipe(random.choice(tuple(MODES)))
    if random.random() < 0.6:
        for _ in range(random.randint(1, 3)):
            name = random.choice(list(recipe["params"]))
            recipe["params"][name] = hostile(random)
        return Case(".json", as_text(recipe, random))
    document = recipe if random.random() < 0.4 else {**recipe, "graph": {}}
    return Case(".json", as_text(mutate_json(document, random), random))


def recipe_strategy(ground: Ground) -> "st.SearchStrategy[Case]":
    usual = {mode: {**ground.recipe(mode), "graph": {}} for mode in MODES} | {"workflow": own_recipe(ground)}
    fields = st.sampled_from(sorted({name for each in usual.values() for name in each["params"]}))
    odd = st.tuples(
        st.dictionaries(fields, LEAVES | ANYTHING, max_size=3),
        st.dictionaries(
            st.sampled_from(("inputs", "preset", "model_set", "mode", "versions", "models")),
            LEAVES | st.dictionaries(st.text(max_size=5), LEAVES, max_size=2),
            max_size=2,
        ),
    )
    return st.tuples(st.sampled_from(sorted(usual)), odd).map(
        lambda each: json_case({**usual[each[0]], "params": usual[each[0]]["params"] | each[1][0], **each[1][1]})
    )
