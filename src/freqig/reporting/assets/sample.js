// One sample: what is known of it, put together from arrays, and the ways to another.
page.sample = { position: 0, channel: "" };

const DRAWN = 8;  // Channels that are drawn at once.

page.startSample = async function () {
  const about = page.data.live.sample;
  const names = ["signal", "signal-middle", "signal-step", "start", "start-middle", "start-step", "kept", "part", "part-middle", "part-step", "spectrum", "spectrum-step",
    "spectrum-frequency", "course", "course-step", "map", "map-step", "channels", "channels-step", "outputs"];
  const arrays = {};
  for (const name of names) arrays[name] = await page.array(name);
  Object.assign(page.sample, { about, arrays });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (button) go(button.dataset.go);
  });
  document.getElementById("sample-number").addEventListener("change", (event) => page.show(Number(event.target.value)));
  document.getElementById("sample-channel")?.addEventListener("change", (event) => {
    page.sample.channel = event.target.value;
    page.show(page.sample.position);
  });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", followHash);
  if (!followHash()) page.show(0);
};

function onKey(event) {
  const busy = event.target.closest("input:not([type=checkbox]), select, textarea, audio, .scroll, pre");
  if (busy || event.ctrlKey || event.metaKey || event.altKey || !document.getElementById("sample-keys").checked) return;
  const where = { ArrowRight: "next", ArrowLeft: "previous", n: "next", p: "previous", w: "wrong" }[event.key];
  if (!where) return;
  event.preventDefault();
  go(where);
}

function go(where) {
  const { about, position } = page.sample;
  if (where === "next") page.show(position + 1);
  if (where === "previous") page.show(position - 1);
  if (where === "wrong" && about.right) {
    const count = about.count;
    for (let step = 1; step <= count; step++) {
      if (about.right[(position + step) % count] === 0) return page.show((position + step) % count);
    }
  }
}

function followHash() {
  const found = /^#sample-(\d+)$/.exec(location.hash);
  if (!found) return false;
  page.open(Number(found[1]));
  return true;
}

// Show a sample, and bring its section into view.
page.open = function (position) {
  page.show(position);
  document.getElementById("sample").scrollIntoView({ block: "start" });
};

page.show = function (wanted) {
  const { about } = page.sample;
  const position = Math.min(Math.max(Math.round(wanted) || 0, 0), about.count - 1);
  page.sample.position = position;
  document.getElementById("sample-number").value = position;
  document.getElementById("sample-shown").textContent = titleOf(about, position);
  document.getElementById("sample").dataset.position = position;
  page.mark(position);
  drawSample(about, position);
};

function titleOf(about, position) {
  const words = [`Sample ${position} of 0 to ${about.count - 1}`];
  if (about.called[position]) words.push(about.called[position]);
  if (about.predicted) words.push(`predicted ${about.predicted[position]}`);
  if (about.truth) words.push(`truth ${about.truth[position] || "not known"}`);
  if (about.right && about.right[position] !== null) words.push(about.right[position] ? "right" : "wrong");
  if (about.target[position]) words.push(`explained ${about.target[position]}`);
  const output = [`output ${Number(about.output[position]).toPrecision(4)}`];
  if (about.baseline_output) output.push(`${Number(about.baseline_output[position]).toPrecision(4)} at the baseline`);
  return `${words.join(", ")}: ${output.join(", ")}${about.units ? ` (${about.units})` : ""}.`;
}

function drawSample(about, position) {
  const { arrays } = page.sample;
  const row = about.rows ? about.rows.indexOf(position) : position;
  const held = row >= 0;
  for (const anchor of ["waveform", "amplitudes", "frequencies", "times", "by-channel"]) {
    const place = page.place(anchor);
    if (place) place.closest("figure").hidden = !held;
  }
  if (arrays.outputs) drawOutputs(about, arrays, position);
  drawMap(about, arrays, position);
  if (!held) return;
  const target = about.target[position] ? page.plain(about.target[position]) : "the output";
  const own = arrays.spectrum ? spectrum(about, arrays, row, target) : null;
  const shown = own && about.spectrum.shared ? own : null;
  if (arrays.signal) signal(about, arrays, row, shown);
  if (arrays.course) course(about, arrays, row, target);
  if (arrays.channels) {
    const values = scaled(arrays, "channels", row);
    const { lines, bands } = about.channels;
    page.drawChannels(lines, about.channels.names, values);
    page.tables["by-channel"] = () => ({
      columns: ["channel", ...bands], note: note(position, "Attributions have 16 bits."),
      rows: lines.map((line, i) => [line, ...values.subarray(i * bands.length, (i + 1) * bands.length)].map(short)),
    });
  }
}

// Values of a row, by the step of its levels.
function scaled(arrays, name, row) {
  const step = arrays[`${name}-step`].values[row];
  return Float64Array.from(page.row(arrays[name], row), (level) => level * step);
}

// The waves of a row: of each channel its levels times its step, about its middle.
function waves(arrays, name, row) {
  const count = arrays[name].shape[1];
  const n = arrays[name].shape[2];
  const levels = page.row(arrays[name], row);
  const middle = page.row(arrays[`${name}-middle`], row);
  const step = page.row(arrays[`${name}-step`], row);
  return Array.from({ length: count }, (_, c) => Float64Array.from(levels.subarray(c * n, (c + 1) * n), (level) => level * step[c] + middle[c]));
}

function startOf(about, arrays, row, n) {
  const start = about.signal.start;
  if (!start) return null;
  const own = start.shared ? 0 : row;
  if (!start.flat) return waves(arrays, "start", own);
  return Array.from(page.row(arrays.start, own), (value) => new Float64Array(n).fill(value));
}

// The part of each channel: as it is held, or kept bins of what the path leads through, put upon its start.
function parts(about, arrays, row, whole) {
  if (arrays.part) return waves(arrays, "part", row);
  const start = startOf(about, arrays, row, whole[0].length);
  const bits = page.row(arrays.kept, row);
  const each = arrays.kept.shape[2];
  return whole.map((x, c) => {
    const spectrum = page.rfft(start ? x.map((value, i) => value - start[c][i]) : x);
    for (let k = 0; k < spectrum.re.length; k++) {
      if (!((bits[c * each + (k >> 3)] >> (7 - (k & 7))) & 1)) spectrum.re[k] = spectrum.im[k] = 0;
    }
    const part = page.irfft(spectrum, x.length);
    return start ? part.map((value, i) => value + start[c][i]) : part;
  });
}

function signal(about, arrays, row, shown) {
  const { position, channel } = page.sample;
  const whole = waves(arrays, "signal", row);
  const part = about.signal.part ? parts(about, arrays, row, whole) : null;
  const length = about.signal.lengths ? about.signal.lengths[row] : whole[0].length;
  const every = whole.map((x, c) => ({ whole: x.subarray(0, length), part: part ? part[c].subarray(0, length) : null, place: c }));
  const chosen = channel === "" ? mostDriving(arrays, row, every) : [every[Number(channel)]];
  const names = chosen.map((line) => about.signal.lines[line.place] || "signal");
  const time = Array.from({ length }, (_, i) => (about.fs ? i / about.fs : i));
  const label = about.fs ? "time in the sample (s)" : "time in the sample (points)";
  page.drawWaveform(time, label, [0, length / (about.fs || 1)], chosen, names, about.signal.units, about.signal.keep);
  const rounded = note(position, "Waveforms have 8 bits.");
  page.tables.waveform = () => ({
    columns: [label, ...names, ...(part ? names.map((name) => `part of ${name}`) : [])], note: rounded,
    rows: time.map((at, i) => [at, ...chosen.map((line) => line.whole[i]), ...(part ? chosen.map((line) => line.part[i]) : [])].map(short)),
  });
  if (about.audible) page.listen(chosen[0], about.fs);
  if (!page.place("amplitudes")) return;
  const frequency = Array.from({ length: Math.floor(whole[0].length / 2) + 1 }, (_, k) => (k * (about.fs || 1)) / whole[0].length);
  const of = (key) => amplitudes(every.filter((line) => channel === "" || line.place === Number(channel)).map((line) => (key === "whole" ? whole : part)[line.place]));
  const [ofWhole, ofPart] = [of("whole"), part ? of("part") : null];
  const unit = about.fs ? "frequency (Hz)" : "frequency (cycles per sample)";
  page.drawAmplitudes(frequency, unit, ofWhole, ofPart, shown || [0, frequency[frequency.length - 1]], shown ? about.bands : {});
  page.tables.amplitudes = () => ({
    columns: [unit, "amplitude", ...(part ? ["amplitude of the part"] : [])], note: rounded,
    rows: frequency.map((at, k) => [at, ofWhole[k], ...(part ? [ofPart[k]] : [])].map(short)),
  });
}

// Up to eight channels, those with the largest attributions, in their order.
function mostDriving(arrays, row, lines) {
  if (lines.length <= DRAWN) return lines;
  const size = new Float64Array(lines.length);
  if (arrays.channels && arrays.channels.shape[1] === lines.length) {
    const bands = arrays.channels.shape[2];
    page.row(arrays.channels, row).forEach((level, i) => { size[Math.floor(i / bands)] += Math.abs(level); });
  }
  const most = [...lines.keys()].sort((a, b) => size[b] - size[a]).slice(0, DRAWN);
  return lines.filter((_, c) => most.includes(c));
}

// Amplitudes of sine waves, root mean squares over channels.
function amplitudes(lines) {
  const n = lines[0].length;
  const power = new Float64Array(Math.floor(n / 2) + 1);
  for (const line of lines) {
    const { re, im } = page.rfft(line);
    for (let k = 0; k < power.length; k++) {
      const weight = (k && 2 * k !== n ? 2 : 1) / n;
      power[k] += (weight * weight * (re[k] * re[k] + im[k] * im[k])) / lines.length;
    }
  }
  // The mean of a signal would leave nothing else to be seen.
  return Array.from(power, (value, k) => (k ? Math.sqrt(value) : null));
}

function spectrum(about, arrays, row, target) {
  const values = scaled(arrays, "spectrum", row);
  const own = arrays["spectrum-frequency"];
  const { first, step, label } = about.spectrum;
  const frequency = own ? Array.from(own.values) : Array.from(values, (_, k) => first + k * step);
  // Two clicks show the rest.
  const shown = [frequency[0], frequency[page.lastOf(values)]];
  page.drawFrequencies(frequency, label, values, shown, about.bands, target);
  page.tables.frequencies = () => ({
    columns: [label, "attribution"], note: note(page.sample.position, "Attributions have 16 bits."),
    rows: frequency.map((at, k) => [at, values[k]].map(short)),
  });
  return shown;
}

function course(about, arrays, row, target) {
  const values = scaled(arrays, "course", row);
  const { edges } = about.course;
  const scale = about.fs || 1;
  const time = Array.from(values, (_, i) => (edges[i] + edges[i + 1] - 1) / 2 / scale);
  const label = about.fs ? "time in the sample (s)" : "time in the sample (points)";
  page.drawTimes(time, label, [0, edges[edges.length - 1] / scale], values, target);
  page.tables.times = () => ({
    columns: [label, "attribution"], note: note(page.sample.position, "Attributions have 16 bits, neighbouring points are added up."),
    rows: time.map((at, i) => [at, values[i]].map(short)),
  });
}

function drawMap(about, arrays, position) {
  const place = page.place("map");
  if (!place) return;
  const row = about.map.rows.indexOf(position);
  place.closest("figure").hidden = row < 0;
  if (row < 0) return;
  const { time, frequency, label } = about.map;
  const values = scaled(arrays, "map", row);
  page.drawMap(time, about.fs ? "time in the sample (s)" : "time in the sample (points)", frequency, label, values);
  page.tables.map = () => ({
    columns: ["time", label, "attribution"], note: note(position, "Attributions have 16 bits, neighbouring cells are added up."),
    rows: frequency.flatMap((f, i) => time.map((t, j) => [t, f, values[i * time.length + j]].map(short))),
  });
}

function drawOutputs(about, arrays, position) {
  const values = Array.from(page.row(arrays.outputs, position));
  const mark = (name) => {
    const roles = [["predicted", about.predicted], ["truth", about.truth]].filter(([, list]) => list && list[position] === name);
    return name + (roles.length ? ` (${roles.map(([role]) => role).join(", ")})` : "");
  };
  let order = values.map((_, i) => i);
  if (order.length > 24) order = [...order].sort((a, b) => values[b] - values[a]).slice(0, 24);
  page.drawOutputs(order.map((i) => mark(about.classes[i])), order.map((i) => values[i]), "raw output");
  page.tables.outputs = () => ({
    columns: ["class", "output"], note: note(position, ""), rows: values.map((value, i) => [about.classes[i], short(value)]),
  });
}

const short = (value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);

function note(position, rounded) {
  return `${titleOf(page.sample.about, position)} ${rounded}`.trim();
}
