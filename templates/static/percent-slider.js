// A slider above a text field for a percentage, unset until it is used; the field alone is posted.
//
//     <percent-slider data-low="0 %" data-middle="50 %" data-high="100 %"> label, hint, <input type="text"> </percent-slider>
//
// With data-first and data-second the number is the second's share of both, and the slider says both shares.
// With data-max it is no percentage but a place from 0 to that number, with data-whole in whole steps.

class PercentSlider extends HTMLElement {
  #press = null; // the press that is under way: where it began, whether it may yet scroll, who moves the thumb

  connectedCallback() {
    if (this.range) return;
    this.field = this.querySelector("input");
    const label = this.querySelector("label");
    label.id ||= `${this.field.id}-label`;
    this.max = Number(this.dataset.max ?? 100);
    this.range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: this.max, step: 1 });
    this.range.setAttribute("aria-labelledby", label.id);
    this.range.setAttribute("aria-describedby", this.field.getAttribute("aria-describedby"));
    const ticks = Object.assign(document.createElement("p"), { className: "ticks" });
    ticks.setAttribute("aria-hidden", "true"); // the hint says the same
    for (const text of [this.dataset.low, this.dataset.middle, this.dataset.high]) {
      ticks.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    this.said = Object.assign(document.createElement("span"), { className: "said" });
    const holder = Object.assign(document.createElement("div"), { className: "slider" });
    holder.append(this.range, ticks);
    this.field.parentNode.before(holder);
    this.field.parentNode.append(this.said);

    // Browsers move the thumb by themselves, but not where it stands already; some phones only if the thumb is
    // touched, others also where a finger scrolls the page.
    this.range.addEventListener("pointerdown", (event) => {
      const { clientX: x, clientY: y } = event;
      const isTouch = event.pointerType === "touch";
      this.range.setPointerCapture(event.pointerId); // so that the press also ends where it ends elsewhere
      this.#press = { x, y, waits: isTouch, own: isTouch || this.range.matches(".unset") };
    });
    this.range.addEventListener("pointermove", (event) => {
      if (!this.#press || !event.buttons) return;
      this.#press.waits &&= Math.abs(event.clientX - this.#press.x) <= Math.abs(event.clientY - this.#press.y);
      if (this.#press.own && !this.#press.waits) this.take(this.at(event.clientX));
    });
    this.range.addEventListener("pointerup", (event) => {
      if (this.#press?.own) this.take(this.at(event.clientX));
      this.#press = null;
    });
    this.range.addEventListener("pointercancel", () => {
      this.#press = null;
      this.show(); // the finger scrolled the page
    });
    this.range.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.take(this.range.valueAsNumber);
    });
    this.range.addEventListener("input", () => this.#press?.waits || this.take(this.range.valueAsNumber));
    this.field.addEventListener("input", () => this.show());
    this.field.addEventListener("change", () => this.show());
    this.show();
  }

  // The number at a place of the slider, as browsers count it: from the middle of the thumb.
  at(x) {
    const { left, width } = this.range.getBoundingClientRect();
    const thumb = parseFloat(getComputedStyle(this.range).getPropertyValue("--thumb"));
    return Math.round(Math.min(Math.max((x - left - thumb / 2) / (width - thumb), 0), 1) * this.max);
  }

  take(percent) {
    if (this.field.value === String(percent)) return;
    this.field.value = percent;
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  show() {
    const { first, second, max, whole } = this.dataset;
    const written = this.field.value.trim();
    const typed = (max ? written : written.replace(/%$/, "").trim()).replace(",", ".");
    const percent = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(typed) ? Number(typed) : NaN;
    const isSet = percent >= 0 && percent <= this.max && (whole === undefined || Number.isInteger(percent));
    this.range.classList.toggle("unset", !isSet);
    this.range.value = isSet ? percent : this.max / 2;
    const left = Math.round(1e6 * (100 - percent)) / 1e6;
    const alone = max ? `${percent} of ${max}` : `${percent} %`;
    const text = first ? `${left} % ${first}, ${percent} % ${second}` : alone;
    this.range.setAttribute("aria-valuetext", isSet ? text : "not set");
    this.said.textContent = !isSet ? "not set yet" : first ? `and ${left} % ${first}` : "";
  }
}

customElements.define("percent-slider", PercentSlider);
