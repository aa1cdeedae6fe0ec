"""Control maps that need models of their own: the nodes that make them from a clip, and their files.

Each fragment takes the frames from the node ``Clip crop`` and ends in a node ``Control``. The values come from
ComfyUI's own templates. Depth is estimated frame by frame, so it may flicker.
"""

from collections.abc import Mapping

from ltx_studio.graph import Fragment

CONTROL_MODELS: Mapping[str, Fragment] = {
    "depth": Fragment(
        {
            "Depth model": {
                "class_type": "LoadDA3Model",
                "inputs": {
                    "model_name": "depth_anything_3_mono_large.safetensors",
                    "weight_dtype": "default",
                },
            },
            "Depth": {
                "class_type": "DA3Inference",
                "inputs": {
                    "da3_model": ["Depth model", 0],
                    "image": ["Clip crop", 0],
                    "resolution": 504,
                    "resize_method": "lower_bound_resize",
                    "mode": "mono",
                },
            },
            "Control": {
                "class_type": "DA3Render",
                "inputs": {
                    "da3_geometry": ["Depth", 0],
                    "output": "depth",
                    "output.normalization": "v2_style",
                    "output.apply_sky_clip": False,
                },
            },
        },
        {"control": ("Control", 0)},
    ),
    "pose": Fragment(
        {
            "Pose model": {
                "class_type": "CheckpointLoaderSimple",
                "inputs": {"ckpt_name": "sdpose_wholebody_fp16.safetensors"},
            },
            "Person model": {
                "class_type": "UNETLoader",
                "inputs": {"unet_name": "rt_detr_v4-x-hgnet_fp16.safetensors", "weight_dtype": "default"},
            },
            "Persons": {
                "class_type": "RTDETR_detect",
                "inputs": {
                    "model": ["Person model", 0],
                    "image": ["Clip crop", 0],
                    "threshold": 0.5,
                    "class_name": "person",
                    "max_detections": 2,
                },
            },
            "Pose": {
                "class_type": "SDPoseKeypointExtractor",
                "inputs": {
                    "model": ["Pose model", 0],
                    "vae": ["Pose model", 2],
                    "image": ["Clip crop", 0],
                    "batch_size": 16,
                    "bboxes": ["Persons", 0],
                },
            },
            "Control": {
                "class_type": "SDPoseDrawKeypoints",
                "inputs": {
                    "keypoints": ["Pose", 0],
                    "draw_body": True,
                    "draw_hands": True,
                    "draw_face": True,
                    "draw_feet": True,
                    "stick_width": 4,
                    "face_point_size": 2,
                    "score_threshold": 0.5,
                    "draw_head": True,
                },
            },
        },
        {"control": ("Control", 0)},
    ),
}
