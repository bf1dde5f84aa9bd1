// Fourier transforms of real series of any length.

// In place, of a length that is a power of two.
function powerOfTwo(re, im, inverse) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let half = 1; half < n; half *= 2) {
    const angle = ((inverse ? 1 : -1) * Math.PI) / half;
    for (let k = 0; k < half; k++) {
      const c = Math.cos(angle * k);
      const s = Math.sin(angle * k);
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const a = re[j] * c - im[j] * s;
        const b = re[j] * s + im[j] * c;
        re[j] = re[i] - a;
        im[j] = im[i] - b;
        re[i] += a;
        im[i] += b;
      }
    }
  }
}

// Any length, by Bluestein's convolution with a chirp: { re, im }, not divided by n.
function transformed(re, im, inverse) {
  const n = re.length;
  if ((n & (n - 1)) === 0) {
    const out = { re: Float64Array.from(re), im: Float64Array.from(im) };
    powerOfTwo(out.re, out.im, inverse);
    return out;
  }
  let m = 1;
  while (m < 2 * n - 1) m *= 2;
  const c = new Float64Array(n);
  const s = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    // k² modulo 2 n, for the sake of the cosine's accuracy.
    const angle = ((inverse ? 1 : -1) * Math.PI * ((k * k) % (2 * n))) / n;
    c[k] = Math.cos(angle);
    s[k] = Math.sin(angle);
  }
  const aRe = new Float64Array(m);
  const aIm = new Float64Array(m);
  const bRe = new Float64Array(m);
  const bIm = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    aRe[k] = re[k] * c[k] - im[k] * s[k];
    aIm[k] = re[k] * s[k] + im[k] * c[k];
    bRe[k] = c[k];
    bIm[k] = -s[k];
    if (k) {
      bRe[m - k] = c[k];
      bIm[m - k] = -s[k];
    }
  }
  powerOfTwo(aRe, aIm, false);
  powerOfTwo(bRe, bIm, false);
  for (let k = 0; k < m; k++) {
    const real = aRe[k] * bRe[k] - aIm[k] * bIm[k];
    aIm[k] = aRe[k] * bIm[k] + aIm[k] * bRe[k];
    aRe[k] = real;
  }
  powerOfTwo(aRe, aIm, true);
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    out.re[k] = (aRe[k] * c[k] - aIm[k] * s[k]) / m;
    out.im[k] = (aRe[k] * s[k] + aIm[k] * c[k]) / m;
  }
  return out;
}

// The spectrum of a real series of n values: n / 2 + 1 bins.
page.rfft = function (x) {
  const whole = transformed(x, new Float64Array(x.length), false);
  const count = Math.floor(x.length / 2) + 1;
  return { re: whole.re.subarray(0, count), im: whole.im.subarray(0, count) };
};

// The real series of n values with such a spectrum.
page.irfft = function (spectrum, n) {
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let k = 0; k < spectrum.re.length; k++) {
    re[k] = spectrum.re[k];
    im[k] = k && 2 * k !== n ? spectrum.im[k] : 0;
    if (k && 2 * k !== n) {
      re[n - k] = re[k];
      im[n - k] = -im[k];
    }
  }
  const whole = transformed(re, im, true).re;
  for (let i = 0; i < n; i++) whole[i] /= n;
  return whole;
};
