"""Which model files there are and how a graph loads them."""

from ltx_studio.models.sets import MODEL_SETS, TEMPLATE_SET, ModelSet, get_model_set

__all__ = ["MODEL_SETS", "TEMPLATE_SET", "ModelSet", "get_model_set"]
