// Tells who comes with a browser that is too old for the page's script; the oldest can read this.

(function () {
  var isOld = !("noModule" in document.createElement("script"));

  // Not a file that did not come, which has no message: it may come when the page is loaded again.
  window.addEventListener("error", function (event) {
    if (event.message) tell();
  });
  document.addEventListener("DOMContentLoaded", function () {
    if (isOld) tell();
  });

  function tell() {
    var page = document.getElementById("page");
    if (!page || page.firstChild) return;
    var sentence = document.createElement("p");
    sentence.className = "screen";
    sentence.textContent =
      "This browser is too old for the study. Please open the same link in Chrome or Edge 85, " +
      "Firefox 79, Safari 14 (all of 2020), or a newer one.";
    page.appendChild(sentence);
  }
})();
