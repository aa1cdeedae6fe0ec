// A soft tone when a run is over, for those who want it: when nobody looks, or it took long.
(() => {
  if (window.ltxSound) return;

  const KEPT = "ltx-studio.sound";
  const LONG = 10_000; // ms: who waited that long may look elsewhere
  const NEXT = 1_500; // ms in which the next clip of a batch begins
  const NOTES = [[523.25, 0], [783.99, 0.14]]; // Hz, and seconds after the first
  let context = null; // only after somebody has clicked or typed: before that no browser plays anything
  let begunAt = 0;
  let ending = 0;

  function isOn() {
    try {
      return localStorage.getItem(KEPT) === "on";
    } catch {
      return false;
    }
  }

  function keep(on) {
    try {
      localStorage.setItem(KEPT, on ? "on" : "off");
    } catch {
      // a browser that keeps nothing
    }
  }

  function unlock() {
    if (!isOn() || context) return;
    context = new AudioContext();
    context.suspend(); // else it works all the time
  }
  for (const act of ["pointerdown", "keydown"]) document.addEventListener(act, unlock, true);

  async function play() {
    if (!context) return;
    await context.resume();
    const now = context.currentTime;
    for (const [pitch, after] of NOTES) {
      const [tone, volume] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, now + after);
      volume.gain.linearRampToValueAtTime(0.12, now + after + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + after + 0.5);
      tone.connect(volume).connect(context.destination);
      tone.start(now + after);
      tone.stop(now + after + 0.5);
      if (after) tone.onended = () => context.suspend();
    }
  }

  window.ltxSound = {
    /** Draw the switch. */
    show(element) {
      const box = element.querySelector("input");
      box.checked = isOn();
      box.addEventListener("change", () => {
        keep(box.checked);
        if (!box.checked) return;
        unlock();
        play(); // so that it is known
      });
    },
    /** A run goes on, or there is a new clip. */
    told(state) {
      if (state === "going") {
        begunAt ||= Date.now();
        clearTimeout(ending);
      } else if (begunAt) {
        const isLong = Date.now() - begunAt > LONG;
        clearTimeout(ending);
        ending = setTimeout(() => {
          begunAt = 0;
          if (state === "done" && isOn() && (isLong || document.hidden)) play();
        }, NEXT);
      }
    },
  };
})();
