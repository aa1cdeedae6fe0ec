"""A patch of Gradio's browser side, applied to the script as it is served; the files on disk stay as they are.

Gradio 6.31 finds the events of each component by going through all events of the page, each time in two passes over
objects that record every access. With 511 components and 169 events that took a quarter of the page's loading time.
The patch goes through the events once. Remove it when `find_attached_events` in Gradio's `init.svelte.ts` no longer
filters all dependencies for each component. A script without these exact words is served unchanged, and
`tests/web/test_frontend_patch.py` fails.
"""

SCRIPT = "core-"
"""The beginning of the script's name."""

SLOW = (
    "find_attached_events(e,t){let n=t.filter(t=>t.targets.find(([t])=>t===e.id))"
    ".map(t=>{let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null}).filter(Boolean);"
    "return e.props.shared_props.attached_events=n,e}"
)
FAST = (
    "find_attached_events(e,t){"
    "let all=(this.eventsOfPage??=new WeakMap),byId=all.get(t);"
    "if(!byId){all.set(t,byId=new Map);"
    "for(let{targets}of t){let own=new Map;"
    "for(let[id,event]of targets)own.has(id)||own.set(id,event);"
    "for(let[id,event]of own)event&&(byId.get(id)?.push(event)??byId.set(id,[event]))}}"
    "return e.props.shared_props.attached_events=[...byId.get(e.id)??[]],e}"
)


def patched(name: str, script: bytes) -> bytes:
    """Return the script as it is served, by the name of its file."""
    return script.replace(SLOW.encode(), FAST.encode()) if name.startswith(SCRIPT) else script
