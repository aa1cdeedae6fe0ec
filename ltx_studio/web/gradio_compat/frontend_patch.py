"""Patches of Gradio's browser side, applied to its scripts as they are served; the files on disk stay as they are.

Each states what it mends and when to remove it. A script without these exact words is served unchanged, and
`tests/web/gradio_compat/test_frontend_patch.py` fails.
"""

from typing import NamedTuple


class Patch(NamedTuple):
    """Replace `old` by `new` in the script whose name begins with `script`."""

    script: str
    old: str
    new: str


def _minified(text: str) -> str:
    """Return JavaScript as it is in Gradio's scripts, whose texts stand in backticks."""
    return text.replace("'", "`")


SLOW = (
    "find_attached_events(e,t){let n=t.filter(t=>t.targets.find(([t])=>t===e.id))"
    ".map(t=>{let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null}).filter(Boolean);"
    "return e.props.shared_props.attached_events=n,e}"
)
"""Gradio 6.31 finds the events of each component by going through all events of the page, each time in two passes over
objects that record every access. With 511 components and 169 events that took a quarter of the page's loading time.
"""
FAST = (
    "find_attached_events(e,t){"
    "let all=(this.eventsOfPage??=new WeakMap),byId=all.get(t);"
    "if(!byId){all.set(t,byId=new Map);"
    "for(let{targets}of t){let own=new Map;"
    "for(let[id,event]of targets)own.has(id)||own.set(id,event);"
    "for(let[id,event]of own)event&&(byId.get(id)?.push(event)??byId.set(id,[event]))}}"
    "return e.props.shared_props.attached_events=[...byId.get(e.id)??[]],e}"
)
"""Goes through the events once. Remove when `find_attached_events` in Gradio's `init.svelte.ts` no longer filters all
dependencies for each component.
"""

IN_WORDS = "x-in-words"
"""The header of an answer to a failed request whose `detail` visitors can read."""

LOST = "ltx-lost"
"""The name of the page's `meta` element that says what a visitor reads when the server does not answer."""

PATCHES = (
    Patch("core-", SLOW, FAST),
    # Gradio's landmark `main` is around everything: our header, rail and drawer could not be landmarks beside it.
    # Remove when it is not.
    Patch(
        "Blocks-",
        '<main class="contain svelte-zxu34v"><!></main>',
        '<div class="contain svelte-zxu34v"><!></div>',
    ),
    # The server closes the stream of answers when no event is pending. An event that the page sends before it learns
    # of that has its answer on no stream: the click is lost. Remove when `open_stream` in Gradio's client looks for
    # unclosed events when the stream closes.
    Patch(
        "index-",
        _minified("if(s.msg==='close_stream'){wt(r,o.abort_controller);return}"),
        _minified("if(s.msg==='close_stream'){wt(r,o.abort_controller);t.size&&await o.open_stream();return}"),
    ),
    # When the connection breaks, all events are told so, and none is unclosed any more. Remove with the patch above.
    Patch(
        "index-",
        "s.onerror=async function(t){console.error(t),",
        "s.onerror=async function(failure){t.clear(),console.error(failure),",
    ),
    # An answer that comes before its event is known would leave the event unclosed for ever: with the patch above, a
    # stream for nothing. Remove with it, too.
    Patch(
        "index-",
        "E in g&&(g[E].forEach(e=>t(e)),delete g[E]),v[E]=t,y.add(E),h.open||await this.open_stream()",
        _minified(
            "v[E]=t,y.add(E);let early=g[E]??[];delete g[E];"
            "early.some(e=>e.msg==='process_completed')&&y.delete(E);early.forEach(e=>t(e));"
            "h.open||!y.has(E)||await this.open_stream()"
        ),
    ),
    # Gradio counts the time of what is pending 60 times a second, even where it shows none, and goes on after the
    # tracker is gone: its "Loading..." alone took 4 % of a processor core for as long as a page was open. Remove when
    # `StatusTracker` stops its timer as it is destroyed, and a hidden one has none.
    Patch(
        "statustracker-",
        _minified("O(()=>{o.status==='pending'?Ve():ee(()=>{He()})})"),
        _minified("O(()=>{if(o.status==='pending'&&y()!=='hidden'){Ve();return()=>{W=!1}}ee(()=>{He()})})"),
    ),
    # With each event Gradio searches its tree of about 500 components: once for each component that has a status, to
    # send it again, and once for each input and target of the event. That was a third of the browser's work while a
    # clip was made in each mode. The next four patches send only changed statuses, and search only for components that
    # are not registered. Remove when `update_loading_stati_state`, `LoadingStatus.update`, `set_event_args` and
    # `get_state` do so.
    Patch(
        "Blocks-",
        "await Promise.all(Object.entries(this.loading_stati.current).map(",
        "let told=(this.told_stati??={});"
        "await Promise.all(Object.entries(this.loading_stati.current)"
        ".filter(([id,now])=>told[id]!==now&&(told[id]=now)).map(",
    ),
    Patch(
        "statustracker-",
        "n.fn_index!==e.fn_index&&(this.current[t]=",
        "n.fn_index!==e.fn_index&&(n.used_cache??n.cache_duration??n.avg_time??n.cache_event_id??null)!==null"
        "&&(this.current[t]=",
    ),
    Patch(
        "Blocks-",
        "async set_event_args(e,t){let n={},r=await this.get_state_cb?.(e);",
        "async set_event_args(e,t){if(!Object.keys(t).length)return()=>{};let n={},r=await this.get_state_cb?.(e);",
    ),
    Patch(
        "core-",
        "let t=this.#s.get(e),n=Z(this.root,e);return",
        "let t=this.#s.get(e),n=t||Z(this.root,e);return",
    ),
    # An update of a `gr.HTML`, even an empty one, replaces all of its own properties by those that it names: a form
    # that had been filled in lost its LoRA tools when its mode was opened again. Keep the others. Remove when
    # `postprocess_update_dict` no longer sends `__type__` as a property, and the browser merges properties.
    Patch(
        "core-",
        "for(let t in n.props)e.props.props[t]=n.props[t]}",
        _minified("for(let t in n.props)e.props.props[t]=t==='props'?{...e.props.props[t],...n.props[t]}:n.props[t]}"),
    ),
    Patch(
        "src-",
        "continue}this.props[t]=r}}watch_for_change",
        _minified("continue}this.props[t]=t==='props'?{...this.props[t],...r}:r}}watch_for_change"),
    ),
    # The logo that moves while Gradio's page loads goes on to the end of its dance, 4 seconds after it is gone. Let it
    # stand still. Remove when `Loader.svelte` stops as it is destroyed.
    Patch("statustracker-", "O(()=>(v(),()=>{F(m,!0)}))", "O(()=>()=>{F(m,!0)})"),
    # A failed upload is shown as "HTTP 507: {"detail": …". Remove when Gradio's client shows the server's words alone.
    Patch(
        "index-",
        _minified("let e=await o.text();return{error:'HTTP ${o.status}: ${e}'}"),
        _minified(
            f"let e=await o.text();return{{error:o.headers.get('{IN_WORDS}')?JSON.parse(e).detail:"
            "'HTTP ${o.status}: ${e}'}"
        ),
    ),
    # What is said when the server is gone: in our words, and in the page's language. Until the page is loaded again,
    # the root element has `data-lost`. Remove when Gradio takes a text and tells the page.
    Patch(
        "Blocks-",
        _minified("title:'Connection Lost',message:Je,"),
        _minified(
            "title:'Connection Lost',message:(document.documentElement.dataset.lost='',"
            f"document.querySelector('meta[name={LOST}]')?.content??Je),"
        ),
    ),
    # Gradio's own words are in the browser's language, amid a page in another. Let them be in the page's.
    # Remove when `launch` takes a language.
    Patch(
        "runtime-",
        _minified("typeof window>'u'?null:window.navigator.language||"),
        _minified("typeof window>'u'?null:document.documentElement.lang||window.navigator.language||"),
    ),
    # What an empty field for a file says, in the page's terms and not in title case. Remove when a component takes it.
    Patch(
        "core-",
        _minified("click_to_upload:'Click to Upload',drop_audio:'Drop Audio Here',"),
        _minified("click_to_upload:'choose a file',drop_audio:'Drop a sound',"),
    ),
    Patch(
        "core-",
        _minified("drop_file:'Drop File Here',drop_image:'Drop Image Here',drop_video:'Drop Video Here',"),
        _minified("drop_file:'Drop a file',drop_image:'Drop a picture',drop_video:'Drop a clip',"),
    ),
    # Tab stops at a dropdown's list if it scrolls, and the list closes as its field is left: the focus falls to the
    # body. Remove when the list has a tabindex.
    Patch(
        "Index-",
        '<ul class="option-list svelte-1ou0lab" role="listbox">',
        '<ul class="option-list svelte-1ou0lab" role="listbox" tabindex="-1">',
    ),
    # An empty number is 0 in the browser, which is a value where an empty field means the preset's own. Remove when
    # `gr.Number` may be empty.
    Patch("Index-", "L.props.value??=0;let R=", "let R="),
    # Gradio says "Video not playable" in a corner, for every video that the browser cannot play; the line of the form
    # says what is wrong with a user's file. Remove when `gr.Video` can be told to be quiet.
    Patch(
        "Video-",
        _minified("_('error',Z,()=>u.onerror?.('Video not playable'))"),
        _minified("_('error',Z,()=>{})"),
    ),
)


def patched(name: str, script: bytes) -> bytes:
    """Return the script as it is served, by the name of its file."""
    for patch in PATCHES:
        if name.startswith(patch.script):
            script = script.replace(patch.old.encode(), patch.new.encode())
    return script
