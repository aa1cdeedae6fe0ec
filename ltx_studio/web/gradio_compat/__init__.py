"""Everything that depends on Gradio's internals: patches, replaced parts and work-arounds."""
