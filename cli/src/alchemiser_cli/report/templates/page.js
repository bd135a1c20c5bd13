"use strict";
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const touch = matchMedia("(pointer: coarse)").matches;
  const font = getComputedStyle(document.body).fontFamily;
  const charts = [];

  const axis = (own) => ({ automargin: true, showline: false, ticks: "", ticklabelstandoff: 6, zeroline: false, ...own });

  const layoutOf = (own) => {
    const layout = {
      font: { family: font, size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 8, r: 12, t: 8, b: 8 },
      showlegend: false,
      dragmode: touch ? false : "zoom",
      hoverlabel: { namelength: -1 },
      ...own,
    };
    layout.xaxis = axis({ type: "date", hoverformat: "%a, %Y-%m-%d", showgrid: false, ...own.xaxis });
    layout.yaxis = axis(own.yaxis);
    if (own.yaxis2) layout.yaxis2 = axis(own.yaxis2);
    return layout;
  };

  // One label names what a day holds, the top layer first; plotly's own would name every layer, the empty ones too.
  const holdings = (layers) => {
    const texts = layers[0].x.map((_, day) =>
      layers
        .filter((layer) => layer.y[day] > 0)
        .map((layer) => `<span style="color:${layer.fillcolor}">■</span> ${layer.name} ${(100 * layer.y[day]).toFixed(1)}%`)
        .reverse()
        .join("<br>"),
    );
    const line = { color: "rgba(0,0,0,0)", width: 0 };
    const hovertemplate = "%{text}<extra></extra>";
    return { type: "scatter", mode: "lines", x: layers[0].x, y: texts.map(() => 0.5), text: texts, line, hovertemplate };
  };

  const draw = ([key, figure]) => {
    const place = document.getElementById(key);
    const traces = figure.traces.map((trace) => ("x" in trace ? trace : { ...trace, x: page.days }));
    const layers = traces.filter((trace) => trace.stackgroup);
    if (layers.length > 0) traces.push(holdings(layers));
    place.textContent = "";
    charts.push(place);
    return Plotly.newPlot(place, traces, layoutOf(figure.layout), { responsive: true, displayModeBar: false });
  };

  for (const button of document.querySelectorAll("[data-scale]")) {
    button.addEventListener("click", () => {
      for (const other of button.parentElement.children) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      const scale = button.dataset.scale;
      const values = page.figures[button.dataset.figure].traces[0].y;
      const wide = Math.max(...values) / Math.min(...values) > 5;
      const change = { "yaxis.type": scale, "yaxis.autorange": true, "yaxis.dtick": scale === "log" && wide ? "D2" : null };
      Plotly.relayout(document.getElementById(button.dataset.figure), change);
    });
  }

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
      head.querySelector("button").addEventListener("click", () => {
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

  // Paper has its own width, and a printer does not wait for a resize event.
  addEventListener("beforeprint", () => {
    for (const place of charts) {
      const half = place.closest(".pair") !== null;
      Plotly.relayout(place, { width: half ? 300 : 650, height: place.id === "equity" ? 310 : 230 });
    }
  });
  addEventListener("afterprint", () => {
    for (const place of charts) Plotly.relayout(place, { width: null, height: null, autosize: true });
  });

  Promise.all(Object.entries(page.figures).map(draw)).then(() => {
    document.documentElement.dataset.charts = String(charts.length);
  });
})();
