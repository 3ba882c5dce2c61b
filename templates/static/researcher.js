// A job's page: looks again every two seconds until the job has ended, and shows what is new in place.

const PAUSE_MS = 2_000;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

for (let card = document.querySelector("[data-follow]"); card; ) {
  await pause();
  let page;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    continue; // the server is away for a moment
  }
  const fresh = page.querySelector("[aria-labelledby=job]");
  if (!fresh) break; // the pages were closed: the link says how to open them
  document.title = page.title;
  if (fresh.innerHTML !== card.innerHTML) replace(card, fresh);
  card = fresh.hasAttribute("data-follow") ? document.querySelector("[data-follow]") : null;
}

// The status stays the same element, so that screen readers say what changes in it; a button keeps its focus.
function replace(card, fresh) {
  const said = card.querySelector("[role=status]");
  const news = fresh.querySelector("[role=status]");
  if (said.innerHTML !== news.innerHTML) said.innerHTML = news.innerHTML;
  const focused = document.activeElement;
  const held = card.contains(focused) ? focused.textContent : null;
  news.replaceWith(said);
  card.replaceChildren(...fresh.childNodes);
  card.toggleAttribute("data-follow", fresh.hasAttribute("data-follow"));
  if (held !== null) {
    const again = [...card.querySelectorAll("a, button")].find((one) => one.textContent === held);
    (again ?? card.querySelector("a"))?.focus();
  }
}
