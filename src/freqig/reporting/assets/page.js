(async function () {
  await page.loadPlotly();
  page.drawFigures();
  document.documentElement.dataset.ready = "yes";
})();
