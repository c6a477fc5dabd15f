"use strict";
// The data of the page, drawn. What is chosen stays in the address.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const DAY = 86400;
const LINES = 8; // securities at a time
const DASHES = [[], [6, 3], [2, 3], [10, 4, 2, 4]];
const HUES = ["--blue", "--orange", "--purple", "--teal", "--grey"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const element = (name, text = "") => Object.assign(document.createElement(name), { textContent: text });
const isoDay = (day) => new Date(day * DAY * 1000).toISOString().slice(0, 10);
const dayOf = (text) => Math.round(Date.parse(text) / 1000 / DAY);

// Lists hold differences; places are runs of lines.
const sums = (list) => { let sum = 0; return list.map((step) => (sum += step)); };
const unfold = (series, scale) => ({
  ...series, days: sums(series.days), values: (series.values || sums(series.closes)).map((v) => v === null ? null : v / scale),
});
const placeOf = (series, at) => {
  if (!series.places) return "";
  for (const [count, file, line, step] of series.places) {
    if (at < count) return data.files[file] && `line ${line + at * step} of ${data.files[file]}`;
    at -= count;
  }
  return "";
};
const indices = data.indices.map((s) => unfold(s, 100));
const securities = data.securities.map((s) => unfold(s, 1000));
const others = Object.fromEntries(["turnover", "breadth", "connect"].map((k) => [k, data[k].map((s) => unfold(s, 100))]));
const bySymbol = new Map(securities.map((s) => [s.symbol, s]));
const lastDay = dayOf(data.clock);

// What is chosen, in the address.
const state = { range: "1y", from: "", to: "", region: "", index: (indices[0] || {}).symbol, securities: "", area: "4" };
const readAddress = () => Object.assign(state, Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
const writeAddress = () => {
  const chosen = Object.entries(state).filter(([, value]) => value);
  history.replaceState(null, "", location.href.split("#")[0] + "#" + new URLSearchParams(chosen));
};
const span = () => {
  const end = state.to ? dayOf(state.to) : lastDay;
  if (state.from) return [dayOf(state.from), end];
  const months = { "1m": 1, "3m": 3, "6m": 6, "1y": 12, "5y": 60 }[state.range];
  const day = new Date(end * DAY * 1000);
  if (state.range === "ytd") return [dayOf(`${day.getUTCFullYear() - 1}-12-31`), end];
  if (!months) return [0, end];
  day.setUTCMonth(day.getUTCMonth() - months);
  return [Math.round(day / 1000 / DAY), end];
};
const inRegion = (row) => !state.region || row.region === state.region;
const market = { XHKG: "hong_kong", XSHG: "mainland", XSHE: "mainland" };
const placeNames = { XHKG: "Hong Kong", XSHG: "Shanghai", XSHE: "Shenzhen", ...data.regions };

// Charts
const charts = new Map();
const say = (text) => { byId("place").textContent = text; };
const inSpan = (series, [from, to]) => {
  const at = series.days.map((_, i) => i).filter((i) => series.days[i] >= from && series.days[i] <= to);
  return { series, at };
};
const draw = (id, list, { rebased = false, unit = "", name = (s) => s.name } = {}) => {
  const box = byId(id);
  charts.get(id)?.destroy();
  charts.delete(id);
  box.replaceChildren();
  const parts = list.map((s) => inSpan(s, span())).filter((p) => p.at.length > 1);
  if (!parts.length) return void box.append(Object.assign(element("p", "The release has nothing of this range and region."), { className: "empty" }));
  const days = [...new Set(parts.flatMap(({ series, at }) => at.map((i) => series.days[i])))].sort((a, b) => a - b);
  const columns = parts.map(({ series, at }) => {
    const base = rebased ? series.values[at.find((i) => series.values[i] !== null)] / 100 : 1;
    const of = new Map(at.map((i) => [series.days[i], series.values[i] === null ? null : series.values[i] / base]));
    return days.map((day) => of.get(day) ?? null);
  });
  const show = (at) => {
    if (at == null) return;
    const told = parts.map(({ series }, n) => {
      const own = series.days.indexOf(days[at]);
      const place = own >= 0 ? placeOf(series, own) : "";
      return columns[n][at] === null ? "" : `${name(series)} ${(rebased ? series.values[own] : columns[n][at]).toLocaleString("en")}${unit}${place ? ", " + place : ""}`;
    });
    say(`${isoDay(days[at])}: ${told.filter(Boolean).join("; ")}`);
  };
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { stroke: colour("--rule") } };
  const chart = new uPlot({
    width: box.clientWidth, height: 260, tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "UTC"),
    cursor: { drag: { x: false, y: false } },
    series: [{ label: "Day", value: (_, v) => v == null ? "–" : isoDay(v / DAY) }, ...parts.map(({ series }, n) => ({
      label: name(series), stroke: colour(HUES[n % HUES.length]), dash: DASHES[Math.floor(n / HUES.length) % DASHES.length], width: 1.5, spanGaps: true,
      value: (_, v) => v == null ? "–" : v.toLocaleString("en", { maximumFractionDigits: 2 }) + unit,
    }))],
    axes: [axis, { ...axis, size: 60 }],
    hooks: { setCursor: [(u) => show(u.cursor.idx)] },
  }, [days.map((day) => day * DAY), ...columns], box);
  charts.set(id, chart);
  box.tabIndex = 0;
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", `${parts.map(({ series }) => name(series)).join(", ")}, ${isoDay(days[0])} to ${isoDay(days.at(-1))}`);
  let at = days.length - 1;
  box.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -1e9, End: 1e9 }[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.min(days.length - 1, Math.max(0, at + step));
    chart.setCursor({ left: chart.valToPos(days[at] * DAY, "x"), top: 10 });
    show(at);
  };
};
const drawIndex = () => {
  const one = indices.find((s) => s.symbol === state.index) || indices[0];
  if (!one) return draw("one", []);
  draw("one", [one]);
  let highest = -Infinity;
  const records = one.days.filter((_, i) => one.values[i] > highest && (highest = one.values[i], i > 0));
  const [from, to] = span();
  const within = records.filter((day) => day >= from && day <= to);
  byId("records").textContent = within.length
    ? `Record closes in the range, of the history since ${isoDay(one.days[0])}: ${within.length}, the last on ${isoDay(within.at(-1))}.`
    : `No record close in the range, of the history since ${isoDay(one.days[0])}.`;
};
const drawSecurities = () => {
  const chosen = state.securities.split(" ").filter((s) => bySymbol.has(s)).slice(0, LINES);
  byId("chosen").replaceChildren(...chosen.map((symbol) => {
    const item = element("li");
    const button = element("button", `${symbol} ${bySymbol.get(symbol).name} ×`);
    button.setAttribute("aria-label", `Remove ${symbol}`);
    button.onclick = () => { state.securities = chosen.filter((s) => s !== symbol).join(" "); update(); };
    item.append(button);
    return item;
  }));
  const shown = chosen.length ? chosen : securities.filter(inRegion).slice(0, 3).map((s) => s.symbol);
  draw("securities", shown.map((symbol) => bySymbol.get(symbol)), { rebased: true, name: (s) => s.name || s.symbol });
};

// Sectors: a canvas a region, a row a sector, a column a session.
const shade = (hundredths, most) => {
  if (hundredths === null) return colour("--tint");
  const side = hundredths >= 0 ? "--up" : "--down";
  const part = Math.round(Math.min(1, Math.abs(hundredths) / most) * 85);
  return `color-mix(in srgb, ${colour(side)} ${part}%, ${colour("--paper")})`;
};
const percent = (hundredths) => `${hundredths > 0 ? "+" : ""}${(hundredths / 100).toFixed(2)} %`;
const drawSectors = () => {
  const [from, to] = span();
  byId("sectors").replaceChildren(...data.sectors.filter(inRegion).filter((r) => r.rows.length).map((region) => {
    const days = sums(region.days);
    const at = days.map((_, i) => i).filter((i) => days[i] >= from && days[i] <= to);
    const box = Object.assign(element("div"), { className: "heat", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Sectors of ${placeNames[region.region]}`);
    const left = 190, high = 17, wide = Math.max(6, Math.floor((byId("sectors").clientWidth - left) / Math.max(1, at.length)));
    const canvas = element("canvas"), ratio = window.devicePixelRatio || 1;
    const width = left + wide * at.length, height = high * region.rows.length;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    region.rows.forEach((row, y) => {
      pen.fillStyle = colour("--ink");
      pen.fillText(row.name, 0, y * high + high / 2, left - 8);
      at.forEach((i, x) => {
        pen.fillStyle = shade(row.changes[i], 400);
        pen.fillRect(left + x * wide, y * high, wide - 1, high - 1);
      });
    });
    let spot = [0, at.length - 1];
    const tell = () => {
      const row = region.rows[spot[0]], i = at[spot[1]];
      if (row && i !== undefined && row.changes[i] !== null) say(`${isoDay(days[i])}: ${row.name} of ${placeNames[region.region]} ${percent(row.changes[i])}; select * from sector_performance where region = '${region.region}' and trade_date = '${isoDay(days[i])}'`);
    };
    canvas.onpointermove = (e) => { spot = [Math.floor(e.offsetY / high), Math.floor((e.offsetX - left) / wide)]; tell(); };
    box.onkeydown = (e) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
      if (!move) return;
      e.preventDefault();
      spot = [Math.min(region.rows.length - 1, Math.max(0, spot[0] + move[0])), Math.min(at.length - 1, Math.max(0, spot[1] + move[1]))];
      tell();
    };
    box.append(element("h3", `${placeNames[region.region]}, up to ${at.length ? isoDay(days[at.at(-1)]) : "–"}`), canvas);
    return box;
  }));
};

// The last session as areas: rows of rectangles as square as they can be.
const squares = (items, x, y, width, height) => {
  const placed = [];
  let rest = items.filter((i) => i.size > 0).sort((a, b) => b.size - a.size);
  let total = rest.reduce((sum, i) => sum + i.size, 0);
  while (rest.length && width > 0.5 && height > 0.5) {
    const short = Math.min(width, height), area = width * height / total;
    let count = 0, sum = 0, best = Infinity;
    while (count < rest.length) {
      const next = sum + rest[count].size, side = next * area / short;
      const worst = Math.max(...[rest[0], rest[count]].map((i) => { const other = i.size * area / side; return Math.max(side / other, other / side); }));
      if (worst > best) break;
      [best, sum, count] = [worst, next, count + 1];
    }
    const side = sum * area / short;
    let along = 0;
    for (const item of rest.slice(0, count)) {
      const length = item.size * area / side;
      placed.push(width >= height ? { item, x, y: y + along, width: side, height: length } : { item, x: x + along, y, width: length, height: side });
      along += length;
    }
    if (width >= height) { x += side; width -= side; } else { y += side; height -= side; }
    rest = rest.slice(count);
    total -= sum;
  }
  return placed;
};
const SVG = "http://www.w3.org/2000/svg";
const drawMap = () => {
  byId("map").replaceChildren(...data.map.filter(inRegion).filter((r) => r.rows.length).map((region) => {
    const box = element("div");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 1000 460");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `Securities of ${placeNames[region.region]} on ${region.day}`);
    const sectors = new Map();
    const hasSize = region.rows.some((row) => row[+state.area]);
    for (const row of region.rows) {
      if (!sectors.has(row[2])) sectors.set(row[2], { size: 0, rows: [] });
      const sector = sectors.get(row[2]), size = hasSize ? row[+state.area] || 0 : 1;
      sector.size += size;
      sector.rows.push({ size, row });
    }
    for (const { item, ...area } of squares([...sectors.values()], 0, 0, 1000, 460)) {
      for (const { item: { row }, x, y, width, height } of squares(item.rows, area.x, area.y, area.width, area.height)) {
        const rect = document.createElementNS(SVG, "rect");
        for (const [key, value] of Object.entries({ x, y, width, height })) rect.setAttribute(key, value.toFixed(1));
        rect.setAttribute("fill", `color-mix(in srgb, ${row[3] === 0 ? "var(--flat)" : row[3] > 0 ? "var(--up)" : "var(--down)"} ${40 + Math.min(60, Math.abs(row[3]) / 10)}%, #333)`);
        const title = document.createElementNS(SVG, "title");
        title.textContent = `${row[1]} (${row[0]}), ${row[2]}: ${percent(row[3])}`;
        rect.append(title);
        rect.onpointerenter = () => say(`${title.textContent}; select * from security_performance where symbol = '${row[0]}' and trade_date = '${region.day}'`);
        rect.onclick = () => add(row[0]);
        svg.append(rect);
        if (width > 60 && height > 18) {
          const text = document.createElementNS(SVG, "text");
          text.setAttribute("x", x + 4);
          text.setAttribute("y", y + 13);
          text.textContent = row[1].slice(0, Math.floor(width / 6.5));
          svg.append(text);
        }
      }
    }
    box.append(element("h3", `${placeNames[region.region]}, ${region.day}${hasSize ? "" : "; all alike, as no file has what the area should be"}`), svg);
    return box;
  }));
};

// Controls
const settings = byId("settings");
const add = (words) => {
  const wanted = words.trim().toLowerCase();
  const found = bySymbol.get(words.trim()) || securities.find((s) => `${s.symbol} ${s.name}`.toLowerCase().includes(wanted));
  const output = document.querySelector("#search output");
  if (!wanted || !found) {
    output.value = wanted ? "Not among the most traded: see the query below." : "";
    byId("query").textContent = `select trade_date, close, close_adjusted from security_performance where symbol = '${words.trim() || "…"}'`;
    return;
  }
  output.value = "";
  state.securities = [...new Set([...state.securities.split(" ").filter(Boolean), found.symbol])].slice(-LINES).join(" ");
  update();
};
const update = () => {
  writeAddress();
  for (const input of settings.elements) {
    if (input.type === "radio") input.checked = !(input.name === "range" && state.from) && state[input.name] === input.value;
    else if (input.name) input.value = state[input.name];
  }
  byId("index").value = state.index;
  byId("area").value = state.area;
  const ofMarket = (s) => !state.region || market[s.name] === state.region;
  draw("indices", indices.filter(inRegion), { rebased: true });
  drawIndex();
  drawSecurities();
  drawSectors();
  drawMap();
  draw("turnover", others.turnover.filter((s) => !state.region || s.name === state.region), { name: (s) => placeNames[s.name] || s.name });
  draw("breadth", others.breadth.filter(ofMarket), { unit: " %", name: (s) => placeNames[s.name] });
  draw("connect", others.connect);
};
settings.addEventListener("change", ({ target }) => {
  if (target.name === "range") Object.assign(state, { from: "", to: "" });
  state[target.name] = target.value;
  update();
});
byId("index").append(...indices.map((s) => Object.assign(element("option", s.name), { value: s.symbol })));
byId("index").onchange = ({ target }) => { state.index = target.value; update(); };
byId("area").onchange = ({ target }) => { state.area = target.value; update(); };
byId("names").append(...securities.map((s) => Object.assign(element("option"), { value: `${s.symbol} ${s.name}` })));
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = event.target.querySelector("input");
  add(bySymbol.has(input.value.split(" ")[0]) ? input.value.split(" ")[0] : input.value);
  input.value = "";
});
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
byId("made").textContent = `Release ${data.release}, up to ${data.clock}.`;
addEventListener("hashchange", () => { readAddress(); update(); });
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; update(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
readAddress();
update();
document.documentElement.dataset.drawn = Math.round(performance.now());
