// For pages written for MTurk: the functions that its script gave to HITs, under the same names.

function turkGetParam(name, otherwise) {
  const value = new URLSearchParams(window.location.search).get(name);
  return value === null ? otherwise || "" : value;
}

function turkGetSubmitToHost() {
  return turkGetParam("turkSubmitTo", window.location.origin);
}

// Fills in the assignment's id and the form's address; a preview cannot be submitted.
function turkSetAssignmentID() {
  const assignment = turkGetParam("assignmentId");
  const isPreview = assignment === "ASSIGNMENT_ID_NOT_AVAILABLE";
  const field = document.getElementById("assignmentId");
  if (field) field.value = assignment;
  const form = document.getElementById("mturk_form");
  if (form) form.action = `${turkGetSubmitToHost()}/mturk/externalSubmit`;
  const button = document.getElementById("submitButton");
  if (button && isPreview) {
    button.disabled = true;
    button.value = "You must ACCEPT the HIT before you can submit the results.";
  }
}
