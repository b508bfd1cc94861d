"use strict";
// Tables that sort and filter, and a scatter of two columns. Everything shown stands in the page's data.

const SVG = "http://www.w3.org/2000/svg";
const ROWS_SHOWN = 1000;
// More values of an axis than these are not listed but bounded.
const VALUES_LISTED = 24;

function element(parent, name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function drawn(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// Six digits tell points apart; the table beside has all of them when pointed at.
function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(6));
    // Thousands are separated as they are in reports and in the pictures of the page.
    return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-US", { maximumFractionDigits: 3 }) : String(rounded);
  }
  return Array.isArray(value) ? value.join(" ") : String(value);
}

function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === "") return 1;
  if (b === null || b === "") return -1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return shown(a) < shown(b) ? -1 : 1;
}

function ticks(from, to) {
  if (from === to) return [from];
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const all = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to + step * 1e-9; tick += step) all.push(Number(tick.toPrecision(10)));
  return all;
}

class Table {
  constructor(section) {
    this.data = JSON.parse(section.querySelector("script").textContent);
    this.section = section;
    this.filters = new Map();
    this.sorted = null;
    this.chosen = null;
    this.numeric = this.data.columns.map((_, c) => this.data.rows.some((row) => typeof row[c] === "number"));
    if (this.data.points) {
      this.makeFilters();
      this.makeScatter();
    }
    this.count = element(section, "p", { class: "count", role: "status" });
    this.body = this.makeTable();
    this.show();
  }

  makeFilters() {
    const bar = element(this.section, "div", { class: "filters" });
    const { axes, front } = this.data.points;
    for (const column of [...axes, front]) {
      const values = new Map(this.data.rows.map((row) => [shown(row[column]), row[column]]));
      if (this.numeric[column] && values.size > VALUES_LISTED) {
        this.makeRange(element(bar, "label", {}, this.data.columns[column].name), column, () => column);
        continue;
      }
      const name = this.data.columns[column].name;
      const label = element(bar, "label", {}, name);
      const select = element(label, "select", { "data-axis": name });
      element(select, "option", { value: "" }, "all");
      for (const [text] of [...values].sort((a, b) => compare(a[1], b[1]))) element(select, "option", { value: text }, text);
      select.addEventListener("change", () => {
        if (select.selectedIndex === 0) this.filters.delete(column);
        else this.filters.set(column, (row) => shown(row[column]) === select.value);
        this.show();
      });
    }
    // Any result between two numbers.
    const label = element(bar, "label", {}, "result");
    const select = this.makePick(label, { "data-result": "yes" });
    select.value = String(this.data.points.shown[0]);
    this.makeRange(label, "result", () => Number(select.value)).forEach((input) => {
      select.addEventListener("change", () => input.dispatchEvent(new Event("input")));
    });
  }

  // Columns of numbers to choose from.
  makePick(label, attributes) {
    const select = element(label, "select", attributes);
    this.data.columns.forEach((column, c) => {
      if (this.numeric[c]) element(select, "option", { value: c }, column.name);
    });
    return select;
  }

  // Keeps rows whose number lies from one bound to another, both included; an empty field bounds nothing.
  makeRange(label, key, column) {
    const pair = element(label, "span", { class: "range" });
    const inputs = ["from", "to"].map((end) => element(pair, "input", { type: "number", step: "any", placeholder: end, "data-range": `${key} ${end}` }));
    const keep = () => {
      const [from, to] = inputs.map((input) => (input.value === "" ? null : Number(input.value)));
      if (from === null && to === null) this.filters.delete(key);
      else {
        this.filters.set(key, (row) => {
          const value = row[column()];
          return typeof value === "number" && (from === null || value >= from) && (to === null || value <= to);
        });
      }
      this.show();
    };
    inputs.forEach((input) => input.addEventListener("input", keep));
    return inputs;
  }

  makeScatter() {
    const bar = element(this.section, "div", { class: "filters" });
    this.picks = [0, 1].map((which) => {
      const label = element(bar, "label", {}, which === 0 ? "across" : "up");
      const select = this.makePick(label, { "data-scatter": which === 0 ? "x" : "y" });
      select.value = String(this.data.points.shown[which]);
      select.addEventListener("change", () => this.show());
      return select;
    });
    this.scatter = drawn(element(this.section, "div", { class: "figure" }), "svg", { class: "scatter", viewBox: "0 0 720 420" });
  }

  makeTable() {
    const table = element(element(this.section, "div", { class: "scroll" }), "table");
    const head = element(element(table, "thead"), "tr");
    this.data.columns.forEach((column, c) => {
      const cell = element(head, "th", { title: column.meaning, scope: "col" }, column.name);
      if (this.numeric[c]) cell.className = "number";
      cell.addEventListener("click", () => {
        const up = !(this.sorted && this.sorted.column === c && this.sorted.up);
        this.sorted = { column: c, up };
        for (const other of head.children) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        this.show();
      });
    });
    return element(table, "tbody");
  }

  rows() {
    let rows = this.data.rows.filter((row) => [...this.filters.values()].every((holds) => holds(row)));
    if (this.sorted) {
      const { column, up } = this.sorted;
      rows = [...rows].sort((a, b) => (up ? compare(a[column], b[column]) : compare(b[column], a[column])));
    }
    return rows;
  }

  show() {
    const rows = this.rows();
    const all = this.data.rows.length;
    const cut = rows.length > ROWS_SHOWN ? `, the first ${ROWS_SHOWN} shown` : "";
    this.count.textContent = `${rows.length} of ${all} rows${cut}`;
    this.body.replaceChildren();
    for (const row of rows.slice(0, ROWS_SHOWN)) {
      const line = element(this.body, "tr");
      if (this.data.points && row[this.data.points.front] === true) line.classList.add("front");
      if (row === this.chosen) line.classList.add("chosen");
      row.forEach((value, c) => {
        element(line, "td", { ...(this.numeric[c] ? { class: "number" } : {}), title: String(value ?? "") }, shown(value));
      });
    }
    if (this.data.points) this.draw(rows);
  }

  draw(rows) {
    const [x, y] = this.picks.map((select) => Number(select.value));
    const points = rows.filter((row) => typeof row[x] === "number" && typeof row[y] === "number");
    this.scatter.replaceChildren();
    const [left, right, top, bottom] = [80, 700, 15, 370];
    drawn(this.scatter, "rect", { x: left, y: top, width: right - left, height: bottom - top, class: "frame" });
    const names = [x, y].map((c) => this.data.columns[c].name);
    drawn(this.scatter, "text", { x: (left + right) / 2, y: 412, "text-anchor": "middle" }, names[0]);
    drawn(this.scatter, "text", { x: 14, y: (top + bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 14 ${(top + bottom) / 2})` }, names[1]);
    if (points.length === 0) return;
    const scale = (c, from, to) => {
      const values = points.map((row) => row[c]);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      const room = (most - least || Math.abs(most) || 1) * 0.05;
      const place = (value) => from + ((value - least + room) / (most - least + 2 * room)) * (to - from);
      return { place, ticks: ticks(least, most) };
    };
    const [across, up] = [scale(x, left, right), scale(y, bottom, top)];
    for (const tick of across.ticks) {
      drawn(this.scatter, "line", { x1: across.place(tick), x2: across.place(tick), y1: top, y2: bottom });
      drawn(this.scatter, "text", { x: across.place(tick), y: bottom + 16, "text-anchor": "middle" }, shown(tick));
    }
    for (const tick of up.ticks) {
      drawn(this.scatter, "line", { x1: left, x2: right, y1: up.place(tick), y2: up.place(tick) });
      drawn(this.scatter, "text", { x: left - 6, y: up.place(tick) + 4, "text-anchor": "end" }, shown(tick));
    }
    const { axes, front } = this.data.points;
    // The front above the others.
    for (const row of [...points].sort((a, b) => Number(a[front]) - Number(b[front]))) {
      const classes = [row[front] === true ? "front" : "", row === this.chosen ? "chosen" : ""].join(" ").trim();
      const dot = drawn(this.scatter, "circle", { cx: across.place(row[x]), cy: up.place(row[y]), r: row[front] ? 5 : 4, class: classes });
      const lines = [...axes, x, y].map((c) => `${this.data.columns[c].name}: ${shown(row[c])}`);
      dot.addEventListener("mousemove", (event) => tell(event, lines.join("\n")));
      dot.addEventListener("mouseleave", () => tell(null));
      dot.addEventListener("click", () => {
        this.chosen = this.chosen === row ? null : row;
        this.show();
        this.body.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
      });
    }
  }
}

const tip = element(document.body, "div", { id: "tip", role: "tooltip" });

function tell(event, text) {
  tip.style.display = event ? "block" : "none";
  if (!event) return;
  tip.textContent = text;
  tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8)}px`;
}

for (const section of document.querySelectorAll("section.data")) new Table(section);
document.documentElement.dataset.ready = "yes";
