"""The words that the pocket model knows, and their synonyms."""

from collections.abc import Mapping

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    # colours
    "red": ("crimson", "scarlet"),
    "green": ("emerald", "lime"),
    "blue": ("azure", "cobalt"),
    "yellow": ("golden", "lemon"),
    "white": ("snowy", "ivory"),
    "black": ("ebony", "dark"),
    "orange": ("amber", "tangerine"),
    "purple": ("violet", "magenta"),
    "gray": ("grey", "silver"),
    "navy": ("indigo", "midnight"),
    "teal": ("turquoise", "cyan"),
    "pink": ("rose", "pinkish"),
    "brown": ("wooden", "wood"),
    # subjects
    "circle": ("ball", "balls", "disc", "disk", "dot", "sphere", "orb"),
    "square": ("box", "cube", "block", "rectangle"),
    "triangle": ("pyramid", "cone", "wedge"),
    "face": ("person", "man", "woman", "girl", "boy", "head", "portrait", "character", "human"),
    # motions
    "moves": (
        *("move", "moving", "rolls", "roll", "rolling", "slides", "slide", "sliding", "glides", "flies", "drifts"),
        *("goes", "travels", "runs", "walks", "drives", "floats", "swims"),
    ),
    "right": ("rightward", "rightwards"),
    "left": ("leftward", "leftwards"),
    "up": ("upward", "upwards", "rises", "rising", "climbs", "ascends"),
    "down": ("downward", "downwards", "falls", "falling", "drops", "sinks", "descends"),
    "stays": ("stay", "stands", "standing", "rests", "sits", "sitting", "waits", "remains", "lies"),
    "still": ("motionless", "unmoving", "quietly"),
    "bounces": ("bounce", "bouncing", "jumps", "jump", "jumping", "hops", "hopping", "dribbles"),
    "pulses": ("pulse", "pulsing", "beats", "throbs", "pulsates", "blinks", "beating"),
    "talks": ("talk", "talking", "speaks", "speaking", "says", "sings", "singing", "chats", "chatting"),
    # places
    "background": ("backdrop", "wall", "floor", "screen"),
    "night": ("stars", "starry", "moonlight", "space"),
    "sky": ("clouds", "sunny", "daylight", "cloudy", "day"),
    "grass": ("field", "lawn", "meadow", "garden", "park"),
    "beach": ("sea", "ocean", "sand", "shore", "water"),
    "sunset": ("dusk", "evening", "sunrise", "dawn"),
    # the camera
    "camera": ("view",),
    "dolly": ("dollies", "zooms", "zoom", "pans", "pan", "tracks"),
    "jib": ("jibs", "cranes", "crane", "tilts"),
    "in": ("closer", "nearer"),
    "out": ("away", "back"),
    # sizes
    "big": ("large", "huge", "giant"),
    "small": ("little", "tiny"),
}
"""Each word of the captions, and others that are used in its place."""

WORDS: tuple[str, ...] = tuple(dict.fromkeys(word for known in SYNONYMS.items() for word in (known[0], *known[1])))
"""All words, each once, in the order of the text encoder's table."""

CANONICAL: Mapping[str, str] = {other: word for word, others in SYNONYMS.items() for other in (word, *others)}
