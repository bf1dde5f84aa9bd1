// The figures of one sample, from numbers.

const HATCH = { shape: "/", size: 5, solidity: 0.35, fgcolor: "#ffffff", bgcolor: MINUS };

// Up and red where positive, down, blue and hatched where not.
page.signedArea = function (x, y, told) {
  const shape = { type: "scatter", mode: "lines", x, fill: "tozeroy", line: { width: 0.8, shape: "hvh" } };
  const half = (keep) => Array.from(y, (value) => keep(value, 0));
  return [
    { ...shape, y: half(Math.max), fillcolor: PLUS, line: { ...shape.line, color: PLUS }, name: `raises ${told}`, hovertemplate: "%{x}: %{y:+.3g}<extra></extra>" },
    { ...shape, y: half(Math.min), fillcolor: MINUS, fillpattern: HATCH, line: { ...shape.line, color: MINUS }, name: `lowers ${told} (hatched)`, hovertemplate: "%{x}: %{y:+.3g}<extra></extra>" },
  ];
};

const ABOVE = { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom", itemclick: false, itemdoubleclick: false };

page.drawWaveform = function (time, label, shown, lines, names, units, keep) {
  const traces = [];
  const several = lines.length > 1;
  const ends = lines.map((line) => endsOf(line.whole));
  const width = Math.max(...ends.map(([low, high]) => high - low), 1e-30);
  lines.forEach((line, place) => {
    // One below the other, all on one scale.
    const middle = (ends[place][0] + ends[place][1]) / 2;
    const lay = (values) => thinned(time, several ? Array.from(values, (value) => (value - middle) / width - place) : Array.from(values));
    const common = { type: "scatter", mode: "lines", legendgroup: "" };
    traces.push({ ...common, ...lay(line.whole), name: "signal", showlegend: place === 0, line: { color: SOFT, width: 1.2 } });
    if (line.part) {
      const told = `part with ${Math.round(100 * keep)} % of the positive attribution`;
      traces.push({ ...common, ...lay(line.part), name: told, showlegend: place === 0, line: { color: INK, width: 1.4 } });
    }
  });
  const axis = several
    ? { tickvals: lines.map((_, place) => -place), ticktext: names.map(page.plain), zeroline: false }
    : { title: { text: page.plain(units ? `signal (${units})` : "signal") } };
  page.draw("waveform", traces, { legend: ABOVE, xaxis: { title: { text: label }, range: shown }, yaxis: axis, margin: { t: 40 } });
};

page.drawAmplitudes = function (frequency, label, whole, part, shown, bands) {
  const common = { type: "scatter", mode: "lines" };
  const traces = [{ ...common, ...thinned(frequency, whole), name: "signal", fill: "tozeroy", fillcolor: "#d9d9d9", line: { color: "#8a8a8a", width: 1 } }];
  if (part) traces.push({ ...common, ...thinned(frequency, part), name: "part that drove the decision", line: { color: INK, width: 1.6 } });
  const yaxis = { title: { text: "amplitude" }, rangemode: "tozero" };
  page.draw("amplitudes", traces, { legend: ABOVE, ...withBands("amplitudes", bands, shown), xaxis: { title: { text: label }, range: shown }, yaxis, margin: { t: 54 } });
};

page.drawFrequencies = function (frequency, label, values, shown, bands, target) {
  page.draw("frequencies", page.signedArea(frequency, values, target), {
    legend: ABOVE, ...withBands("frequencies", bands, shown), xaxis: { title: { text: label }, range: shown }, yaxis: { title: { text: "attribution" } }, margin: { t: 54 },
  });
};

page.drawTimes = function (time, label, shown, values, target) {
  page.draw("times", page.signedArea(time, values, target), {
    legend: ABOVE, xaxis: { title: { text: label }, range: shown }, yaxis: { title: { text: "attribution" } }, margin: { t: 40 },
  });
};

page.drawMap = function (time, timeLabel, frequency, label, values) {
  const z = frequency.map((_, row) => Array.from(values.subarray(row * time.length, (row + 1) * time.length)));
  const limit = Math.max(...z.map((row) => Math.max(...row.map(Math.abs))), 1e-30);
  const contour = (at, dash) => ({
    type: "contour", x: time, y: frequency, z, showscale: false, hoverinfo: "skip", ncontours: 1,
    contours: { coloring: "none", start: at, end: at, size: limit }, line: { color: INK, width: 1, dash },
  });
  const heat = {
    type: "heatmap", x: time, y: frequency, z, zmin: -limit, zmax: limit, colorscale: SIGNED,
    colorbar: { thickness: 10, tickformat: "+.2~g" }, hovertemplate: "%{x:.3g}, %{y:.3g}: %{z:+.3g}<extra></extra>",
  };
  // Solid around what raises, dotted around what lowers, for colours do not tell it to everybody.
  page.draw("map", [heat, contour(limit / 4, "solid"), contour(-limit / 4, "dot")], {
    showlegend: false, xaxis: { title: { text: timeLabel } }, yaxis: { title: { text: label }, range: shownOf(frequency, z) },
  });
};

page.drawChannels = function (names, bands, values) {
  const z = names.map((_, row) => Array.from(values.subarray(row * bands.length, (row + 1) * bands.length)));
  const limit = Math.max(...z.flat().map(Math.abs), 1e-30);
  const heat = {
    type: "heatmap", x: page.distinct(bands), y: page.distinct(names.map((name) => name || "all")), z, zmin: -limit, zmax: limit,
    colorscale: SIGNED, colorbar: { thickness: 10, tickformat: "+.2~g" }, hovertemplate: "%{y}, %{x}: %{z:+.3g}<extra></extra>",
  };
  if (names.length * bands.length <= 400) {
    heat.texttemplate = "%{z:+.2~g}";
    heat.text = z.map((row) => row.map((value) => (value > 0 ? "+" : value < 0 ? "−" : "")));
  }
  const many = names.length > 30;
  page.place("by-channel").style.height = `${Math.min(2000, 150 + (many ? 16 : 26) * names.length)}px`;
  const rows = many && names.length < 110 ? { dtick: 1, tickfont: { size: 10 } } : {};
  page.draw("by-channel", [heat], { xaxis: { type: "category" }, yaxis: { ...rows, type: "category", autorange: "reversed" } });
};

page.drawOutputs = function (names, values, units) {
  page.place("outputs").style.height = `${70 + 24 * names.length}px`;
  const bar = { type: "bar", orientation: "h", y: page.distinct(names), x: values, marker: { color: "#5b6b7a" } };
  page.draw("outputs", [{ ...bar, text: values.map((value) => value.toPrecision(3)), textposition: "auto" }], {
    showlegend: false, xaxis: { title: { text: page.plain(units) } }, yaxis: { type: "category", autorange: "reversed" },
  });
};

// The smallest and the largest; a spread of arguments has no room for long series.
function endsOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

const POINTS = 20000;  // More than a screen shows.

// Points of a line; of a long one the lowest and the highest of each stretch.
function thinned(x, y) {
  if (y.length <= POINTS) return { x, y };
  const step = Math.ceil((2 * y.length) / POINTS);
  const kept = [];
  for (let first = 0; first < y.length; first += step) {
    let [low, high] = [first, first];
    for (let i = first; i < Math.min(first + step, y.length); i++) {
      if (y[i] < y[low]) low = i;
      if (y[i] > y[high]) high = i;
    }
    kept.push(Math.min(low, high), Math.max(low, high));
  }
  return { x: kept.map((i) => x[i]), y: kept.map((i) => y[i]) };
}

// The rows of a map up to which 99.5 % of the magnitude lies.
function shownOf(frequency, z) {
  const sizes = z.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
  return [frequency[0], frequency[page.lastOf(sizes)]];
}

// Up to which place 99.5 % of the magnitude of values lies, and a little more.
page.lastOf = function (values) {
  const total = values.reduce((sum, value) => sum + Math.abs(value), 0);
  let [running, last] = [0, 0];
  while (last < values.length - 1 && (running += Math.abs(values[last])) < 0.995 * total) last++;
  return Math.min(values.length - 1, Math.max(Math.ceil(1.05 * last), 4));
};

// Borders of bands, and the names of those that are wide enough in view for them.
function withBands(anchor, bands, shown) {
  const perUnit = (page.place(anchor).offsetWidth - 70) / (shown[1] - shown[0]);
  const shapes = [];
  const annotations = [];
  for (const [name, [low, high]] of Object.entries(bands)) {
    const end = Math.min(high, shown[1]);
    if (low >= shown[1]) continue;
    shapes.push({ type: "line", x0: low, x1: low, yref: "paper", y0: 0, y1: 1.02, line: { color: "#8a8a8a", width: 0.7, dash: "dot" } });
    if ((end - low) * perUnit > 7 * name.length + 6) {
      annotations.push({ text: page.plain(name), x: (low + end) / 2, y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 11 } });
    }
  }
  return { shapes, annotations, legend: { ...ABOVE, y: annotations.length ? 1.1 : 1 } };
}
