/* Draws the charts of the board. What they show stands in tables on the same page. */
(() => {
  "use strict";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      ink: colour("--soft"),
      line: colour("--line"),
      late: colour("--late"),
      series: [colour("--link"), colour("--good"), colour("--soon")],
    };
  }

  function axes(said, theme, font) {
    const shared = { stroke: theme.ink, font, grid: { stroke: theme.line, width: 1 }, ticks: { show: false } };
    const few = (u, marks) => {
      const room = Math.max(1, Math.floor(u.bbox.width / devicePixelRatio / 88));
      const step = Math.ceil(said.labels.length / room);
      return marks.map((at) => (Number.isInteger(at) && (said.labels.length - 1 - at) % step === 0 ? said.labels[at] : ""));
    };
    return [
      {
        ...shared,
        grid: { show: false },
        splits: said.labels.map((_, at) => at),
        values: said.kind === "bars" ? (u, marks) => marks.map((at) => said.labels[at]) : few,
        size: 32,
      },
      { ...shared, size: 52, incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 5000], values: (u, marks) => marks.map((at) => `${at}${said.unit}`) },
    ];
  }

  function lines(said, theme) {
    const dashes = [undefined, [8, 5], [2, 4]];
    return said.series.map((_, place) => ({
      stroke: theme.series[place],
      width: 2.5,
      dash: dashes[place],
      spanGaps: true,
      points: { show: true, size: 6, fill: theme.series[place] },
    }));
  }

  function bars(theme) {
    return [
      {
        stroke: theme.series[0],
        fill: theme.series[0],
        paths: uPlot.paths.bars({
          size: [0.6, 80],
          disp: {
            fill: { unit: 3, values: (u) => u.data[1].map((_, at) => (at === 0 ? theme.late : theme.series[0])) },
            stroke: { unit: 3, values: (u) => u.data[1].map((_, at) => (at === 0 ? theme.late : theme.series[0])) },
          },
        }),
        points: { show: false },
      },
    ];
  }

  function draw(place) {
    const said = JSON.parse(place.dataset.chart);
    const theme = colours();
    const font = `13px ${getComputedStyle(document.body).fontFamily}`;
    const end = said.labels.length - 1;
    const margin = said.kind === "bars" ? 0.6 : 0.3;
    drawn.get(place)?.destroy();
    const options = {
      width: place.clientWidth,
      height: place.clientHeight,
      padding: [12, said.kind === "bars" ? 12 : 48, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false },
      scales: {
        x: { time: false, range: [-margin, end + margin] },
        y: { range: said.unit ? (u, least) => [Math.max(0, Math.min(Math.floor((least ?? 0) / 10) * 10 - 10, 80)), 101] : (u, least, most) => [0, Math.max(1, most) * 1.1] },
      },
      axes: axes(said, theme, font),
      series: [{}, ...(said.kind === "bars" ? bars(theme) : lines(said, theme))],
    };
    drawn.set(place, new uPlot(options, [said.labels.map((_, at) => at), ...said.series], place));
  }

  const places = document.querySelectorAll("[data-chart]");
  if (typeof uPlot === "undefined" || !places.length) return;
  const widths = new WeakMap();
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (widths.get(target) === target.clientWidth) continue;
      widths.set(target, target.clientWidth);
      draw(target);
    }
  });
  places.forEach((place) => watch.observe(place));
  dark.addEventListener("change", () => places.forEach(draw));
})();
