"use strict";

// A browser needs seconds to lay out 1,203 rows. So many are there at once, and more when the end
// of the table comes into sight.
const STEP = 100;

// Numbers are compared as numbers, texts as texts, and what is missing comes last.
function compare(column, sign) {
  return (a, b) => {
    const [x, y] = [a.values[column], b.values[column]];
    if (x === "" || y === "") return (x === "") - (y === "");
    const [p, q] = [Number(x), Number(y)];
    return sign * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
  };
}

function readRow(row) {
  const values = Array.from(row.cells, (cell) => cell.dataset.value ?? cell.textContent);
  return { row, values, name: values[0].toLowerCase(), split: row.dataset.split };
}

function setUp(table, controls) {
  const body = table.tBodies[0];
  const [text, split, output] = ["input", "select", "output"].map((one) => controls.querySelector(one));
  const headers = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  let rows = Array.from(body.rows, readRow);
  let fitting = [];
  let shown = 0;

  const showMore = (count) => {
    body.append(...fitting.slice(shown, shown + count).map((one) => one.row));
    shown = Math.min(shown + count, fitting.length);
  };
  const update = () => {
    const wanted = text.value.trim().toLowerCase();
    fitting = rows.filter((one) => one.name.includes(wanted) && (!split.value || one.split === split.value));
    body.replaceChildren();
    shown = 0;
    showMore(STEP);
    output.textContent = `${fitting.length} of ${rows.length} classes`;
  };
  const sort = (header, column) => {
    const before = header.getAttribute("aria-sort");
    const falling = before ? before === "ascending" : !header.classList.contains("text");
    for (const other of headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", falling ? "descending" : "ascending");
    rows = rows.slice().sort(compare(column, falling ? -1 : 1));
    update();
  };

  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => sort(header, column));
  });
  text.addEventListener("input", update);
  split.addEventListener("change", update);
  const frame = table.parentElement;
  frame.addEventListener("scroll", () => {
    if (frame.scrollTop + 2 * frame.clientHeight > frame.scrollHeight) showMore(STEP);
  });
  addEventListener("beforeprint", () => showMore(rows.length));
  update();
}

for (const controls of document.querySelectorAll(".controls")) {
  setUp(document.getElementById(controls.dataset.table), controls);
}
