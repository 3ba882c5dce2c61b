// What the task says of an answer, beyond what is missing: the rules and sentences of tasks/mixing_coefficient.py,
// for pages that have no server to ask. A test holds both against each other.

function checkAnswer(fields) {
  const errors = {};
  const missing = {
    percent: "Say how much of each category was used, with a number between 0 and 100.",
    confidence: "Say how confident you are, with a number between 0 and 100.",
  };
  for (const [name, sentence] of Object.entries(missing)) {
    if (!(name in fields)) continue; // the question asks for a picture
    const typed = fields[name][0].trim();
    const number = typed.replace(/%$/, "").trim().replaceAll(",", ".");
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(number) ? Number(number) : NaN;
    if (!number) errors[name] = sentence;
    else if (!(value >= 0 && value <= 100)) {
      const said = typed.length <= 20 ? typed : `${typed.slice(0, 20)}…`;
      errors[name] = `“${said}” is not a percentage; enter a number between 0 and 100, such as 85.`;
    }
  }
  return errors;
}
