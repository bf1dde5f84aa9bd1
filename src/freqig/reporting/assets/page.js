// The order in which the page comes to life: the overview first.
const breath = () => new Promise((resolve) => setTimeout(resolve, 0));

// The arrays of the samples stand behind this script.
const parsed = () =>
  new Promise((resolve) => {
    if (document.readyState !== "loading") resolve();
    else document.addEventListener("DOMContentLoaded", resolve);
  });

(async function () {
  const root = document.documentElement;
  performance.mark("script");
  await Promise.all([page.loadData(), page.loadPlotly()]);
  performance.mark("loaded");
  page.startTables();
  page.startFigures();
  const figures = Object.keys(page.data.figures);
  const first = figures.filter((anchor) => page.data.figures[anchor].opens.length);
  first.forEach(page.drawFigure);
  root.dataset.overview = "drawn";
  performance.mark("overview");
  await breath();
  await parsed();
  // A page of a group has no samples of its own.
  if (page.data.live.sample) await page.startSample();
  for (const anchor of figures.filter((name) => !first.includes(name))) {
    await breath();
    page.drawFigure(anchor);
  }
  root.dataset.ready = "yes";
  performance.mark("ready");
})();
