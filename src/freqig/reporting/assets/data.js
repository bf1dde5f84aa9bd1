"use strict";
// What the page holds, unpacked: JSON, and arrays that are compressed.
const page = { data: null, unpacked: new Map() };

page.unzipped = async function (id) {
  const letters = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

page.text = async function (id) {
  return new TextDecoder().decode(await page.unzipped(id));
};

page.loadData = async function () {
  page.data = JSON.parse(await page.text("page-data"));
};

const KINDS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, float32: Float32Array };

// An array by its name: { values, shape }, or null where the page has none of this name.
page.array = async function (name) {
  const about = page.data.arrays[name];
  if (!about) return null;
  if (!page.unpacked.has(name)) {
    const bytes = await page.unzipped(`array-${name}`);
    page.unpacked.set(name, { values: valuesOf(bytes, about), shape: about.shape });
    // The letters are not needed again.
    document.getElementById(`array-${name}`).remove();
  }
  return page.unpacked.get(name);
};

function valuesOf(bytes, about) {
  const Kind = KINDS[about.dtype];
  const size = Kind.BYTES_PER_ELEMENT;
  let ordered = bytes;
  if (about.planes) {
    // All first bytes stand before all second ones.
    const count = bytes.length / size;
    ordered = new Uint8Array(bytes.length);
    for (let byte = 0; byte < size; byte++) {
      for (let i = 0; i < count; i++) ordered[i * size + byte] = bytes[byte * count + i];
    }
  }
  const values = new Kind(ordered.buffer);
  if (about.steps) {
    const length = about.shape[about.shape.length - 1];
    // Sums wrap around as the differences did.
    for (let i = 0; i < values.length; i++) if (i % length) values[i] += values[i - 1];
  }
  return values;
}

// The values of one row of the first axis.
page.row = function (array, index) {
  const size = array.values.length / array.shape[0];
  return array.values.subarray(index * size, (index + 1) * size);
};
