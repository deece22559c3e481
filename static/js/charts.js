/* The one ECharts wrapper. A page writes <div data-chart="ID" role="img" aria-label="..."> and its data with
   json_script: {kind: "line" | "bar" | "stacked", labels: [...], series: [{name, values, dashedFrom?, outline?}],
   unit?, min?, max?, threshold?: {value, label}}. A canvas keeps the content security policy as it is. ECharts is a
   third of what a page weighs: it is fetched when the page has a chart, from where templates/ui/_charts.html says. */

const { library } = document.querySelector("script[data-library]").dataset;
const charts = new Map();
let fetched;
const STEPS = ["--step-1", "--step-2", "--step-3", "--step-4"];

function token(name) {
  // Custom properties keep light-dark() unresolved; a real colour property resolves it.
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function draw(place) {
  const data = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const chart = charts.get(place) ?? begin(place);
  charts.set(place, chart);
  const series = [...data.series.flatMap((one, at) => KINDS[data.kind](one, at, data)), ...thresholdLine(data)];
  chart.setOption({ ...frame(data), series }, true);
  place.querySelector(".chart-legend").replaceChildren(...(data.series.length > 1 ? data.series.map((one, at) => legendOf(one, at, data)) : []));
  labelThreshold(place, chart, data);
  readOut(place, chart, data);
}

/* Names and figures beside the canvas are text of the page: the chart's own would be 200 kB more. */
function begin(place) {
  const [canvas, legend, readout, threshold] = ["canvas", "legend", "readout", "threshold"].map((name) =>
    Object.assign(document.createElement("div"), { className: `chart-${name}` }));
  place.replaceChildren(canvas, legend, readout, threshold);
  return echarts.init(canvas, null, { renderer: "canvas" });
}

function legendOf(one, at, data) {
  const name = Object.assign(document.createElement("span"), { textContent: one.name });
  name.style.setProperty("--of-series", colourOf(one, at, data));
  name.classList.toggle("is-outline", Boolean(one.outline));
  return name;
}

function colourOf(one, at, data) {
  if (data.kind === "stacked") return token(one.state ? `--${one.state}-line` : STEPS[stepOf(at, data.series.length)]);
  if (data.kind === "bar") return token(one.outline ? "--control" : "--series");
  return token(at === 0 ? "--series" : "--ink3");
}

function labelThreshold(place, chart, data) {
  const label = place.querySelector(".chart-threshold");
  label.textContent = data.threshold?.label ?? "";
  if (data.threshold) label.style.top = `${chart.convertToPixel({ yAxisIndex: 0 }, data.threshold.value)}px`;
}

function readOut(place, chart, data) {
  const readout = place.querySelector(".chart-readout");
  const say = (at) => {
    const figures = data.series.map((one) => `${data.series.length > 1 ? `${one.name} ` : ""}${shown(one.values[at], data)}`);
    readout.textContent = data.labels[at] === undefined ? "" : `${data.labels[at]}: ${figures.join(", ")}`;
  };
  const canvas = chart.getZr();
  canvas.off(); // a new theme draws it again
  canvas.on("mousemove", ({ offsetX }) => say(Math.round(chart.convertFromPixel({ xAxisIndex: 0 }, offsetX))));
  canvas.on("globalout", () => { readout.textContent = ""; });
}

const shown = (value, data) => (value == null ? "–" : `${value}${data.unit ? ` ${data.unit}` : ""}`);

function frame(data) {
  const text = { color: token("--ink3"), fontFamily: "system-ui, sans-serif", fontSize: 11 };
  return {
    animation: false,
    aria: { enabled: false },
    grid: { left: 4, right: data.threshold ? 72 : 12, top: data.series.length > 1 ? 30 : 14, bottom: 4, containLabel: true },
    textStyle: text,
    xAxis: {
      type: "category",
      data: data.labels,
      boundaryGap: data.kind !== "line",
      axisLine: { lineStyle: { color: token("--line2") } },
      axisTick: { show: false },
      axisLabel: { ...text, lineHeight: 15, alignMaxLabel: data.kind === "line" ? "right" : null },
    },
    yAxis: {
      type: "value",
      min: data.min ?? null,
      max: data.max ?? null,
      splitNumber: 3,
      interval: data.max == null ? null : (data.max - (data.min ?? 0)) / 4,
      splitLine: { lineStyle: { color: token("--line") } },
      axisLabel: { ...text, formatter: `{value}${data.unit ? ` ${data.unit}` : ""}` },
    },
  };
}

const KINDS = {
  line: (one, at, data) => [
    lineSeries(one, data, at, one.values.map((value, i) => (one.dashedFrom == null || i <= one.dashedFrom ? value : null)), "solid"),
    ...(one.dashedFrom == null
      ? []
      : [lineSeries(one, data, at, one.values.map((value, i) => (i >= one.dashedFrom ? value : null)), "dashed")]),
  ],
  bar: (one) => [{
    name: one.name,
    type: "bar",
    data: one.values,
    barMaxWidth: 22,
    itemStyle: one.outline
      ? { color: token("--surface"), borderColor: token("--control"), borderWidth: 1.5, borderRadius: [3, 3, 0, 0] }
      : { color: token("--series"), borderRadius: [3, 3, 0, 0] },
  }],
  stacked: (one, at, data) => [{
    name: one.name,
    type: "bar",
    stack: "all",
    data: one.values,
    barMaxWidth: 28,
    itemStyle: { color: colourOf(one, at, data), borderColor: token("--surface"), borderWidth: 1 },
  }],
};

const stepOf = (at, count) => (count === 1 ? 3 : Math.round((at * 3) / (count - 1)));

function lineSeries(one, data, at, values, type) {
  const colour = colourOf(one, at, data);
  return {
    name: one.name,
    type: "line",
    data: values,
    showSymbol: values.filter((value) => value != null).length === 1,
    symbolSize: 6,
    lineStyle: { color: colour, type: at === 0 ? type : "dashed", width: at === 0 ? 2 : 1.5 },
    itemStyle: { color: colour },
  };
}

const thresholdLine = ({ threshold, labels }) => threshold ? [{
  type: "line",
  silent: true,
  showSymbol: false,
  data: labels.map(() => threshold.value),
  lineStyle: { color: token("--ink3"), type: "dashed", width: 1 },
}] : [];

function fetchLibrary() {
  return new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("script"), { src: library, onload: resolve, onerror: reject }));
  });
}

async function drawAll() {
  if (document.querySelector("[data-chart]")) await (fetched ??= fetchLibrary());
  for (const place of charts.keys()) {
    if (!place.isConnected) {
      charts.get(place).dispose();
      charts.delete(place);
    }
  }
  for (const place of document.querySelectorAll("[data-chart]")) draw(place);
}

drawAll();
document.addEventListener("baton:theme", drawAll);
document.addEventListener("htmx:afterSettle", drawAll);
addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
