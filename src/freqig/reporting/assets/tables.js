// Tables: sorting, and files of the data behind everything.

// What is drawn by the script adds a function that returns { columns, rows, note }.
page.tables = {};

function tableOf(anchor) {
  return page.tables[anchor] ? page.tables[anchor]() : page.data.tables[anchor];
}

page.tsv = function (table) {
  const cell = (value) => (value === null || value === undefined ? "" : String(value).replace(/[\t\r\n]+/g, " "));
  const lines = table.note ? [`# ${cell(table.note)}`] : [];
  lines.push(table.columns.map(cell).join("\t"));
  for (const row of table.rows) lines.push(row.map(cell).join("\t"));
  return lines.join("\n") + "\n";
};

function sortBy(head) {
  const table = head.closest("table");
  const column = [...head.parentNode.children].indexOf(head);
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? (cell.dataset.value === "" ? null : Number(cell.dataset.value)) : cell.textContent;
  };
  const rows = [...body.rows].sort((one, two) => {
    const [a, b] = [key(one), key(two)];
    // What is not known comes last, either way.
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
    return up ? order : -order;
  });
  body.append(...rows);
}

page.startTables = function () {
  document.addEventListener("click", (event) => {
    const head = event.target.closest("th button.sort");
    if (head) sortBy(head.parentNode);
    const file = event.target.closest("[data-tsv]");
    if (file) page.save(`${file.dataset.tsv}.tsv`, page.tsv(tableOf(file.dataset.tsv)), "text/tab-separated-values");
    const copy = event.target.closest("[data-copy]");
    if (copy) page.save(`${copy.dataset.copy}.txt`, document.querySelector(`#${CSS.escape(copy.dataset.copy)} pre`).textContent, "text/plain");
  });
};
