// A whole study in one document. Shows one step at a time, keeps what is typed on this device, measures
// time, and hands everything in by one form that the marketplace takes. The study's values are in #study.

const study = JSON.parse(document.getElementById("study").textContent);
const main = document.querySelector("main");
const query = new URLSearchParams(location.search);
const assignment = query.get("assignmentId") ?? "";
const storage = `crowdloom ${study.question} ${query.get("workerId")} ${assignment}`;
const KEPT_MS = 7 * 24 * 3600 * 1000;
const ONCE_MS = 5_000;

const content = (id, words = []) => {
  const filled = document.createElement("template");
  const html = document.getElementById(id).innerHTML;
  filled.innerHTML = html.replace(/[\uE000-\uE01F]/g, (mark) => words[mark.charCodeAt(0) - 0xe000] ?? mark);
  return filled.content;
};
const shuffled = (length) => {
  const order = [...Array(length).keys()];
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};

// Where the answers go: the origin that the marketplace names, if it is one of those allowed.

function sameOrigin(one, other) {
  const loopback = ["localhost", "127.0.0.1", "[::1]"];
  const [a, b] = [new URL(one), new URL(other)];
  const hosts = a.hostname === b.hostname || [a, b].every((url) => loopback.includes(url.hostname));
  return hosts && a.protocol === b.protocol && a.port === b.port;
}

function submitTo() {
  const named = query.get("turkSubmitTo") ?? "";
  try {
    // An origin and nothing else: no path, no user name, no sign that a browser reads as another.
    if (new URL(named).origin === named && study.submit_to.some((origin) => sameOrigin(named, origin))) return named;
  } catch {
    // no address at all
  }
  return null;
}

// What is kept on this device, where it lets us.

function load() {
  try {
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith("crowdloom "))) {
      if (Date.now() - JSON.parse(localStorage[key]).saved > KEPT_MS) localStorage.removeItem(key);
    }
    return JSON.parse(localStorage.getItem(storage));
  } catch {
    return null;
  }
}

function save() {
  try {
    localStorage.setItem(storage, JSON.stringify({ ...state, saved: Date.now() }));
  } catch {
    // a frame without storage, or a full one: a reload then begins anew
  }
}

function begin() {
  const items = shuffled(study.trials.length);
  return {
    order: [...items.map((item) => [item, 0]), ...study.repeats.map((position) => [items[position - 1], 1])],
    classes: shuffled(study.classes.length),
    at: 0,
    answers: {},
    draft: null,
    failed: 0,
    over: null,
  };
}

const state = load() ?? begin();
const steps = [
  { id: "consent" },
  ...Array.from({ length: study.instructions }, (_, page) => ({ id: `instructions-${page}` })),
  ...(study.correct ? [{ id: "check" }] : []),
  ...state.order.map(([item, repeat], number) => ({ id: `trial-${study.trials[item].template}`, item, repeat, number })),
  ...Object.keys(study.sliders ?? {}).map((id) => ({ id })),
  ...(study.debrief ? [{ id: "debrief" }] : []),
  { id: "end" },
];

// Fields of a form: { name: [values] }.

function read(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) (fields[name] ??= []).push(value);
  return fields;
}

function fill(form, fields) {
  for (const control of form.elements) {
    const values = fields[control.name];
    if (!values) continue;
    if (control.type === "radio" || control.type === "checkbox") control.checked = values.includes(control.value);
    else control.value = values[0];
    control.dispatchEvent(new Event("change", { bubbles: true })); // a slider stands beside it, say
  }
}

// Puts the controls whose values are classes into this participant's order, each among its like.
function arrange(form) {
  const rank = new Map(state.classes.map((index, place) => [study.classes[index], place]));
  const lists = new Map();
  for (const control of form.querySelectorAll("input, option")) {
    if (!rank.has(control.value)) continue;
    const element = control.closest("label") ?? control;
    const list = lists.get(element.parentNode) ?? [];
    lists.set(element.parentNode, [...list, { element, place: rank.get(control.value) }]);
  }
  for (const list of lists.values()) {
    const marks = list.map(({ element }) => {
      const mark = document.createComment("");
      element.replaceWith(mark);
      return mark;
    });
    list.sort((a, b) => a.place - b.place).forEach(({ element }, number) => marks[number].replaceWith(element));
  }
}

// What is wrong with a step: { field: sentence }.

function check(step, form, fields) {
  const errors = {};
  for (const [field, sentence] of Object.entries(study.required[step.id] ?? {})) {
    if (!fields[field]?.some((value) => value.trim())) errors[field] = sentence;
  }
  const statements = form.querySelectorAll("[name=statement]").length;
  if (step.id === "consent" && (fields.statement ?? []).length < statements) {
    errors.statement = "Tick every statement that is true for you; only who can tick all of them may take part.";
  }
  if (study.sliders?.[step.id]) return { ...errors, ...checkScales(study.sliders[step.id], fields) };
  return "item" in step ? { ...errors, ...checkAnswer(fields) } : errors;
}

function complain(form, errors) {
  main.querySelector(".summary")?.remove();
  for (const old of form.querySelectorAll("[data-complaint]")) {
    for (const holder of form.querySelectorAll(`[aria-describedby~="${CSS.escape(old.id)}"]`)) {
      const others = holder.getAttribute("aria-describedby").split(" ").filter((id) => id !== old.id);
      if (others.length) holder.setAttribute("aria-describedby", others.join(" "));
      else holder.removeAttribute("aria-describedby");
      holder.removeAttribute("aria-invalid");
    }
    old.closest(".wrong").classList.remove("wrong");
    old.remove();
  }
  const sentences = Object.entries(errors);
  if (!sentences.length) return;
  const summary = Object.assign(document.createElement("div"), { className: "summary", tabIndex: -1 });
  summary.setAttribute("role", "alert");
  const heading = document.createElement("h2");
  heading.textContent = `${sentences.length === 1 ? "This is" : "These are"} not right yet`;
  const list = document.createElement("ul");
  summary.append(heading, list);
  for (const [field, sentence] of sentences) {
    const link = Object.assign(document.createElement("a"), { href: `#${field}`, textContent: sentence });
    list.append(Object.assign(document.createElement("li"), {}));
    list.lastChild.append(link);
    const control = form.querySelector(`[name="${CSS.escape(field)}"]`);
    const box = control.closest("fieldset, .probability, .question") ?? control.parentNode;
    const said = Object.assign(document.createElement("p"), { className: "error", id: `${field}-error`, textContent: sentence });
    said.dataset.complaint = "";
    const above = box.querySelector(".hint") ?? box.querySelector("legend, .legend, label:not(.option)");
    if (above) above.after(said);
    else box.prepend(said);
    box.classList.add("wrong");
    const holder = control.type === "radio" || control.type === "checkbox" ? box : control;
    holder.setAttribute("aria-invalid", "true");
    holder.setAttribute("aria-describedby", [holder.getAttribute("aria-describedby"), said.id].filter(Boolean).join(" "));
  }
  (main.querySelector(".progress") ?? main.querySelector("h1")).after(summary);
  summary.focus();
}

// The steps.

let keep = null;
addEventListener("pagehide", () => keep?.()); // a reload goes on with the time that a trial has had

function show(first = false) {
  const step = state.over ? { id: state.over } : steps[state.at];
  const isTrial = "item" in step;
  document.body.className = isTrial ? "trial" : "page";
  main.replaceChildren(content(step.id, study.trials[step.item]?.words));
  if (step.id === "instructions-0" && state.failed) main.prepend(content("again"));
  const form = main.querySelector("form");
  const timing = isTrial ? showTrial(step, form) : null;
  if (timing && study.minimum_ms) waitFor(form.querySelector("button.primary"), timing, study.minimum_ms);
  if (form && state.draft) fill(form, state.draft.fields);
  keep = () => {
    state.draft = { fields: read(form), timing: timing?.read() };
    save();
  };
  form?.addEventListener("input", keep);
  if (!timing) keep = null;
  form?.addEventListener("submit", (event) => {
    if (step.id === "end") return handIn(event, form);
    event.preventDefault();
    leave(step, form, event.submitter?.value, timing);
  });
  if (first) return;
  scrollTo(0, 0);
  const heading = main.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function showTrial(step, form) {
  const { image, size } = study.trials[step.item];
  const shown = main.querySelector("[data-stimulus]");
  if (shown) {
    if (size) [shown.width, shown.height] = size;
    shown.src = image;
  }
  for (const picture of main.querySelectorAll(".stimulus img, .answer img")) {
    picture.addEventListener("error", () => {
      main.querySelector("[data-image-trouble]").textContent =
        "An image could not be loaded. Please check your connection and reload the page before you answer.";
    });
  }
  for (const copy of main.querySelectorAll(".large img")) {
    copy.src = main.querySelector(`[popovertarget="${copy.closest(".large").id}"] img`).src;
  }
  main.querySelector("h1").textContent = `Image ${step.number + 1} of ${state.order.length}`;
  Object.assign(main.querySelector("progress"), { max: state.order.length, value: step.number });
  arrange(form);
  const next = state.order[step.number + 1];
  if (next && study.trials[next[0]].image) new Image().src = study.trials[next[0]].image;
  return startTiming(form, shown, state.draft?.timing && JSON.stringify(state.draft.timing));
}

function leave(step, form, pressed, timing) {
  const goTo = (at, over = null) => {
    Object.assign(state, { at, over, draft: null });
    save();
    show();
  };
  if (state.over) return goTo(state.at);
  if (pressed === "back") return goTo(state.at - 1);
  if (pressed === "refuse") return goTo(state.at, "declined");
  if (timing && timing.read().rt_ms < study.minimum_ms) return;
  const fields = read(form);
  const errors = check(step, form, fields);
  complain(form, errors);
  if (Object.keys(errors).length) return;
  if (step.id === "check" && study.correct.some((right, number) => fields[`question-${number}`][0] !== right)) {
    state.failed += 1;
    return state.failed < study.attempts ? goTo(1) : goTo(state.at, "failed");
  }
  if (timing) state.answers[`trial.${step.item}.${step.repeat}`] = { fields, timing: { ...timing.read(), retries: 0 } };
  else state.answers[step.id] = { fields };
  goTo(state.at + 1);
}

let handedIn = -Infinity;

function handIn(event, form) {
  if (event.timeStamp - handedIn < ONCE_MS) return event.preventDefault();
  handedIn = event.timeStamp;
  const fields = {
    assignmentId: assignment,
    question: study.question,
    order: JSON.stringify(state.order),
    classes: JSON.stringify(state.classes),
    checks_failed: state.failed,
  };
  for (const [name, answer] of Object.entries(state.answers)) {
    if (!name.startsWith("instructions")) fields[name] = JSON.stringify(answer);
  }
  form.action = `${submitTo()}/mturk/externalSubmit`;
  for (const old of form.querySelectorAll("input")) old.remove();
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
}

function showOnly(notice) {
  main.replaceChildren(content(notice), content("consent"));
  for (let page = 0; page < study.instructions; page++) main.append(content(`instructions-${page}`));
  for (const actions of main.querySelectorAll(".actions")) actions.remove();
  for (const control of main.querySelectorAll("input")) control.disabled = true;
}

if (!assignment || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE") showOnly("preview");
else if (submitTo() === null) showOnly("lost");
else show(true);
