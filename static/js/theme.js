/* Light or dark on the spot. Without this file the same buttons post to /apparence and the page comes back. */
document.addEventListener("click", function (event) {
  var button = event.target.closest(".th button");
  if (!button) return;
  event.preventDefault();
  var root = document.documentElement, theme = button.value;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  document.cookie = "theme=" + theme + ";path=/;max-age=31536000;samesite=lax";
  button.parentNode.querySelectorAll("button").forEach(function (each) {
    each.setAttribute("aria-pressed", String(each === button));
  });
});
