import torch

from lab.world.controls import edges, sketch
from lab.world.draw import render
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import sample
from ltx_studio.engine import Engine


def test_a_sketch_has_dark_lines_on_white_where_brightness_is_the_same_too(engine: Engine) -> None:
    engine.wait_ready()
    scenes = sample(1, torch.Generator().manual_seed(1), faces=0.0, settings=0.0).but(
        colour=torch.tensor([list(COLOURS).index("red")]), background=torch.tensor([list(BACKGROUNDS).index("teal")])
    )
    clip = render(scenes, 1, 256, 192)

    drawn = sketch(clip)

    assert not (edges(clip) > 0).any(), "Canny sees brightness alone"
    assert drawn.shape == clip.shape
    assert 0.002 < float((drawn < 0).float().mean()) < 0.1
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
