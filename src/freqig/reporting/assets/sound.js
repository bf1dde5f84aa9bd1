// Series as sound: WAV files of 16 bits that are made here, and asked for nowhere.

page.wav = function (values, rate, largest) {
  const buffer = new ArrayBuffer(44 + 2 * values.length);
  const view = new DataView(buffer);
  const write = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * values.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * values.length, true);
  values.forEach((value, i) => view.setInt16(44 + 2 * i, Math.round((32767 * value) / (largest || 1)), true));
  const letters = [];
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < bytes.length; i += 8192) letters.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return `data:audio/wav;base64,${btoa(letters.join(""))}`;
};

// The signal and its part, as loud as they are beside each other.
page.listen = function (line, rate) {
  const largest = [line.whole, line.part || []].reduce((most, one) => one.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0);
  for (const [id, values] of [["sound-whole", line.whole], ["sound-part", line.part]]) {
    const player = document.getElementById(id);
    if (!player || !values) continue;
    player.src = page.wav(values, Math.round(rate), largest);
  }
};
