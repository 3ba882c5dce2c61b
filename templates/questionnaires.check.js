/**
 * What is wrong with the numbers that are typed in a questionnaire of a self-contained HIT: { field: sentence }.
 * `scales` are its sliders, [{ name, title, low, high, whole }]; the rules and sentences are those of tasks/questionnaires.py.
 */
function checkScales(scales, fields) {
  const errors = {};
  for (const { name, title, low, high, whole } of scales) {
    const typed = (fields[name]?.[0] ?? "").trim();
    if (!typed) continue; // what is missing has its sentence already
    const number = typed.replace(/,/g, ".");
    const value = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(number) ? Number(number) : NaN;
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) continue;
    const signs = [...typed];
    const said = signs.length <= 20 ? typed : `${signs.slice(0, 20).join("")}…`;
    errors[name] = `${title}: “${said}” is not on this scale; enter a ${whole ? "whole " : ""}number from ${low} to ${high}.`;
  }
  return errors;
}
