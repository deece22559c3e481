/* The one ECharts wrapper. A page writes <div data-chart="ID" role="img" aria-label="..."> and its data with
   json_script: {kind: "line" | "bar" | "stacked", labels: [...], series: [{name, values, dashedFrom?, outline?}],
   unit?, min?, max?, threshold?: {value, label}}. Canvas and richText keep the content security policy as it is. */

const charts = new Map();
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
  const chart = charts.get(place) ?? echarts.init(place, null, { renderer: "canvas" });
  charts.set(place, chart);
  chart.setOption({ ...frame(data), series: data.series.flatMap((one, at) => KINDS[data.kind](one, at, data)) }, true);
}

function frame(data) {
  const text = { color: token("--ink3"), fontFamily: "system-ui, sans-serif", fontSize: 11 };
  return {
    animation: false,
    aria: { enabled: false },
    grid: { left: 4, right: data.threshold ? 72 : 12, top: data.series.length > 1 ? 30 : 14, bottom: 4, containLabel: true },
    legend: { show: data.series.length > 1, top: 0, right: 0, icon: "roundRect", itemWidth: 11, itemHeight: 9, textStyle: text },
    textStyle: text,
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: token("--surface"),
      borderColor: token("--line2"),
      textStyle: { ...text, color: token("--ink"), fontSize: 12 },
      valueFormatter: (value) => (value == null ? "–" : `${value}${data.unit ? ` ${data.unit}` : ""}`),
    },
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
    itemStyle: { color: token(one.state ? `--${one.state}-line` : STEPS[stepOf(at, data.series.length)]), borderColor: token("--surface"), borderWidth: 1 },
  }],
};

const stepOf = (at, count) => (count === 1 ? 3 : Math.round((at * 3) / (count - 1)));

function lineSeries(one, data, at, values, type) {
  const colour = token(at === 0 ? "--series" : "--ink3");
  return {
    name: one.name,
    type: "line",
    data: values,
    showSymbol: values.filter((value) => value != null).length === 1,
    symbolSize: 6,
    lineStyle: { color: colour, type: at === 0 ? type : "dashed", width: at === 0 ? 2 : 1.5 },
    itemStyle: { color: colour },
    markLine: at === 0 && type === "solid" && data.threshold ? thresholdLine(data.threshold) : undefined,
  };
}

const thresholdLine = ({ value, label }) => ({
  silent: true,
  symbol: "none",
  lineStyle: { color: token("--ink3"), type: "dashed", width: 1 },
  label: { formatter: label, color: token("--ink2"), fontSize: 11, position: "end" },
  data: [{ yAxis: value }],
});

function drawAll() {
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
