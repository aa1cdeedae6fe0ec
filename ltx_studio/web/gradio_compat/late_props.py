"""Scripts of HTML components that wait for the component's own properties."""


def when_there(script: str, *names: str) -> str:
    """Return a `js_on_load` that runs a script once the named properties of the component are there.

    On a slow computer, Gradio sometimes runs `js_on_load` before it passes the properties on, and reports them as
    changes. Remove when they are always there.
    """
    named = ", ".join(f'"{name}"' for name in names)
    return f"""
        let hasRun = false;
        function runOnce() {{
            if (hasRun || [{named}].some((name) => props[name] === undefined)) return;
            hasRun = true;
            {script};
        }}
        watch([{named}], runOnce);
        runOnce();
    """
