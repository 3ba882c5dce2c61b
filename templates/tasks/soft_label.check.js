// What the task says of an answer, beyond what is missing: the rules and sentences of tasks/soft_label.py, for
// pages that have no server to ask. A test holds both against each other.

function checkAnswer(fields) {
  const errors = {};
  const [top1, top2] = [fields.top1?.[0], fields.top2?.[0]];
  const alternative = top2 && top2 !== "no-alternative" ? top2 : null;
  const typed = (name) => (fields[name]?.[0] ?? "").trim();
  const number = (name) => typed(name).replace(/%$/, "").trim().replaceAll(",", ".");
  for (const name of ["top1_probability", "top2_probability"]) {
    if (!number(name)) continue;
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(number(name)) ? Number(number(name)) : NaN;
    if (value >= 0 && value <= 100) continue;
    const said = typed(name).length <= 20 ? typed(name) : `${typed(name).slice(0, 20)}…`;
    errors[name] = `“${said}” is not a probability; enter a number between 0 and 100, such as 85.`;
  }
  if (!number("top1_probability")) errors.top1_probability = "Enter a probability between 0 and 100.";
  if (alternative && alternative === top1) {
    errors.top2 = "The second category must differ from the first; choose another one or “No alternative”.";
  }
  if (alternative && !number("top2_probability")) {
    errors.top2_probability = "Enter a probability between 0 and 100 for the second category.";
  }
  const both = [...new Set([top1, alternative])].filter((name) => name && fields.impossible?.includes(name));
  if (both.length) {
    errors.impossible =
      `${both.join(" and ")} cannot be both probable and definitely not; untick it here or choose another above.`;
  }
  return errors;
}
