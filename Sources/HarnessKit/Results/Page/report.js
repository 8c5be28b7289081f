
"use strict";
(function () {
  var root = document.documentElement;
  root.dataset.errors = "0";
  window.addEventListener("error", function () {
    root.dataset.errors = String(Number(root.dataset.errors) + 1);
  });

  // A link into a folded section unfolds it, and what stands around it.
  function reveal() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) { return; }
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
    target.hidden = false;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  // The same link a second time changes no hash.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) { reveal(); }
  });

  var tools = document.querySelector(".tools");
  var trials = Array.from(document.querySelectorAll("details.trial"));
  if (tools) {
    var buttons = Array.from(tools.querySelectorAll("button[data-mark]"));
    var search = tools.querySelector("input");
    var shown = tools.querySelector(".shown");
    var filter = function () {
      var marks = buttons.filter(function (button) {
        return button.getAttribute("aria-pressed") === "true";
      }).map(function (button) { return button.dataset.mark; });
      var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      var count = 0;
      trials.forEach(function (trial) {
        var text = trial.firstElementChild.textContent.toLowerCase();
        trial.hidden = marks.indexOf(trial.dataset.mark) < 0
          || !words.every(function (word) { return text.indexOf(word) >= 0; });
        if (!trial.hidden) { count += 1; }
      });
      shown.textContent = count === trials.length ? "" : count + " of " + trials.length;
    };
    tools.hidden = false;
    search.addEventListener("input", filter);
    tools.addEventListener("click", function (event) {
      var button = event.target.closest("button");
      if (!button) { return; }
      if (button.dataset.mark) {
        var pressed = button.getAttribute("aria-pressed") === "true";
        button.setAttribute("aria-pressed", String(!pressed));
        filter();
      } else {
        trials.forEach(function (trial) {
          if (!trial.hidden) { trial.open = button.dataset.open === "true"; }
        });
      }
    });
  }

  // The column's name beside the row's, which the style sheet marks by itself.
  document.querySelectorAll("table.matrix").forEach(function (table) {
    var heads = table.tHead.rows[0].cells;
    var marked = null;
    table.addEventListener("mouseover", function (event) {
      var cell = event.target.closest("td");
      if (marked) { marked.classList.remove("at"); }
      marked = cell ? heads[cell.cellIndex] : null;
      if (marked) { marked.classList.add("at"); }
    });
  });

  reveal();
}());
