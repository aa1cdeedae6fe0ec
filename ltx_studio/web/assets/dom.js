// What several scripts make and ask of the document. All text is set as text.
(() => {
  if (window.ltxDom) return;

  /** A new element with its attributes and what is in it. */
  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    if (tag === "button") made.type = "button";
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  window.ltxDom = {
    byId: (id) => document.getElementById(id),
    isShown: (element) => Boolean(element && element.offsetParent !== null),
    make,
    /** A new element at the end of another one, with a text and properties. */
    add(parent, tag, text = "", properties = {}) {
      const made = Object.assign(make(tag, {}, ...(text ? [text] : [])), properties);
      parent.append(made);
      return made;
    },
  };
})();
