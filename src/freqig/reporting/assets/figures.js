// Figures by plotly.
page.loadPlotly = async function () {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await page.unzipped("page-plotly"));
  document.head.append(script);
};

page.drawFigures = function () {
  for (const [anchor, figure] of Object.entries(page.data.figures)) {
    const place = document.querySelector(`[data-figure="${anchor}"]`);
    Plotly.newPlot(place, figure.traces, figure.layout, { responsive: true, displayModeBar: false });
  }
};
