"use strict";
// What the page holds: JSON, and arrays that are compressed.
const page = {};

page.data = JSON.parse(document.getElementById("page-data").textContent);

page.unzipped = async function (id) {
  const letters = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
