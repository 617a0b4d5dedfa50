"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const T = D.texts;
const $ = (id) => document.getElementById(id);

/* Elements. Text from the capture only ever becomes text. */
const make = (space) => (tag, set, ...inside) => {
  const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(set || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...inside.flat().filter((i) => i !== null && i !== undefined && i !== false));
  return node;
};
const el = make();
const sv = make("http://www.w3.org/2000/svg");

/* Quantities, three figures of each. */
const figures = (value, unit) => {
  const places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  let text = value.toFixed(places);
  if (text.includes(".")) text = text.replace(/0+$/, "").replace(/\.$/, "");
  return `${text} ${unit}`;
};
const scaled = (value, units) => {
  let i = 0;
  while (Math.abs(value) >= 999.5 && i < units.length - 1) { value /= 1000; i += 1; }
  return value < 0 ? `−${figures(-value, units[i])}` : figures(value, units[i]);
};
const time = (ns) => scaled(ns, ["ns", "µs", "ms", "s"]);
const size = (n) => scaled(n, ["B", "kB", "MB", "GB", "TB"]);
const rate = (n) => scaled(n * 8, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const fill = (text, n) => text.replace("{n}", count(n));
const both = (pair) => pair[0] + pair[1];
const ends = D.endings.map((name) => T.outcome[name]);
const byStream = new Map(D.rows.map((row) => [row.stream, row]));
const tag = (level) => el("span", { class: `tag s${level}` }, T.severity[level]);
const dot = (kind) => el("span", { class: `dot o${kind}` });

/* ---- The head ---- */
const begun = () => {
  const ms = Number(BigInt(D.first_ns) / 1000000n);
  if (D.first_ns === "0" || !Number.isFinite(ms)) return "";
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("T", " ").replace("Z", " UTC");
};
const head = () => {
  const theme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };
  const parts = [
    begun(), time(D.time), `${count(D.frames)} ${T.packets.toLowerCase()}`, size(D.frame_bytes),
    `${count(D.connections)} ${(D.connections === 1 ? T.connection : T.connections).toLowerCase()}`,
  ];
  $("top").replaceChildren(el("div", { class: "head" },
    el("div", null,
      el("h1", null, `${T.report} `, el("span", { class: "file" }, D.name)),
      el("p", { class: "sub" }, parts.filter(Boolean).join(" · "))),
    el("button", { type: "button", onclick: theme, "aria-label": T.theme, title: T.theme }, "◐")));
};

/* ---- Overview ---- */
const shown = { text: "", ending: null, rule: null, sort: "stream", down: false, rows: 100 };
const overview = () => {
  const total = Math.max(1, both([0, D.counts.reduce((a, b) => a + b, 0)]));
  const bar = el("div", { class: "bar", "aria-hidden": "true" }, D.counts.map((n, i) => {
    if (!n) return null;
    const part = el("span", { class: `o${i}` });
    part.style.flexGrow = String(n);
    return part;
  }));
  const legend = el("ul", { class: "legend" }, D.counts.map((n, i) => n > 0 && el("li", null,
    el("button", { type: "button", "aria-pressed": String(shown.ending === i), onclick: () => {
      shown.ending = shown.ending === i ? null : i;
      home();
      $("connections").scrollIntoView({ block: "start" });
    } }, dot(i), `${ends[i]} `, el("span", { class: "faint" },
      `${count(n)} · ${figures((100 * n) / total, "%")}`)))));
  return el("section", { class: "card", "aria-labelledby": "h-over" },
    el("h2", { id: "h-over" }, T.overview),
    el("div", { class: "pair" },
      el("div", null, el("h3", null, T.outcomes), bar, legend),
      el("div", null, el("h3", null, T.over_time), columns())));
};
const columns = () => {
  const { columns: all, width } = D.begun;
  const high = Math.max(1, ...all.map((c) => c.reduce((a, b) => a + b, 0)));
  const [w, h] = [520, 108];
  const each = (w - 4) / Math.max(1, all.length);
  const svg = sv("svg", { viewBox: `0 0 ${w} ${h + 18}`, role: "img", width: "100%",
    "aria-label": `${T.over_time}: ${count(D.connections)}, ${time(all.length * width)}` });
  all.forEach((column, i) => {
    let y = h;
    column.forEach((n, kind) => {
      if (!n) return;
      const tall = (n / high) * (h - 6);
      y -= tall;
      svg.append(sv("rect", { class: `o${kind}`, x: (2 + i * each).toFixed(2), y: y.toFixed(2),
        width: Math.max(0.6, each - (each > 3 ? 1 : 0)).toFixed(2), height: tall.toFixed(2) },
        sv("title", null, `${time(i * width)}: ${count(n)} ${ends[kind]}`)));
    });
  });
  svg.append(sv("path", { class: "grid", d: `M0 ${h}H${w}` }),
    sv("text", { class: "faint", x: 0, y: h + 15 }, "0"),
    sv("text", { class: "faint", x: w, y: h + 15, "text-anchor": "end" }, time(all.length * width)));
  return svg;
};

/* ---- Findings ---- */
const frames = (told) => told.frames.length
  ? `${T.frames} ${told.frames.map((n) => `#${n}`).join(", ")}` : "";
const findings = () => {
  const rules = new Map();
  const add = (told, row) => {
    if (!rules.has(told.rule)) rules.set(told.rule, []);
    rules.get(told.rule).push([told, row]);
  };
  D.general.forEach((told) => add(told, null));
  D.rows.forEach((row) => row.findings.forEach((told) => add(told, row)));
  const order = [...rules].sort(([a], [b]) =>
    D.rules[b].severity - D.rules[a].severity || D.rules[b].count - D.rules[a].count);
  const one = ([rule, list]) => {
    list.sort(([a], [b]) => b.severity - a.severity);
    const { count: n, severity } = D.rules[rule];
    const [first] = list[0];
    const some = list.slice(0, 12).map(([told, row]) => el("li", null,
      row ? el("a", { href: `#c${row.stream}` }, `${row.client} → ${row.server}`) : null,
      row ? ": " : "", told.text, " ", el("span", { class: "faint" }, frames(told))));
    const filter = list.some(([, row]) => row) && el("button", { type: "button", onclick: () => {
      shown.rule = rule;
      home();
      $("connections").scrollIntoView({ block: "start" });
    } }, `${T.connections}: ${count(n)}`);
    return el("li", null, el("details", null,
      el("summary", null, el("span", { class: "grow" }, first.text), n > 1 && el("span",
        { class: "faint" }, `× ${count(n)}`), tag(severity)),
      el("div", { class: "inner" }, el("p", null, `${T.advice}: ${first.advice}`),
        el("ul", null, some), filter)));
  };
  return el("section", { class: "card", "aria-labelledby": "h-find" },
    el("h2", { id: "h-find" }, T.findings),
    order.length ? el("ul", { class: "findings" }, order.map(one))
      : el("p", { class: "faint" }, T.nothing_found));
};

/* ---- The table ---- */
const COLUMNS = [
  ["stream", "#", (r) => r.stream, (r) => el("a", { href: `#c${r.stream}` }, String(r.stream)), "n"],
  ["client", T.client, (r) => r.client, (r) => r.client, "mono"],
  ["server", T.server, (r) => r.server, (r) => r.server, "mono"],
  ["start", T.start, (r) => r.start, (r) => time(r.start), "n"],
  ["duration", T.duration, (r) => r.duration, (r) => time(r.duration), "n"],
  ["packets", T.packets, (r) => both(r.packets), (r) => count(both(r.packets)), "n"],
  ["bytes", T.bytes, (r) => both(r.bytes), (r) => size(both(r.bytes)), "n"],
  ["rtt", T.round_trip, (r) => r.rtt ?? -1, (r) => (r.rtt === null ? "" : time(r.rtt)), "n"],
  ["resent", T.resent, (r) => both(r.resent), (r) => count(both(r.resent) || 0), "n"],
  ["verdict", T.verdict, (r) => `${2 - (r.severity ?? -1)}${r.verdict}`, (r) => [dot(r.ending), " ",
    r.verdict], "verdict"],
];
D.rows.forEach((row) => {
  row.text = [row.stream, row.client, row.server, row.verdict, ends[row.ending], row.conn_state,
    ...row.findings.map((told) => `${told.rule} ${told.text}`)].join(" ").toLowerCase();
});
const chosen = () => {
  const words = shown.text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = D.rows.filter((row) => words.every((word) => row.text.includes(word))
    && (shown.ending === null || row.ending === shown.ending)
    && (shown.rule === null || row.findings.some((told) => told.rule === shown.rule)));
  const key = COLUMNS.find(([name]) => name === shown.sort)[2];
  rows.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
    return (shown.down ? -order : order) || a.stream - b.stream;
  });
  return rows;
};
const fillTable = () => {
  const rows = chosen();
  const body = rows.slice(0, shown.rows).map((row) => el("tr", { onclick: (event) => {
    if (!event.target.closest("a") && !String(getSelection())) location.hash = `c${row.stream}`;
  } }, COLUMNS.map(([, , , cell, kind]) => el("td", { class: kind }, cell(row)))));
  $("rows").replaceChildren(...body);
  $("count").textContent = rows.length === D.rows.length
    ? count(rows.length) : `${count(rows.length)} / ${count(D.rows.length)}`;
  $("more").hidden = rows.length <= shown.rows;
  $("none").hidden = rows.length > 0;
  document.querySelectorAll("th").forEach((th) => {
    const is = th.dataset.key === shown.sort;
    th.setAttribute("aria-sort", is ? (shown.down ? "descending" : "ascending") : "none");
  });
};
const table = () => {
  const sort = (name) => {
    shown.down = shown.sort === name ? !shown.down : !["client", "server", "stream", "verdict",
      "start"].includes(name);
    shown.sort = name;
    fillTable();
  };
  const clear = (shown.rule !== null || shown.ending !== null) && el("button", { type: "button",
    onclick: () => { shown.rule = null; shown.ending = null; home(); } },
    `✕ ${shown.rule ?? ends[shown.ending]}`);
  const missing = D.connections - D.rows.length;
  return el("section", { class: "card", id: "connections", tabindex: "-1",
    "aria-labelledby": "h-conn" },
    el("h2", { id: "h-conn" }, T.connections, " ",
      el("span", { class: "faint", id: "count", role: "status" })),
    el("div", { class: "tools" },
      el("div", { class: "grow" }, el("input", { type: "search", id: "search", value: shown.text,
        placeholder: T.search, "aria-label": T.search, oninput: (event) => {
          shown.text = event.target.value;
          shown.rows = 100;
          fillTable();
        } })), clear),
    el("div", { class: "scroll" }, el("table", null,
      el("thead", null, el("tr", null, COLUMNS.map(([name, title, , , kind]) => el("th",
        { class: kind === "n" ? "n" : null, "data-key": name, scope: "col" },
        el("button", { type: "button", onclick: () => sort(name) }, title))))),
      el("tbody", { id: "rows" }))),
    el("p", { class: "faint", id: "none", hidden: true }, T.none_match),
    el("button", { type: "button", class: "more", id: "more", onclick: () => {
      shown.rows += 200;
      fillTable();
    } }, T.more),
    missing > 0 && el("p", { class: "note" }, fill(T.left_out, missing)));
};
const home = () => {
  document.title = `${T.report} ${D.name}`;
  $("main").replaceChildren(overview(), findings(), table());
  fillTable();
};

/* ---- Graphs ---- */
const ticks = (low, high, n) => {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / n));
  const step = [1, 2, 5, 10].find((s) => s * power >= span / n) * power;
  const list = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) list.push(v);
  return list;
};
/* What each graph draws: lines as [class, name, path], and points to be found by the pointer. */
const steps = (points, x, y, from, to) => {
  let [path, last] = ["", null];
  for (const [at, value] of points) {
    if (at < from) { last = [at, value]; continue; }
    if (!path && last) path = `M${x(last[0])} ${y(last[1])}`;
    path += path ? `H${x(at)}V${y(value)}` : `M${x(at)} ${y(value)}`;
    last = [at, value];
    if (at > to) break;
  }
  if (!path && last) path = `M${x(last[0])} ${y(last[1])}H${x(to)}`;
  return path;
};
const groups = (flat, n) => {
  const list = [];
  for (let i = 0; i < flat.length; i += n) list.push(flat.slice(i, i + n));
  return list;
};
const GRAPHS = {
  sequence: (s) => {
    const runs = groups(s.segments, 7);
    const acks = groups(s.acks, 3);
    const sacks = groups(s.sacks, 3);
    const sent = Math.max(1, ...runs.map((r) => r[2] + r[3]));
    const edge = Math.max(0, ...acks.map((a) => a[1] + a[2]));
    return {
      high: (edge <= 2 * sent ? Math.max(edge, sent) : sent * 1.25) * 1.02, value: size,
      draw: (x, y, from, to) => [
        ["window", T.receive_window, steps(acks.map((a) => [a[0], a[1] + a[2]]), x, y, from, to)],
        ["ack", T.acknowledged, steps(acks.map((a) => [a[0], a[1]]), x, y, from, to)],
        ["sack", T.sack, sacks.filter((a) => a[0] >= from && a[0] <= to)
          .map((a) => `M${x(a[0])} ${y(a[1])}V${y(a[1] + a[2])}`).join("")],
        ...T.kinds.map((name, kind) => [`k${kind}`, name, runs.filter((r) => r[4] === kind
          && r[0] + r[1] >= from && r[0] <= to).map((r) => {
          const [low, high] = [y(r[2]), y(r[2] + r[3])];
          return `M${x(r[0])} ${low}L${x(r[0] + r[1])} ${Math.min(high, low - 2)}`;
        }).join("")]),
      ],
      points: runs.map((r) => [r[0], r[2] + r[3] / 2, `#${r[6]} · ${T.kinds[r[4]]}`
        + (r[5] > 1 ? ` × ${count(r[5])}` : "")
        + ` · ${count(r[2])} – ${count(r[2] + r[3])} · ${time(r[0])}`]),
    };
  },
  throughput: (s) => {
    const { width, columns: all } = s.bytes;
    const list = all.map((c, i) => [i * width, (c[0] * 1e9) / width]);
    if (list.length) list.push([all.length * width, 0]);
    return {
      high: Math.max(1, ...list.map((p) => p[1])) * 1.05, value: rate,
      draw: (x, y, from, to) => {
        const line = steps(list, x, y, from, to);
        return [["value", T.throughput, line]];
      },
      points: list.map(([at, v]) => [at + width / 2, v, `${time(at)} · ${rate(v)}`]),
    };
  },
  rtt: (s) => {
    const list = groups(s.rtt, 2);
    return {
      high: Math.max(1, ...list.map((p) => p[1])) * 1.05, value: time,
      draw: (x, y, from, to) => [["ack", T.rtt, list.filter((p) => p[0] >= from && p[0] <= to)
        .map((p) => `M${x(p[0]) - 2.5} ${y(p[1])}h5m-2.5 -2.5v5`).join("")]],
      points: list.map(([at, v]) => [at, v, `${time(at)} · ${time(v)}`]),
    };
  },
  window: (s) => {
    const windows = groups(s.acks, 3).map((a) => [a[0], a[2]]);
    const flight = groups(s.flight, 2);
    return {
      high: Math.max(1, ...windows.map((p) => p[1]), ...flight.map((p) => p[1])) * 1.05,
      value: size,
      draw: (x, y, from, to) => [
        ["window", T.receive_window, steps(windows, x, y, from, to)],
        ["value", T.in_flight, steps(flight, x, y, from, to)],
      ],
      points: flight.map(([at, v]) => [at, v, `${time(at)} · ${T.in_flight} ${size(v)}`]),
    };
  },
};
const graph = (drawn, side, kind, name) => {
  const [w, h, left, right, top, bottom] = [1120, 480, 84, 1108, 12, 446];
  const s = drawn.streams[side];
  const g = GRAPHS[kind](s);
  const end = Math.max(drawn.time, 1000) * 1.01;
  let view = { t0: 0, t1: end, v0: 0, v1: g.high };
  const paper = sv("svg", { viewBox: `0 0 ${w} ${h}`, tabindex: "0", role: "img",
    "aria-label": `${name}. ${T.zoom_help}`, "data-graph": kind });
  const hint = el("p", { class: "hint", role: "status" }, T.zoom_help);
  const keys = el("ul", { class: "keys" });
  const x = (at) => +(left + ((right - left) * (at - view.t0)) / (view.t1 - view.t0)).toFixed(1);
  const y = (v) => +(bottom - ((bottom - top) * (v - view.v0)) / (view.v1 - view.v0)).toFixed(1);
  const at = (px) => view.t0 + ((px - left) / (right - left)) * (view.t1 - view.t0);
  const of = (py) => view.v0 + ((bottom - py) / (bottom - top)) * (view.v1 - view.v0);
  const draw = () => {
    const lines = g.draw(x, y, view.t0, view.t1).filter(([, , path]) => path);
    const clip = sv("clipPath", { id: "clip" }, sv("rect", { x: left, y: top - 4,
      width: right - left, height: bottom - top + 4 }));
    const grid = [
      ...ticks(view.v0, view.v1, 6).map((v) => [sv("path", { class: "grid",
        d: `M${left} ${y(v)}H${right}` }), sv("text", { class: "faint", x: left - 8, y: y(v) + 4,
        "text-anchor": "end" }, g.value(v))]),
      ...ticks(view.t0, view.t1, 8).map((t) => [sv("path", { class: "grid",
        d: `M${x(t)} ${top}V${bottom}` }), sv("text", { class: "faint", x: x(t), y: bottom + 20,
        "text-anchor": "middle" }, time(t))]),
    ].flat();
    const inside = sv("g", { "clip-path": "url(#clip)" },
      lines.map(([kind2, , path]) => sv("path", { class: `l ${kind2}`, d: path })));
    paper.replaceChildren(clip, ...grid, inside);
    paper.dataset.view = [view.t0, view.t1].map(Math.round).join(" ");
    keys.replaceChildren(...lines.map(([kind2, name2]) => el("li", null,
      sv("svg", { viewBox: "0 0 18 12", "aria-hidden": "true" },
        sv("path", { class: `l ${kind2}`, d: "M1 6H17" })), name2)));
  };
  const limit = (next) => {
    const long = Math.min(Math.max(next.t1 - next.t0, end / 1e6, 100), end);
    const high = Math.min(Math.max(next.v1 - next.v0, g.high / 1e7, 1e-3), g.high);
    const t0 = Math.min(Math.max(next.t0, 0), end - long);
    const v0 = Math.min(Math.max(next.v0, 0), g.high - high);
    view = { t0, t1: t0 + long, v0, v1: v0 + high };
    draw();
  };
  const zoom = (by, px, py) => {
    const [t, v] = [at(px), of(py)];
    limit({ t0: t - (t - view.t0) * by, t1: t + (view.t1 - t) * by,
      v0: v - (v - view.v0) * by, v1: v + (view.v1 - v) * by });
  };
  const middle = (by) => zoom(by, (left + right) / 2, (top + bottom) / 2);
  const all = () => limit({ t0: 0, t1: end, v0: 0, v1: g.high });
  /* The shortest time in which four fifths of all points lie. */
  const busy = () => {
    const times = g.points.map((p) => p[0]).sort((a, b) => a - b);
    const n = Math.max(1, Math.ceil(times.length * 0.8));
    let [from, to] = [times[0], times[times.length - 1]];
    for (let i = 0; i + n <= times.length; i += 1) {
      if (times[i + n - 1] - times[i] < to - from) [from, to] = [times[i], times[i + n - 1]];
    }
    const more = Math.max((to - from) * 0.05, 500);
    limit({ t0: from - more, t1: to + more, v0: 0, v1: g.high });
  };
  const pan = (dt, dv) => {
    const [t, v] = [(view.t1 - view.t0) * dt, (view.v1 - view.v0) * dv];
    limit({ t0: view.t0 + t, t1: view.t1 + t, v0: view.v0 + v, v1: view.v1 + v });
  };
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
    return [clamp(((event.clientX - box.left) / box.width) * w, left, right),
      clamp(((event.clientY - box.top) / box.height) * h, top, bottom)];
  };
  const find = (px, py) => {
    let [best, far] = [null, 26 * 26];
    for (const point of g.points) {
      if (point[0] < view.t0 || point[0] > view.t1) continue;
      const d = (x(point[0]) - px) ** 2 + (y(point[1]) - py) ** 2;
      if (d < far) [best, far] = [point, d];
    }
    paper.querySelector(".near")?.remove();
    hint.textContent = best ? best[2] : T.zoom_help;
    if (best) paper.append(sv("circle", { class: "near", cx: x(best[0]), cy: y(best[1]), r: 6 }));
  };
  let drag = null;
  paper.addEventListener("pointerdown", (event) => {
    const [px, py] = place(event);
    drag = { px, py, box: sv("rect", { class: "drag" }) };
    paper.append(drag.box);
    paper.setPointerCapture(event.pointerId);
  });
  paper.addEventListener("pointermove", (event) => {
    const [px, py] = place(event);
    if (!drag) return find(px, py);
    const set = { x: Math.min(px, drag.px), y: Math.min(py, drag.py),
      width: Math.abs(px - drag.px), height: Math.abs(py - drag.py) };
    Object.entries(set).forEach(([name2, value]) => drag.box.setAttribute(name2, value));
    return undefined;
  });
  paper.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const [px, py] = place(event);
    const old = drag;
    drag = null;
    old.box.remove();
    const [dx, dy] = [Math.abs(px - old.px), Math.abs(py - old.py)];
    if (dx < 6) return;
    const [t0, t1] = [at(Math.min(px, old.px)), at(Math.max(px, old.px))];
    /* A flat box is a span of time. */
    const flat = dy < 12;
    limit({ t0, t1, v0: flat ? view.v0 : of(Math.max(py, old.py)),
      v1: flat ? view.v1 : of(Math.min(py, old.py)) });
  });
  paper.addEventListener("pointercancel", () => { drag?.box.remove(); drag = null; });
  paper.addEventListener("dblclick", all);
  paper.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, ...place(event));
  }, { passive: false });
  paper.addEventListener("keydown", (event) => {
    const does = { "+": () => middle(0.6), "=": () => middle(0.6), "-": () => middle(1 / 0.6),
      0: all, ArrowLeft: () => pan(-0.2, 0), ArrowRight: () => pan(0.2, 0),
      ArrowUp: () => pan(0, 0.2), ArrowDown: () => pan(0, -0.2) }[event.key];
    if (does && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      does();
    }
  });
  draw();
  const button = (text, does) => el("button", { type: "button", onclick: does }, text);
  const empty = !g.points.length && el("p", { class: "note" }, T.no_points);
  return el("div", { class: "graph" }, el("div", { class: "tools" },
    button(T.zoom_in, () => middle(0.6)), button(T.zoom_out, () => middle(1 / 0.6)),
    g.points.length > 4 && button(T.busy, busy), button(T.reset, all)), paper, keys, hint, empty,
    s.merged > 0 && el("p", { class: "note" }, fill(T.merged, s.merged)));
};

/* ---- One connection ---- */
const VIEWS = ["ladder", "sequence", "throughput", "rtt", "window"];
const state = { view: "ladder", side: 0 };
const fact = (name, value) => value !== "" && value !== null
  && [el("dt", null, name), el("dd", null, value)];
const facts = (row) => {
  const each = (pair, show) => `${show(pair[0])} → · ← ${show(pair[1])}`;
  const list = [[T.start, time(row.start)], [T.duration, time(row.duration)],
    [T.packets, each(row.packets, count)], [T.bytes, each(row.bytes, size)],
    [T.resent, each(row.resent, count)], [T.round_trip, row.rtt === null ? "" : time(row.rtt)],
    [T.state, `${row.conn_state} ${row.history}`]];
  return el("dl", { class: "facts" }, list.map(([n, v]) => v !== "" && el("div", null, fact(n, v))));
};
const ladder = (drawn) => {
  const parsed = new DOMParser().parseFromString(drawn.ladder, "image/svg+xml");
  return el("div", { class: "ladder-box" }, document.importNode(parsed.documentElement, true));
};
const picture = (row, drawn) => {
  const names = [row.client, row.server];
  const panel = el("div", { id: "panel", role: "tabpanel", tabindex: "-1" });
  const tabs = el("div", { class: "tabs", role: "tablist" });
  const sides = el("div", { class: "tools", role: "group", "aria-label": T.direction });
  const show = () => {
    tabs.replaceChildren(...VIEWS.map((view) => el("button", { type: "button", role: "tab",
      id: `tab-${view}`, "aria-controls": "panel", "aria-selected": String(view === state.view),
      tabindex: view === state.view ? "0" : "-1", onclick: () => { state.view = view; show(); } },
      T[view])));
    panel.setAttribute("aria-labelledby", `tab-${state.view}`);
    history.replaceState(null, "", `#c${row.stream}/${state.view}`);
    sides.hidden = state.view === "ladder";
    sides.replaceChildren(el("span", { class: "faint" }, T.direction), ...[0, 1].map((side) =>
      el("button", { type: "button", class: "mono", "aria-pressed": String(side === state.side),
        onclick: () => { state.side = side; show(); } }, names[side])));
    panel.replaceChildren(state.view === "ladder" ? ladder(drawn)
      : graph(drawn, state.side, state.view, T[state.view]));
  };
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const i = VIEWS.indexOf(state.view);
    state.view = VIEWS[(i + step + VIEWS.length) % VIEWS.length];
    show();
    $(`tab-${state.view}`).focus();
  });
  show();
  return el("section", { class: "card" }, tabs, sides, panel);
};
const connection = (row) => {
  const drawn = D.drawn[row.stream];
  document.title = `${row.client} → ${row.server}`;
  state.side = row.bytes[1] > row.bytes[0] ? 1 : 0;
  const told = row.findings.map((f) => el("li", null, el("details", { open: true },
    el("summary", null, el("span", { class: "grow" }, f.text), tag(f.severity)),
    el("div", { class: "inner" }, el("p", null, `${T.advice}: ${f.advice}`),
      el("p", null, frames(f))))));
  $("main").replaceChildren(
    el("p", null, el("a", { href: "#", id: "back" }, `← ${T.back}`)),
    el("section", { class: "card" },
      el("h2", null, `${T.connection} ${row.stream} `,
        el("span", { class: "mono" }, `${row.client} → ${row.server}`)),
      el("p", { class: "sub" }, dot(row.ending), ` ${row.verdict}`), facts(row)),
    told.length ? el("section", { class: "card" }, el("h2", null, T.findings),
      el("ul", { class: "findings" }, told)) : "",
    drawn ? picture(row, drawn) : el("section", { class: "card" },
      el("p", { class: "faint" }, fill(T.not_drawn, Object.keys(D.drawn).length), " ",
        el("code", null, `handclasp report FILE --flow ${row.stream}`))));
};
const route = () => {
  const match = /^#c(\d+)(?:\/(\w+))?$/.exec(location.hash);
  const row = match && byStream.get(Number(match[1]));
  if (match && VIEWS.includes(match[2])) state.view = match[2];
  if (row) {
    connection(row);
    window.scrollTo(0, 0);
    $("main").focus({ preventScroll: true });
  } else if (location.hash !== "#connections" || !$("connections")) {
    home();
  }
};
addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape" && /^#c\d/.test(location.hash)) location.hash = "";
  if (event.key === "/" && !typing && $("search")) {
    event.preventDefault();
    $("search").focus();
  }
});
head();
route();
})();
