// What was trained at the end without the participant, since their time was over, and how that is said.

/** A record's interactions that nobody arranged anything for; they are its last. */
export function aloneOf({ interactions }) {
  return interactions.filter(({ without_person: isAlone }) => isAlone);
}

/** What becomes of movements that no training followed. */
export function unusedWords({ interactions }) {
  const isAnyOwn = interactions.some(({ without_person: isAlone }) => !isAlone);
  return `${isAnyOwn ? "What you moved since your last training" : "What you moved"} was not used.`;
}

/** That all is trained, and how much of it without the participant. */
export function doneWords(record) {
  const [all, alone] = [record.interactions.length, aloneOf(record).length];
  if (!alone) return "All trainings are done.";
  const ofAll = alone === all ? `all ${all}` : `the last ${alone} of ${all}`;
  const these = alone > 1 ? `${ofAll} trainings were` : all > 1 ? "the last training was" : "the training was";
  return `Your time was over: ${these} done without you. ${unusedWords(record)}`;
}
