// Radio buttons with pictures as steps: one picture at a time, with a button in each direction.
//
//     <picture-steps data-start="2" data-less="more A" data-more="more B" data-choose="This is it" data-hint="Step …">
//       a fieldset of radio buttons with a hint, <input type="hidden" name="trail"> </picture-steps>
//
// The hidden field gets the numbers of the pictures seen, in their order. Nothing is chosen by stepping.

class PictureSteps extends HTMLElement {
  connectedCallback() {
    if (this.labels) return;
    this.labels = [...this.querySelectorAll("label")];
    this.radios = this.labels.map((label) => label.querySelector("input"));
    this.name = this.radios[0].id; // the errors' link leads to the radio button in sight
    this.trail = this.querySelector("[name=trail]");
    this.querySelector(".options").classList.add("one");
    for (const label of this.labels) {
      label.querySelector("img").alt = "the picture to judge";
      const text = label.querySelector("span span");
      text.removeAttribute("aria-hidden");
      text.textContent = this.dataset.choose;
    }
    this.querySelector(".hint").textContent = this.dataset.hint;
    const bar = Object.assign(document.createElement("div"), { className: "steps" });
    this.buttons = [["less", -1], ["more", 1]].map(([name, way]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: `quiet ${name}` });
      button.textContent = this.dataset[name];
      button.addEventListener("click", () => this.step(way));
      return button;
    });
    this.said = Object.assign(document.createElement("p"), { className: "status" });
    this.said.setAttribute("role", "status");
    bar.append(...this.buttons);
    this.querySelector(".options").before(bar);
    this.querySelector(".options").after(this.said);
    this.addEventListener("change", () => this.show());
    this.leaving = new AbortController();
    document.addEventListener("keydown", (event) => this.press(event), { signal: this.leaving.signal });
    this.show();
  }

  // The number of the picture in sight, from 0: the last of the trail.
  get at() {
    return Number(this.trail.value.split(" ").at(-1)) - 1;
  }

  disconnectedCallback() {
    this.leaving?.abort();
  }

  press(event) {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const scrolls = ["ArrowUp", "ArrowDown"].includes(event.key) && !this.radios.includes(event.target);
    if (!way || event.ctrlKey || event.metaKey || event.altKey || scrolls) return;
    event.preventDefault();
    this.step(way);
  }

  step(way) {
    const from = this.at;
    const to = from + way;
    if (!(to in this.labels)) return;
    const held = document.activeElement === this.radios[from];
    for (const radio of this.radios) radio.checked = false; // what is seen now was not chosen yet
    this.trail.value += ` ${to + 1}`;
    this.show();
    if (held) this.radios[to].focus();
    this.trail.dispatchEvent(new Event("input", { bubbles: true }));
  }

  show() {
    if (!(this.at in this.labels)) this.trail.value = this.dataset.start;
    this.labels.forEach((label, number) => {
      label.hidden = number !== this.at;
      this.radios[number].id = number === this.at ? this.name : `${this.name}-${number + 1}`;
    });
    const ended = this.buttons.filter((button, number) => {
      const ends = this.at === (number ? this.labels.length - 1 : 0);
      if (ends) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
      return ends;
    });
    this.said.textContent = ended.length ? `No picture has ${ended[0].textContent}.` : "";
  }
}

customElements.define("picture-steps", PictureSteps);
