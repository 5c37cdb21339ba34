/* The report page: sorting, filters, plots, and news while the run works. Needs nothing but Chart.js beside it. */
"use strict";
(() => {
  const NEWS_MS = 3000;
  const TYPED_MS = 250; // after the last letter
  const PAGE = 100; // lines of a table shown at once
  const LOGIN = "The login has expired. Log in to Airflow again and reload this page.";
  const byId = (id) => document.getElementById(id);

  // --- theme: that of Airflow's own page around this frame, else the system's ---
  const airflow = (() => {
    try { return window.parent !== window ? window.parent.document.documentElement : null; } catch { return null; }
  })();
  const follow = () => {
    const dark = airflow.classList.contains("dark") || airflow.dataset.theme === "dark";
    const light = airflow.classList.contains("light") || airflow.dataset.theme === "light";
    if (dark || light) document.documentElement.dataset.theme = dark ? "dark" : "light";
    drawAll();
  };

  // --- plots ---
  const plots = new Map();
  let data = JSON.parse(byId("charts")?.textContent ?? "null");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const full = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  const elapsed = (s) => {
    if (s < 120) return `${full.format(s)} s`;
    if (s < 7200) return `${full.format(s / 60)} min`;
    return `${full.format(s / 3600)} h`;
  };
  const axis = (tick, extra, ticks = {}) => ({
    grid: { color: colour("line") }, border: { color: colour("line") },
    ticks: { color: colour("soft"), callback: tick, maxTicksLimit: 7, maxRotation: 0, ...ticks }, ...extra,
  });
  const counts = () => axis((v) => short.format(v), { beginAtZero: true }, { precision: 0 }); // no half a record

  function draw(id, config) {
    plots.get(id)?.destroy();
    plots.set(id, new Chart(byId(id), config));
  }

  /* `stepped`: it was looked at now and then, and nobody knows what was between. */
  function line(id, points, name, { after = "after the first look", stepped = false } = {}) {
    draw(id, {
      type: "line",
      data: { datasets: [{ data: points.map(([x, y]) => ({ x, y })), borderColor: colour(name), borderWidth: 1.5,
        backgroundColor: `${colour(name)}22`, fill: true, stepped, pointRadius: points.length > 40 ? 0 : 2, pointHitRadius: 8 }] },
      options: {
        animation: false, maintainAspectRatio: false, parsing: false, normalized: true,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        plugins: { legend: { display: false }, tooltip: { displayColors: false, callbacks: {
          title: (items) => `${elapsed(Math.abs(items[0].parsed.x))} ${items[0].parsed.x < 0 ? "before the fence" : after}`,
          label: (item) => full.format(item.parsed.y) } } },
        scales: {
          x: axis(elapsed, { type: "linear", min: Math.min(0, points[0][0]), max: points.at(-1)[0] }),
          y: counts(),
        },
      },
    });
  }

  function bars(id, topics) {
    const box = byId(id).parentElement;
    // A rule of ours, so that the policy needs no inline style.
    box.style.height = `${60 + topics.labels.length * 34}px`;
    // A small topic is still seen, an empty one has no bar.
    const side = (name) => ({ label: box.parentElement.querySelector(`.key.${name}`).textContent, data: topics[name].map((count) => count || null), minBarLength: 2,
      backgroundColor: colour(name), barPercentage: 0.9, categoryPercentage: 0.7 });
    const cut = (text) => (text.length > 30 ? `${text.slice(0, 14)}…${text.slice(-14)}` : text);
    const narrow = box.clientWidth < 500;
    draw(id, {
      type: "bar",
      data: { labels: topics.labels, datasets: [side("source"), side("target")] },
      options: {
        animation: false, maintainAspectRatio: false, indexAxis: "y",
        interaction: { mode: "index", axis: "y", intersect: false },
        plugins: { legend: { display: false }, tooltip: { callbacks: {
          label: (item) => `${item.dataset.label}: ${full.format(item.parsed.x)} records` } } },
        scales: {
          x: counts(),
          y: { grid: { display: false }, border: { color: colour("line") }, ticks: { autoSkip: false,
            color: topics.failed.map((bad) => colour(bad ? "fail" : "ink")),
            callback: (v, i) => {
              const name = (topics.failed[i] ? "✗ " : "") + topics.labels[i];
              return narrow && name.length > 18 ? `${name.slice(0, 8)}…${name.slice(-8)}` : cut(name);
            } } },
        },
      },
    });
  }

  function drawAll() {
    if (typeof Chart === "undefined") return;
    const over = data.progress;
    byId("plots").hidden = over.lag.length < 2;
    if (over.lag.length >= 2) {
      line("plot-lag", over.lag, "source");
      line("plot-rate", over.offsets, "target");
    }
    const watched = data.watched?.behind.length > 1; // a report of before has none
    byId("watch-plots").hidden = !watched;
    if (watched) {
      line("plot-behind", data.watched.behind, "source", { stepped: true });
      line("plot-seconds", data.watched.seconds, "target", { stepped: true });
    }
    const behind = byId("window-plot");
    if (behind && data.window?.length) { // a report of before cutovers has none
      behind.hidden = false;
      line("plot-window", data.window, "source", { after: "after the fence", stepped: true });
    }
    const figure = byId("topic-plot");
    if (figure && data.topics.labels.length) {
      figure.hidden = false;
      bars("plot-topics", data.topics);
    }
  }

  // --- tables: sort by a column, show what differs, find a name; a page of lines at a time ---
  const value = (row, column) => {
    let text = "";
    for (const node of row.cells[column].childNodes) {
      if (node.nodeName === "SMALL") break; // what stands under a name is no part of it
      text += node.textContent;
    }
    text = text.trim();
    return row.cells[column].classList.contains("n") ? (text === "–" ? -1 : Number(text.replaceAll(",", ""))) : text;
  };

  /* Lines that are in the page itself. */
  function here(table) {
    const rows = [...table.tBodies[0].rows];
    let names = null;
    let order = { column: -1, rows };
    return async (asked) => {
      if (asked.column >= 0 && (order.column !== asked.column || order.down !== asked.down)) {
        const collator = new Intl.Collator("en", { numeric: true });
        const keyed = order.rows.map((row) => ({ row, key: value(row, asked.column) }));
        keyed.sort((a, b) => (asked.number ? a.key - b.key : collator.compare(a.key, b.key)) * (asked.down ? -1 : 1));
        order = { column: asked.column, down: asked.down, rows: keyed.map(({ row }) => row) };
      }
      let found = order.rows;
      if (asked.only) found = found.filter((row) => row.dataset.s !== "pass");
      if (asked.find) {
        names ??= new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
        found = found.filter((row) => names.get(row).includes(asked.find));
      }
      const rowsShown = found.slice(asked.start, asked.all ? undefined : asked.start + PAGE);
      return { rows: rowsShown, start: asked.start, lines: rows.length, found: found.length, reach: found.length, looked_at: rows.length };
    };
  }

  /* Lines that the server has: it finds and sorts them, and gives a page of them. */
  function far(table) {
    let last = null;
    return async (asked) => {
      last?.abort();
      last = new AbortController();
      const query = new URLSearchParams({ table: table.id, start: asked.start, find: asked.find, only: asked.only });
      if (asked.column >= 0) {
        query.set("sort", asked.column);
        query.set("down", asked.down);
      }
      const address = table.dataset.lines;
      const answer = await fetch(`${address}${address.includes("?") ? "&" : "?"}${query}`, { headers: { accept: "application/json" }, signal: last.signal });
      if (answer.status === 401 || answer.status === 403) throw new Error(LOGIN);
      if (!answer.ok) throw new Error(`Not read (HTTP ${answer.status}): reload this page.`);
      const found = await answer.json();
      const body = document.createElement("tbody");
      body.innerHTML = found.html; // escaped by the server's templates
      return { ...found, rows: [...body.rows] };
    };
  }

  function lines(table) {
    const find = document.querySelector(`[data-find="${table.id}"]`);
    const only = document.querySelector(`[data-differences="${table.id}"]`);
    const shown = document.querySelector(`[data-shown="${table.id}"]`);
    const pagers = [...document.querySelectorAll(`[data-pager="${table.id}"]`)];
    const heads = [...table.tHead.rows[0].cells];
    const source = table.dataset.lines ? far(table) : here(table);
    const asked = { find: "", only: false, column: -1, number: false, down: false, start: 0, all: false };
    let turn = 0;
    let wait;

    const tell = (found) => {
      const all = `${full.format(found.lines)} line${found.lines === 1 ? "" : "s"}`;
      const looked = found.looked_at < found.lines && (asked.find || asked.column >= 0) && !asked.only
        ? `; only the first ${full.format(found.looked_at)} were looked at` : "";
      shown.textContent = (found.found === found.lines ? all : found.found || !asked.only || asked.find
        ? `${full.format(found.found)} of ${all}` : only.dataset.none ?? `no differences in ${all}`) + looked;
      const last = found.start + found.rows.length;
      const cut = found.reach < found.found ? ` (sorted: up to ${full.format(found.reach)})` : "";
      for (const pager of pagers) {
        pager.hidden = found.found <= PAGE || asked.all;
        pager.querySelector("span").textContent =
          `${full.format(found.rows.length ? found.start + 1 : 0)}–${full.format(last)} of ${full.format(found.found)}${cut}`;
        pager.querySelector('[data-step="-1"]').disabled = found.start === 0;
        pager.querySelector('[data-step="1"]').disabled = last >= found.reach;
      }
    };
    const show = async (change) => {
      Object.assign(asked, change);
      turn += 1;
      const mine = turn;
      table.ariaBusy = "true";
      try {
        const found = await source(asked);
        if (mine !== turn) return; // asked again meanwhile: this answer is of before
        asked.start = found.start;
        table.tBodies[0].replaceChildren(...found.rows);
        if (narrow.matches) cards(table);
        tell(found);
      } catch (error) {
        if (mine !== turn) return;
        shown.textContent = error.message;
      }
      table.ariaBusy = null;
    };

    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const number = head.classList.contains("n");
      const before = head.getAttribute("aria-sort");
      // The first click on numbers shows the largest.
      const down = before ? before === "ascending" : number;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      show({ column, number, down, start: 0 });
    }));
    find.addEventListener("input", () => {
      clearTimeout(wait);
      // A page that was reached before is none of what is found now.
      const go = () => show({ find: find.value.trim().toLowerCase(), start: 0 });
      if (table.dataset.lines) wait = setTimeout(go, TYPED_MS); else go();
    });
    only?.addEventListener("click", () => {
      const pressed = only.getAttribute("aria-pressed") !== "true";
      only.setAttribute("aria-pressed", String(pressed));
      show({ only: pressed, start: 0 });
    });
    pagers.forEach((pager) => pager.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-step]");
      if (!button) return;
      await show({ start: Math.max(0, asked.start + PAGE * Number(button.dataset.step)) });
      if (pager !== pagers[0]) table.closest("section").scrollIntoView({ block: "start" });
    }));
    if (table.dataset.lines) {
      const first = table.tBodies[0].rows;
      const total = Number(table.dataset.total);
      asked.start = Number(table.dataset.start ?? 0);
      tell({ rows: [...first], start: asked.start, lines: total, found: total, reach: total, looked_at: total });
    } else {
      show({});
      window.addEventListener("beforeprint", () => show({ all: true, start: 0 }));
      window.addEventListener("afterprint", () => show({ all: false }));
    }
    narrow.addEventListener("change", () => cards(table));
    cards(table);
  }

  // --- news while the run works ---
  async function news(address) {
    let pause = NEWS_MS;
    try {
      const answer = await fetch(address, { headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) {
        lost(LOGIN);
        return;
      }
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const found = await answer.json();
      if (found.done) {
        window.location.reload();
        return;
      }
      byId("live").innerHTML = found.html; // escaped by the server's templates
      data = found.charts;
      drawAll();
    } catch (error) {
      lost(`No response from Airflow (${error.message}); trying again.`);
      pause = 2 * NEWS_MS;
    }
    setTimeout(news, pause, address);
  }

  function lost(text) {
    const sentence = document.querySelector(".verdict p");
    if (sentence) sentence.textContent = text;
  }

  // --- a command to copy; without the right to use the clipboard it is marked, for Ctrl+C ---
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const block = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(block);
      button.textContent = "Marked: press Ctrl+C";
    }
  });

  // --- a run's page: its tab in Airflow, which a link in Airflow's frame cannot open, but one of the page around it ---
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-tab]");
    if (!link || !airflow) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.dataset.tab;
    outside.click();
  });

  // --- narrow pages show a row as a card: each cell says which column it is of ---
  const narrow = window.matchMedia("(max-width: 720px)");
  function cards(table) {
    if (!narrow.matches) return;
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
    table.classList.add("cards");
    for (const row of table.tBodies[0].rows) {
      for (let i = 1; i < row.cells.length; i += 1) row.cells[i].dataset.head = heads[i];
    }
  }

  document.querySelectorAll("table.lines").forEach(lines);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
    plots.forEach((plot) => plot.resize());
  });
  if (airflow) {
    document.documentElement.dataset.framed = "";
    new MutationObserver(follow).observe(airflow, { attributes: true, attributeFilter: ["class", "data-theme"] });
    follow();
  } else {
    drawAll();
  }
  const address = document.body.dataset.live;
  if (address) setTimeout(news, NEWS_MS, address);
})();
