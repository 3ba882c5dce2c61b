// The page around a HIT: goes on when the frame says that the HIT was submitted, and shows the time left.

const frame = document.querySelector("[data-hit]");
const left = document.querySelector("[data-seconds]");

window.addEventListener("message", (event) => {
  // Only a hint: what the frame says is not trusted, the next page shows what the server knows.
  if (event.data === "crowdloom:submitted" && frame) window.location.assign(left.dataset.over);
});

if (left) {
  const end = performance.now() + Number(left.dataset.seconds) * 1000;
  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    left.textContent = `time left: ${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
    if (seconds > 0) window.setTimeout(tick, 1000);
    else window.location.assign(left.dataset.over);
  };
  if (Number(left.dataset.seconds) <= 86400) tick();
}
