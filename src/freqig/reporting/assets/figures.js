// Figures by plotly: one look, files of each, and prints.
const INK = "#1b1b1b";
const SOFT = "#a8a8a8";
const PLUS = "#b2182b";
const MINUS = "#2166ac";
const SIGNED = [[0, "#2166ac"], [0.25, "#92c5de"], [0.5, "#ffffff"], [0.75, "#f4a582"], [1, "#b2182b"]];
const PRINTED = 680;

page.loadPlotly = async function () {
  const script = document.createElement("script");
  script.textContent = await page.text("page-plotly");
  // Plotly finds out by errors that it catches what a browser can do. Where each of them was thrown, in a
  // million letters, would take a third of the time that the script does, and nobody asks.
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  document.head.append(script);
  Error.stackTraceLimit = depth;
};

page.place = (anchor) => document.querySelector(`[data-figure="${CSS.escape(anchor)}"]`);

const LONG = 80;
const WIDE = 28;  // Letters of a name beside a row.
const brief = (text) => (text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text);

// A name as plotly is to write it: it would follow markup.
page.plain = (text) => brief(String(text)).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Names of rows, none like another: rows of one name would be drawn as one.
page.distinct = function (names) {
  const found = [];
  for (const name of names) {
    const whole = String(name);
    // The end tells more.
    const short = page.plain(whole.length > WIDE ? `${whole.slice(0, WIDE / 2 - 1)}…${whole.slice(-WIDE / 2)}` : whole);
    let own = short;
    for (let count = 2; found.includes(own); count++) own = `${short} (${count})`;
    found.push(own);
  }
  return found;
};

function dressed(layout) {
  const base = {
    font: { family: "system-ui, sans-serif", size: 12, color: INK },
    margin: { l: 58, r: 12, t: 10, b: 46, ...layout.margin },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    showlegend: true,
    hoverlabel: { namelength: -1 },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
  };
  const all = { ...base, ...layout, margin: base.margin };
  for (const axis of new Set([...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)), "xaxis", "yaxis"])) {
    all[axis] = { automargin: true, gridcolor: "#e6e6e6", zerolinecolor: "#8a8a8a", ...layout[axis] };
  }
  return all;
}

// Numbers in cells, or their signs where cells are too narrow for numbers.
function fitted(place, trace) {
  const narrow = trace.texttemplate && trace.type === "heatmap" && (place.offsetWidth - 160) / trace.x.length < 46;
  return narrow ? { ...trace, texttemplate: "%{text}" } : trace;
}

// Draw a figure, or draw it anew.
page.draw = function (anchor, traces, layout) {
  const place = page.place(anchor);
  for (const trace of traces) if (trace.colorscale === "page-signed") trace.colorscale = SIGNED;
  Plotly.react(place, traces.map((trace) => fitted(place, trace)), dressed(layout), { responsive: true, displayModeBar: false });
  return place;
};

// The figures whose data were known when the page was made.
page.drawFigure = function (anchor) {
  const figure = page.data.figures[anchor];
  const place = page.draw(anchor, figure.traces, figure.layout);
  if (!figure.opens.length) return;
  place.classList.add("opens");
  place.on("plotly_click", (event) => {
    const index = event.points[0].pointIndex;
    const sample = figure.opens[Array.isArray(index) ? index[1] : index];
    if (sample !== null && sample !== undefined) page.open(sample);
  });
};

// A line in every figure that opens samples, at the one that is open.
page.mark = function (sample) {
  for (const [anchor, figure] of Object.entries(page.data.figures)) {
    const column = figure.opens.indexOf(sample);
    const place = page.place(anchor);
    if (column < 0 || !place.data) continue;
    const x = figure.traces[0].x0 + column * figure.traces[0].dx;
    const line = { color: INK, width: 1.5, dash: "dot" };
    Plotly.relayout(place, {
      shapes: [{ type: "line", xref: "x", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line }],
    });
  }
};

page.save = function (name, content, kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

page.startFigures = function () {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-image]");
    if (!button) return;
    const place = page.place(button.dataset.of);
    const format = button.dataset.image;
    const size = { width: 1000, height: place.offsetHeight, scale: format === "png" ? 2 : 1 };
    Plotly.downloadImage(place, { format, filename: button.dataset.of, ...size });
  });
  const drawn = () => [...document.querySelectorAll(".plot")].filter((place) => place.data);
  addEventListener("beforeprint", () => drawn().forEach((place) => Plotly.relayout(place, { width: PRINTED })));
  addEventListener("afterprint", () => drawn().forEach((place) => Plotly.relayout(place, { width: null, autosize: true })));
};
