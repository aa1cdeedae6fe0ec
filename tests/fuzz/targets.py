"""What is fuzzed: one target for each parser of what users bring."""

from collections.abc import Mapping

from tests.fuzz import tables
from tests.fuzz.case import Case, Target
from tests.fuzz.files import (
    lora_strategy,
    media_strategy,
    mutate_lora,
    mutate_media,
    read_lora,
    read_media,
    read_models,
    read_table,
)
from tests.fuzz.requests import (
    make_again,
    mutate_recipe,
    mutate_request,
    mutate_take,
    read_request,
    read_tags,
    recipe_strategy,
    request_strategy,
    take_strategy,
)
from tests.fuzz.workflows import (
    editor_strategy,
    form_strategy,
    mutate_editor,
    mutate_form,
    mutate_own,
    own_strategy,
    read_editor,
    read_own,
    show_form,
)

TARGETS: Mapping[str, Target] = {
    "request": Target(read_request, mutate_request, request_strategy),
    "editor": Target(read_editor, mutate_editor, editor_strategy),
    "graph": Target(read_own, mutate_own, own_strategy),
    "tags": Target(read_tags, mutate_take, take_strategy),
    "lora": Target(read_lora, mutate_lora, lora_strategy),
    "media": Target(read_media, mutate_media, media_strategy),
    "table": Target(
        read_table,
        lambda _, random: Case(*tables.mutated(random)),
        lambda _: tables.STRATEGY.map(lambda each: Case(*each)),
    ),
    "models": Target(
        read_models,
        lambda _, random: Case(*tables.mutated_sets(random)),
        lambda _: tables.SETS.map(lambda each: Case(*each)),
    ),
    "recipe": Target(make_again, mutate_recipe, recipe_strategy),
    "form": Target(show_form, mutate_form, form_strategy),
}
