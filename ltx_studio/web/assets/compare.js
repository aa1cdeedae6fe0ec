// Two clips that play, pause and seek as one. The longer one leads; a shorter one holds its last frame.
const FAR = 0.25; // seconds: further apart than that one is set right at once, which may be seen
const HURRY = 0.08; // of the speed: nearer than that it catches up, which is not seen
const dialog = element.querySelector("dialog");
let playing = false;

const all = (selector) => [...dialog.querySelectorAll(selector)];
const one = (selector) => dialog.querySelector(selector);
const clips = () => all("video");
const rate = () => Number(one(".body").dataset.fps) || 24; // frames per second of the first clip
const fps = (clip) => Number(clip.dataset.fps) || rate();
const length = (clip) => (Number(clip.dataset.frames) / fps(clip) || clip.duration || 0);
const last = (clip) => Math.max(0, length(clip) - 0.5 / fps(clip)); // in the middle of its last frame
const leader = () => clips().reduce((best, clip) => (best && length(best) >= length(clip) ? best : clip), null);
const isOver = (clip) => clip.ended || clip.currentTime > last(clip) - 0.25 / fps(clip); // browsers round
const frames = () => Math.max(1, Math.round(length(leader()) * rate()));
const frame = () => Math.min(frames() - 1, Math.floor(leader().currentTime * rate() + 0.01));

/** Both at the middle of a frame, so that rounding leads to no other. */
function seek(number) {
  const time = (Math.min(frames() - 1, Math.max(0, number)) + 0.5) / rate();
  for (const clip of clips()) clip.currentTime = Math.min(time, last(clip));
  tell(Math.min(frames() - 1, Math.max(0, number)));
}

function tell(number) {
  const place = one(".place");
  const seconds = (count) => (count / rate()).toFixed(2);
  place.max = String(frames() - 1);
  place.value = String(number);
  const text = `${seconds(number)} / ${seconds(frames())} s`;
  place.setAttribute("aria-valuetext", text);
  one(".time").textContent = text;
}

function showPlaying() {
  const button = one(".play");
  button.classList.toggle("is-playing", playing);
  button.setAttribute("aria-label", playing ? button.dataset.pause : button.dataset.play);
}

function play() {
  if (!leader()) return;
  if (isOver(leader())) seek(0);
  playing = true;
  for (const clip of clips()) if (!isOver(clip)) clip.play().catch(() => {}); // a pause may come before it has begun
  showPlaying();
  requestAnimationFrame(follow);
}

/** Stop both, at the same frame. */
function pause() {
  const wasPlaying = playing;
  playing = false;
  for (const clip of clips()) {
    clip.pause();
    clip.playbackRate = 1;
  }
  if (wasPlaying) seek(frame());
  showPlaying();
}

function follow() {
  if (!playing) return;
  const lead = leader();
  for (const clip of clips()) if (clip !== lead) keepUp(clip, lead);
  tell(frame());
  if (!isOver(lead)) requestAnimationFrame(follow);
  else if (one(".repeat input").checked) play();
  else pause();
}

function keepUp(clip, lead) {
  if (isOver(clip) || clip.seeking) return;
  const behind = lead.currentTime - clip.currentTime;
  if (Math.abs(behind) > FAR) clip.currentTime = Math.min(lead.currentTime, last(clip));
  clip.playbackRate = Math.abs(behind) > 0.5 / rate() ? 1 + Math.sign(behind) * HURRY : 1;
}

function step(by) {
  pause();
  if (leader()) seek(frame() + by);
}

function hear() {
  const heard = Number(one(".sound input:checked")?.value ?? 0);
  clips().forEach((clip, index) => (clip.muted = index !== heard));
}

dialog.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (event.target === dialog || button?.matches(".close")) dialog.close();
  else if (button?.matches(".play")) playing ? pause() : play();
  else if (button?.matches(".back")) step(-1);
  else if (button?.matches(".forward")) step(1);
});

dialog.addEventListener("input", (event) => {
  if (event.target.matches(".place")) {
    pause();
    seek(Number(event.target.value));
  } else if (event.target.matches(".sound input")) hear();
});

dialog.addEventListener("loadedmetadata", () => playing || tell(frame()), true); // it does not bubble
dialog.addEventListener("close", pause);

watch("value", () => {
  if (!one(".body")) return;
  playing = false;
  one(".sound input").checked = true;
  one(".controls").hidden = !clips().length; // two pictures do not move
  hear();
  if (!dialog.open) dialog.showModal();
  showPlaying();
  if (leader()) seek(0);
});
