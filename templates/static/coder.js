// A coder's page: the keys 1 to 9 choose a category, Enter saves. Without this file the form is a plain one.

const form = document.querySelector("form[data-code]");
const choices = [...form.querySelectorAll("[name=category]")];
form.querySelector("[data-keys]").hidden = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea")) return;
  const choice = /^[1-9]$/.test(event.key) && choices[Number(event.key) - 1];
  if (!choice) return;
  event.preventDefault();
  choice.checked = true;
  choice.focus();
});
