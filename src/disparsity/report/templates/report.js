"use strict";
(() => {
  const tip = document.getElementById("tip");

  const showTip = (button) => {
    tip.textContent = button.dataset.tip;
    tip.hidden = false;
    const box = button.getBoundingClientRect();
    const left = Math.min(box.left, window.innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${box.bottom + 6}px`;
  };
  const hideTip = () => { tip.hidden = true; };

  const compare = (first, second) => {
    const a = first.dataset.value, b = second.dataset.value;
    if (a !== undefined && b !== undefined) return Number(a) - Number(b);
    return first.textContent.localeCompare(second.textContent, "en", { numeric: true });
  };
  const missing = (cell) => cell.textContent === "\u2013";

  const sortBy = (table, heading) => {
    const index = heading.cellIndex;
    const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    rows.sort((first, second) => {
      const a = first.cells[index], b = second.cells[index];
      // What is not known stays at the end in both directions.
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      return sign * compare(a, b);
    });
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", direction);
    table.tBodies[0].append(...rows);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const heading of table.tHead.rows[0].cells) {
      const cells = [...table.tBodies[0].rows].map((row) => row.cells[heading.cellIndex]);
      if (!cells.some((cell) => cell.classList.contains("number"))) heading.classList.add("left");
      heading.firstElementChild.addEventListener("click", () => sortBy(table, heading));
    }
  }
  for (const button of document.querySelectorAll("[data-tip]")) {
    for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => showTip(button));
    for (const event of ["mouseleave", "blur"]) button.addEventListener(event, hideTip);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  document.addEventListener("scroll", hideTip, true);

  const layers = document.querySelector("table.sortable");
  const boxes = [...document.querySelectorAll("[data-group]")];
  for (const fieldset of document.querySelectorAll(".groups")) fieldset.hidden = false;
  for (const box of boxes) {
    const show = () => layers.classList.toggle(`without-${box.dataset.group}`, !box.checked);
    box.addEventListener("change", show);
    show();
  }

  const weighted = document.getElementById("weighted");
  if (weighted) weighted.addEventListener("change", () => layers.classList.toggle("weighted", weighted.checked));

  // All columns side by side fit no paper: a table per group, of the rows that have something in it.
  const tableOf = (box) => {
    const wanted = (row) => [...row.cells].filter((cell) => cell.classList.contains(`g${box.dataset.group}`));
    const named = (row) => [...row.cells].filter((cell) => cell.classList.contains("g0")).slice(0, 2);
    const table = document.createElement("table");
    table.createCaption().textContent = box.parentElement.textContent.trim();
    const copy = (part, row) => {
      part.insertRow().append(...[...named(row), ...wanted(row)].map((cell) => cell.cloneNode(true)));
    };
    copy(table.createTHead(), layers.tHead.rows[0]);
    const body = table.createTBody();
    for (const row of layers.tBodies[0].rows) {
      const bare = row.classList.contains("bare") && "ofWeights" in box.dataset;
      if (!bare && !wanted(row).every((cell) => missing(cell) || cell.dataset.value === "0.0")) copy(body, row);
    }
    return table;
  };
  const printed = document.getElementById("printed-layers");
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    if (!printed || !boxes.length) return;
    document.body.classList.add("split");
    printed.replaceChildren(...boxes.map(tableOf).filter((table) => table.tBodies[0].rows.length));
  });
  window.addEventListener("afterprint", () => {
    document.body.classList.remove("split");
    if (printed) printed.replaceChildren();
  });
})();
