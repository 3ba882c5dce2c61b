// What is shown beside the drawing: how it was read, what the coach proposes, the first attempt, both attempts.

import { drawDifference, drawPicture } from "./pictures.js";
import { drawBars, percent, sentence, sureWords, verdict } from "./reading.js";

export class Panel {
  constructor(root, { asked, classes }) {
    Object.assign(this, { asked, classes });
    this.find = (name) => root.querySelector(`[data-${name}]`);
  }

  /** Show the parts that are named, and no others. */
  show(...names) {
    for (const name of ["advice", "reading", "proposal", "first", "both", "next"]) {
      this.find(name).hidden = !names.includes(name);
    }
    this.find("given-figure").hidden = names.includes("proposal") || names.includes("both"); // they have it, too
  }

  /** A reading; `before` is that of the first attempt, where this is the second. Returns what it says. */
  reading(reading, before = null) {
    const part = this.find("reading");
    part.dataset.reading = reading.read === this.asked ? "right" : "wrong";
    sentence(this.find("verdict"), verdict(reading, this.asked, before));
    this.find("sure").textContent = `It is ${sureWords(reading)}.`;
    drawPicture(this.find("given-picture"), reading.picture);
    drawBars(this.find("bars"), reading, this.asked, this.classes);
    return `${this.find("verdict").textContent} It is ${sureWords(reading)}.`;
  }

  /** A proposal for a reading, with its marks. Returns what it says. */
  proposal(reading, proposal, marks) {
    this.find("words").textContent = proposal.words;
    drawPicture(this.find("yours"), reading.picture);
    drawPicture(this.find("proposed"), proposal.picture);
    const found = drawDifference(this.find("difference"), reading.picture, marks);
    this.find("add").hidden = !found.add;
    this.find("leave-out").hidden = !found.leaveOut;
    this.find("no-difference").hidden = found.add || found.leaveOut;
    this.find("difference").setAttribute("aria-label", `The difference. ${proposal.words}`);
    sentence(this.find("yours-read"), readAs(reading));
    const isMisread = proposal.read !== this.asked;
    const rather = isMisread ? [", not as ", [this.asked]] : [];
    sentence(this.find("proposed-read"), ["would be ", ...readAs(proposal), ...rather]);
    this.find("proposed-read").toggleAttribute("data-wrong", isMisread);
    return `The coach says: ${proposal.words}`;
  }

  /** The first drawing, for who is not coached. */
  first(reading) {
    drawPicture(this.find("first-picture"), reading.picture);
    sentence(this.find("first-read"), readAs(reading));
  }

  both(readings) {
    readings.forEach((reading, i) => {
      drawPicture(this.find(`both-${i + 1}`), reading.picture);
      sentence(this.find(`both-read-${i + 1}`), readAs(reading));
    });
  }
}

function readAs({ read, probabilities }) {
  return ["read as ", [read], `, ${percent(Math.max(...probabilities))}`];
}
