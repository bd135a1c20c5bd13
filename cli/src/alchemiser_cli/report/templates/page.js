"use strict";
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const touch = matchMedia("(pointer: coarse)").matches;
  const EDGE = 14; // pixels to the right of every chart
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const seconds = page.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const charts = new Map(); // key: what is drawn, where and how

  const property = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = (token, alpha = 100) =>
    alpha === 100 ? property(`--c-${token}`) : `color-mix(in srgb, ${property(`--c-${token}`)} ${alpha}%, ${property("--card")})`;

  // Numbers as the page's HTML writes them: the unit beside each, a true minus.
  const plain = (value, options) => value.toLocaleString("en-US", options).replace("-", "\u2212");
  const DIGITS = [0, 1, 2].map((count) => ({ minimumFractionDigits: count, maximumFractionDigits: count }));
  const COUNTED = ["legs", "orders"];
  const units = {
    "USD": ["$", 1, ""], "%": ["", 100, "%"], "bp": ["", 1, " bp"], "legs": ["", 1, ""], "orders": ["", 1, ""], "ratio": ["", 1, ""],
    "\u00d7 start": ["", 1, "\u00d7"],
  };
  const written = (value, unit, options = DIGITS[COUNTED.includes(unit) ? 0 : 2]) => {
    const [before, factor, after] = units[unit];
    const text = plain(value * factor, options);
    return `${text.startsWith("\u2212") ? "\u2212" : ""}${before}${text.replace("\u2212", "")}${after}`;
  };
  const tick = (unit) => (plot, splits) =>
    splits.map((value) => (value === null ? "" : written(value, unit, { maximumSignificantDigits: 6 })));

  const weekday = (time) => new Date(time * 1000).toLocaleDateString("en-US", { weekday: "short", timeZone: "UTC" });

  // An axis of days is marked on sessions only: every so many, or the first of every so many months or years.
  const firstOf = (length, every) => (day, at, days) =>
    at > 0 && day.slice(0, length) !== days[at - 1].slice(0, length) &&
    Number(length === 4 ? day.slice(0, 4) : day.slice(5, 7) - 1) % every === 0;
  const marks = [
    ...[1, 2, 5, 10].map((every) => [10, (day, at) => at % every === 0]),
    ...[1, 3, 6].map((every) => [7, firstOf(7, every)]),
    ...[1, 2, 5, 10, 20].map((every) => [4, firstOf(4, every)]),
  ];
  const dayMarks = (chart) => (plot, axis, low, high) => {
    const width = chart.place.clientWidth - margin - 2 * EDGE;
    for (const [length, marked] of marks) {
      const label = measure.measureText("0".repeat(length)).width;
      const fits = (time) => ((high - time) / (high - low)) * width + EDGE >= label / 2;
      const found = seconds.filter((time, at) => time >= low && time <= high && marked(page.days[at], at, page.days));
      if (found.length >= 2 && found.length * (label + 18) <= width) {
        chart.dateLength = length;
        return found.filter(fits);
      }
    }
    chart.dateLength = 10;
    return seconds.filter((time) => time >= low && time <= high).slice(0, 1);
  };

  // An axis in log scale: round numbers, as many of them as make it readable.
  const logSplits = (plot, axis, low, high) => {
    for (const steps of [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]]) {
      const found = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
        for (const step of steps) {
          const value = Number(`${step}e${power}`);
          if (value >= low && value <= high) found.push(value);
        }
      if (found.length >= 4) return found;
    }
    const rough = (high - low) / 4;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= rough);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Number(value.toPrecision(12)));
    return found;
  };

  const overDays = (figure) => figure.places.length === 0;
  const measure = document.createElement("canvas").getContext("2d");
  measure.font = font;

  // Charts over the page's days have one left margin: the widest that any of them needs.
  let margin = 0;
  const widest = (figure) => (plot, texts) => {
    const own = Math.ceil(Math.max(0, ...(texts ?? []).map((text) => measure.measureText(text).width))) + 14;
    if (!overDays(figure)) return own;
    if (own > margin) {
      margin = own;
      queueMicrotask(() => {
        for (const each of charts.values()) if (overDays(each.figure) && each.plot !== plot) each.plot?.redraw(false, true);
      });
    }
    return margin;
  };

  // What is drawn of a series: layers are stacked, the highest sum first, so that each lower one covers its part.
  const stacked = (figure) => {
    const sums = figure.series[0].values.map((value) => (value === null ? null : 0));
    return figure.series.map((series) => series.values.map((value, at) => (value === null ? null : (sums[at] += value)))).reverse();
  };
  const order = (figure) => (figure.kind === "layers" ? [...figure.series].reverse() : figure.series);
  const drawn = (figure) => (figure.kind === "layers" ? stacked(figure) : figure.series.map((series) => series.values));

  const seriesOf = (chart) =>
    order(chart.figure).map((series, at) => {
      const { kind } = chart.figure;
      const narrow = chart.place.clientWidth / series.values.length < 3; // lines between layers would hide them
      const faded = () => chart.lit !== null && chart.lit !== chart.figure.series.length - 1 - at;
      if (kind === "layers") {
        return {
          label: series.name, points: { show: false }, width: narrow ? 0 : 1, paths: uPlot.paths.stepped({ align: 1 }),
          stroke: () => property("--card"), fill: () => colour(series.colour, faded() ? 22 : 100), fillTo: 0,
        };
      }
      if (kind === "bars") {
        return {
          label: series.name, points: { show: false }, width: 0, paths: uPlot.paths.bars({ size: [0.88, 100] }),
          stroke: () => colour(series.colour), fill: () => colour(series.colour), fillTo: 0,
        };
      }
      const line = { label: series.name, points: { show: false }, width: 1.8, stroke: () => colour(series.colour) };
      if (series.dashed) line.dash = [6, 4];
      return series.filled ? { ...line, fill: () => colour(series.colour, 25), fillTo: 0 } : line;
    });

  const yRange = (chart) => (plot, low, high) => {
    if (!Number.isFinite(low)) return chart.scale === "log" ? [1, 10] : [0, 1]; // nothing to draw
    if (chart.scale === "log") {
      const room = Math.max((high / low) ** 0.05, 1.01);
      return [low / room, high * room];
    }
    const [least, most] = chart.figure.bounds;
    const room = (Math.max(most ?? high, high) - Math.min(least ?? low, low) || Math.abs(high) || 1) * 0.06;
    return [least ?? low - room, most ?? high + room];
  };

  const xRange = (figure) => (plot, low, high) => {
    const places = figure.places;
    if (figure.kind === "bars") {
      const width = overDays(figure) ? 86400 : places.length > 1 ? places[1] - places[0] : 1;
      return [low - width / 2, high + width / 2];
    }
    return low === high ? [low - 86400, high + 86400] : [low, high]; // of a single day, or of none (null)
  };

  const spans = (texts) => texts.map((text) => Object.assign(document.createElement("span"), { textContent: text }));

  // What the place that is pointed at holds, or the last one: the same words for eyes and for a screen reader.
  const reading = ({ figure }, at) => {
    const where = overDays(figure) ? `${page.days[at]} ${weekday(seconds[at])}` : figure.labels[at];
    const stack = figure.kind === "layers";
    const held = (stack ? order(figure) : figure.series).filter((series) => series.values[at] !== null && !(stack && series.values[at] === 0));
    return [where, ...held.map((series) => `${series.name} ${written(series.values[at], figure.y.unit, stack ? DIGITS[1] : undefined)}${COUNTED.includes(figure.y.unit) ? ` ${figure.y.unit}` : ""}`)];
  };
  const show = (chart) => {
    const count = chart.plot.data[0].length;
    if (count === 0) return;
    const at = chart.plot.cursor.idx ?? count - 1;
    const words = reading(chart, at);
    const quiet = chart.plot.cursor.idx == null && !overDays(chart.figure);
    document.getElementById(`${chart.key}-readout`).replaceChildren(...spans(quiet ? [] : words));
    chart.place.setAttribute("aria-valuenow", at);
    chart.place.setAttribute("aria-valuetext", words.join(", "));
  };

  const axis = (own) => ({
    font, labelFont: font, labelSize: 18, stroke: () => property("--soft"), ticks: { show: false },
    border: { show: false }, ...own,
  });

  const options = (chart) => {
    const { figure, place } = chart;
    const log = chart.scale === "log";
    const grid = { stroke: () => property("--grid"), width: 1 };
    const y = axis({ scale: "y", label: figure.y.text, size: widest(figure), values: tick(figure.y.unit), grid, space: 34 });
    if (COUNTED.includes(figure.y.unit)) y.incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
    if (log) Object.assign(y, { splits: logSplits, filter: (plot, splits) => splits });
    const x = overDays(figure)
      ? axis({
          label: figure.x.text, size: 26, grid: { show: false }, splits: dayMarks(chart),
          values: (plot, splits) => splits.map((time) => page.days[seconds.indexOf(time)].slice(0, chart.dateLength)),
        })
      : axis({ label: figure.x.text, values: tick(figure.x.unit), space: 60, size: 26, grid: { show: false } });
    return {
      width: place.clientWidth, height: place.clientHeight, padding: [10, EDGE, 0, 0], legend: { show: false },
      tzDate: (time) => new Date(time * 1000 + new Date(time * 1000).getTimezoneOffset() * 60000),
      scales: { x: { time: overDays(figure), range: xRange(figure) }, y: { distr: log ? 3 : 1, range: yRange(chart) } },
      axes: [x, y],
      series: [{}, ...seriesOf(chart)],
      cursor: {
        y: false, drag: { x: !touch, y: false, setScale: true }, points: { show: figure.kind === "lines" },
        ...(overDays(figure) ? { sync: { key: "days", setSeries: false, scales: ["x", null] } } : {}),
      },
      hooks: { setCursor: [() => chart.plot && show(chart)] },
    };
  };

  const draw = (chart) => {
    const kept = chart.plot && { min: chart.plot.scales.x.min, max: chart.plot.scales.x.max };
    chart.plot?.destroy();
    chart.place.textContent = "";
    const xs = overDays(chart.figure) ? seconds : chart.figure.places;
    chart.plot = new uPlot(options(chart), [xs, ...drawn(chart.figure)], chart.place);
    if (kept) chart.plot.setScale("x", kept);
    chart.place.plot = chart.plot;
    show(chart);
  };

  // The arrow keys point as a mouse does, and every chart over the days follows.
  const point = (chart, at) => {
    const followers = overDays(chart.figure) ? [...charts.values()].filter((each) => overDays(each.figure)) : [chart];
    for (const each of followers) {
      const left = at === null ? -10 : each.plot.valToPos(each.plot.data[0][at], "x");
      each.plot.setCursor({ left, top: at === null ? -10 : each.plot.over.clientHeight / 2 });
    }
  };
  const onKey = (chart) => (event) => {
    const last = chart.plot.data[0].length - 1;
    if (last < 0) return;
    const at = chart.plot.cursor.idx ?? last;
    const step = event.shiftKey ? 21 : 1;
    const to = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: last, Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(chart, to === null ? null : Math.min(last, Math.max(0, to)));
  };

  const begin = ([key, figure]) => {
    const place = document.getElementById(key);
    const chart = { key, place, figure, scale: figure.scale, lit: null, plot: null, dateLength: 10 };
    charts.set(key, chart);
    draw(chart);
    place.tabIndex = 0;
    const state = { role: "slider", "aria-valuemin": 0, "aria-valuemax": chart.plot.data[0].length - 1, "aria-orientation": "horizontal" };
    for (const [name, value] of Object.entries(state)) place.setAttribute(name, value);
    place.addEventListener("keydown", onKey(chart));
    new ResizeObserver(() => {
      if (place.clientWidth !== chart.plot.width) chart.plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    }).observe(place);
  };

  const press = (buttons, chosen) => buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === chosen)));

  for (const button of document.querySelectorAll("[data-scale]")) {
    button.addEventListener("click", () => {
      press([...button.parentElement.children], button);
      const chart = charts.get(button.dataset.figure);
      chart.scale = button.dataset.scale;
      draw(chart);
    });
  }

  for (const button of document.querySelectorAll("[data-lit]")) {
    button.addEventListener("click", () => {
      const chart = charts.get(button.dataset.figure);
      const at = Number(button.dataset.lit);
      chart.lit = chart.lit === at ? null : at;
      press([...button.closest(".legend").querySelectorAll("button")], chart.lit === null ? null : button);
      chart.plot.redraw(false);
    });
  }

  // A link to what stands in a closed part opens it, in browsers that do not by themselves.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const closed = target && target.closest("details:not([open])");
    if (!closed) return;
    closed.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // Cells sort by data-v where they have it, else by their text; what is empty stays last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    const number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, column), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          return down ? compare(b, a) : compare(a, b);
        });
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  const redraw = () => {
    for (const { plot } of charts.values()) plot.redraw(false);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // Paper has its own width and no dark, and a printer does not wait for a resize event.
  addEventListener("beforeprint", () => {
    root.dataset.scheme = "print";
    for (const { place, plot } of charts.values()) {
      plot.setSize({ width: place.closest(".pair") ? 300 : 650, height: place.id === "drawdown" ? 170 : 230 });
    }
    redraw();
  });
  addEventListener("afterprint", () => {
    delete root.dataset.scheme;
    for (const { place, plot } of charts.values()) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    redraw();
  });

  Object.entries(page.figures).forEach(begin);
  reveal();
  root.dataset.charts = String(charts.size);
})();
