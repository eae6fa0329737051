"use strict";
// Tables that sort by their heads, filters above them, links into what is folded. The page works without.
const key = (row, i) => {
  const cell = row.cells[i];
  return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v.replace("inf", "Infinity"));
};

const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return (isNaN(a) - isNaN(b)) || a - b || 0;
  return String(a).localeCompare(String(b), "en", { numeric: true });
};

const sort = (table, i, down) => {
  const [body] = table.tBodies;
  const rows = Array.from(body.rows, (row) => [key(row, i), row]);
  rows.sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
  body.append(...rows.map(([, row]) => row));
};

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("number") && i > 0 ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      sort(table, i, order === "descending");
    });
  });
}

for (const form of document.querySelectorAll("form.filter")) {
  const rows = Array.from(document.getElementById(form.dataset.table).tBodies[0].rows);
  const [text, only] = form.querySelectorAll("input");
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = row.textContent.toLowerCase().includes(wanted) && (!only.checked || row.matches(".bad, .changed"));
      row.hidden = !fits;
      shown += fits;
    }
    form.querySelector("output").textContent = `${shown} of ${rows.length}`;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

const unfold = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", unfold);
unfold();
