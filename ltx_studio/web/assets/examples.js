// The small clips of the empty screen's examples: a poster once the form can be used, and the clip while its card is
// pointed at or has the keyboard's focus.
(() => {
  if (window.ltxExamples) return;

  const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

  function stop(video) {
    video.pause();
    video.load(); // back to the poster
  }

  function turn(card) {
    const video = card.querySelector("video[data-clip]");
    if (!video) return;
    const isWanted = card.matches(":hover, :focus-visible") && !STILL.matches;
    if (isWanted === "wanted" in video.dataset) return;
    if (!isWanted) {
      delete video.dataset.wanted;
      stop(video);
      return;
    }
    video.dataset.wanted = "";
    video.muted = true; // the attribute of an element that a script writes does not do it
    if (!video.src) video.src = video.dataset.clip;
    video.play().catch(() => {}); // it was left before it began
  }

  for (const act of ["mouseover", "mouseout", "focusin", "focusout"])
    document.addEventListener(act, ({ target }) => {
      const card = target.closest?.(".example");
      if (card) setTimeout(() => turn(card)); // when the browser knows where the pointer and the focus are
    });

  // ---- posters: those that can be seen, when the browser has nothing else to do

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      target.poster = target.dataset.poster;
    }
  });
  const LATEST = { timeout: 2000 }; // a page that animates something may never be idle
  const whenIdle = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));
  let waiting = 0;

  function look() {
    waiting = 0;
    if (!document.querySelector("button.generate")) later();
    else for (const video of document.querySelectorAll("video[data-poster]:not([poster])")) seen.observe(video);
  }
  const later = () => (waiting ||= setTimeout(() => whenIdle(look, LATEST), 500));

  /** The screen was written anew. */
  window.ltxExamples = { renew: later };
})();
