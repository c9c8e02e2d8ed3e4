"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const { charts, neighbors } = JSON.parse(byId("data").textContent);
  const axis = {
    labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--line)",
    domainColor: "var(--muted)", tickColor: "var(--line)", titleFontWeight: "normal",
    labelFontSize: 11.5, titleFontSize: 12, labelOverlap: true, labelSeparation: 5,
  };
  const config = {
    aria: false, background: null, font: "system-ui, sans-serif", view: { stroke: null },
    axis, axisQuantitative: { tickCount: 5 },
    legend: { labelColor: "var(--text)", symbolType: "circle", symbolSize: 80, labelFontSize: 12 },
    text: { fontSize: 11.5 },
  };
  // ast: expressions are interpreted, as the page's policy forbids to make functions of text.
  const options = { renderer: "svg", actions: false, ast: true, defaultStyle: false, config,
    tooltip: { theme: "page", disableDefaultStyle: true } };

  const mark = (name, state) => { byId(name).dataset.drawn = state; };
  for (const [name, spec] of Object.entries(charts)) {
    vegaEmbed(byId(name), spec, options).then(
      ({ view }) => { if (name === "map") { explore(view); } mark(name, "yes"); },
      (error) => { mark(name, "no"); console.error(name, error); },
    );
  }

  function explore(view) {
    const words = view.data("words");
    const find = byId("find"), found = byId("found");
    const limited = (zoom, center) => Math.max(1 / zoom - 1, Math.min(1 - 1 / zoom, center));
    const look = (zoom, x, y) => {
      const z = Math.max(1, Math.min(40, zoom));
      view.signal("view", { z, cx: limited(z, x), cy: limited(z, y) }).runAsync();
    };
    view.addSignalListener("view", (_, { z }) => byId("map").classList.toggle("zoomed", z > 1));
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => {
        const { z, cx, cy } = view.signal("view");
        look(z * Number(button.dataset.zoom), cx, cy);
      });
    }

    const search = (text) => {
      const query = text.trim().toLowerCase();
      const hits = query ? words.filter((word) => word.t.toLowerCase().includes(query)) : [];
      const exact = hits.find((word) => word.t.toLowerCase() === query);
      // A word that is known is shown with its neighbours; else all that hold what was typed.
      const near = exact ? neighbors[exact.t] : [];
      view.signal("query", query).signal("exact", exact?.t ?? "").signal("near", near.map(([token]) => token)).runAsync();
      tell(query, hits, exact, near);
      return exact ?? hits[0];
    };
    const tell = (query, hits, exact, near) => {
      found.replaceChildren();
      if (exact) {
        found.append(`Nearest to ${exact.t}: `);
        for (const [token, cosine] of near) {
          const button = document.createElement("button");
          button.type = "button";
          button.textContent = `${token} ${cosine.toFixed(2)}`;
          button.addEventListener("click", () => go(token));
          found.append(button);
        }
      } else if (query) {
        found.append(`${hits.length} of ${words.length} words hold ${query}`);
      }
    };
    const go = (text) => { find.value = text; search(text); };
    find.addEventListener("input", () => search(find.value));
    find.addEventListener("keydown", (event) => {
      const word = event.key === "Enter" ? search(find.value) : undefined;
      if (word) { look(Math.max(5, view.signal("view").z), word.x, word.y); }
    });
    view.addSignalListener("picked", (_, token) => { if (token) { go(token); } });
  }
})();
