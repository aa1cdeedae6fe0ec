// Let a field for a picture, a sound or a clip take every file. Browsers name no type for many (HEIC, TIFF, MKV),
// Gradio refuses those without looking, and the studio looks into the file.
(() => {
  if (window.ltxFiles) return;

  const ENDINGS = {
    image: ".heic,.heif,.avif,.jp2,.j2k,.tif,.tiff,.exr,.hdr,.webp,.bmp,.qoi,.psd",
    audio: ".opus,.flac,.m4a,.aac,.ogg,.oga,.wma,.aiff,.aif,.caf,.mka,.amr",
    video: ".mkv,.mov,.m4v,.avi,.wmv,.flv,.mts,.m2ts,.mpg,.mpeg,.3gp,.ogv,.mxf",
  };

  /** The kind that a field takes ("image"), if it is one of these. */
  const kindOf = (input) => Object.keys(ENDINGS).find((kind) => input.accept.split(/[,\s]+/).includes(`${kind}/*`));
  const typed = (file, kind) =>
    file.type.startsWith(`${kind}/`)
      ? file
      : new File([file], file.name, { type: `${kind}/x-unknown`, lastModified: file.lastModified });

  /** Give all files the kind of their field; return nothing where they have it, or where the field takes anything. */
  function retyped(files, input) {
    const kind = kindOf(input);
    if (!kind || [...files].every((file) => file.type.startsWith(`${kind}/`))) return null;
    const all = new DataTransfer();
    for (const file of files) all.items.add(typed(file, kind));
    return all.files;
  }

  /** The input of the field that an element belongs to, if it takes files; a fold that holds fields is a block, too. */
  const fieldAt = (element) => {
    const block = element.closest?.(".block");
    return block && !block.querySelector(".block") ? block.querySelector("input[type=file]") : null;
  };
  window.ltxFiles = { fieldAt };

  document.addEventListener(
    "change",
    (event) => {
      const input = event.target;
      if (!input.matches?.("input[type=file]")) return;
      const files = retyped(input.files, input);
      if (files) input.files = files; // Gradio's own listener reads them next
    },
    true,
  );

  document.addEventListener(
    "drop",
    (event) => {
      const input = fieldAt(event.target);
      const files = input && event.dataTransfer?.files.length ? retyped(event.dataTransfer.files, input) : null;
      if (!files) return;
      event.preventDefault();
      event.stopPropagation();
      input.files = files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // Gradio takes its frame away
    },
    true,
  );

  /** A file that is no picture leaves its place empty, not with the browser's broken one: the form says what is wrong. */
  document.addEventListener("error", ({ target }) => target.matches?.("#forms img, #panel-workflow img") && target.classList.add("unreadable"), true);
  document.addEventListener("load", ({ target }) => target.matches?.("img.unreadable") && target.classList.remove("unreadable"), true);

  /** Show such files in the browser's own dialog too. */
  document.addEventListener(
    "click",
    (event) => {
      const input = fieldAt(event.target);
      const kind = input && kindOf(input);
      if (kind && !input.accept.includes(".")) input.accept = `${kind}/*,${ENDINGS[kind]}`;
    },
    true,
  );
})();
