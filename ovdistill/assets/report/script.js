"use strict";

// The values of a column: numbers are compared as numbers, and what is missing comes last.
function compare(column, sign) {
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    const [p, q] = [Number(x), Number(y)];
    return sign * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
  };
}

function sort(table, header, column) {
  const falling = header.getAttribute("aria-sort") === "descending";
  const numeric = !header.classList.contains("text");
  const first = header.hasAttribute("aria-sort") ? !falling : numeric;
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", first ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows).sort(compare(column, first ? -1 : 1));
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headers = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => sort(table, header, column));
  });
}

for (const controls of document.querySelectorAll(".controls")) {
  const rows = Array.from(document.getElementById(controls.dataset.table).tBodies[0].rows);
  const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
  const [text, split, shown] = ["input", "select", "output"].map((one) => controls.querySelector(one));
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, number) => {
      const fits = names[number].includes(wanted) && (!split.value || row.dataset.split === split.value);
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count} of ${rows.length} classes`;
  };
  text.addEventListener("input", filter);
  split.addEventListener("change", filter);
  filter();
}
