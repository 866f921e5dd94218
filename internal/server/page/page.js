// The list of Applications, live. Everything that comes from the server is set as text, never as markup.
import { describe, matches, since } from "./state.js";
import { glyph } from "./glyph.js";

const $ = (id) => document.getElementById(id);
const rows = new Map(); // by namespace/name: { app, state, element, cells }
let source = null;
let retry = null;
let connection = 0; // counts connections, to tell what was heard in the present one

// --- talking to the server ---

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({}));
  if (answer.status === 401 && path !== "api/v1/session") showLogin();
  if (!answer.ok) throw new Error(data.message || `The server answered ${answer.status}.`);
  return data;
}

function connect() {
  disconnect();
  source = new EventSource("api/v1/stream/applications");
  source.onopen = () => { $("connection").textContent = ""; connection++; reconcile(); };
  source.onmessage = (message) => {
    const { result, error } = JSON.parse(message.data);
    if (error) { lost(); return; }
    const key = keyOf(result.application);
    if (result.type === "DELETED") remove(key); else put(key, result.application);
    schedule();
  };
  source.onerror = () => {
    $("connection").textContent = "Connection lost; trying again";
    if (source && source.readyState === EventSource.CLOSED) lost();
  };
}

function disconnect() {
  clearTimeout(retry);
  if (source) source.close();
  source = null;
}

// lost finds out whether the session has ended or the server is away.
async function lost() {
  disconnect();
  try {
    await call("GET", "api/v1/applications?name=-");
    retry = setTimeout(connect, 2000);
  } catch {
    if ($("login").hidden) retry = setTimeout(lost, 3000);
  }
}

// reconcile removes what went while nobody listened.
async function reconcile() {
  try {
    const list = await call("GET", "api/v1/applications");
    const present = new Set(list.items.map(keyOf));
    for (const [key, row] of [...rows]) if (row.heard !== connection && !present.has(key)) remove(key);
    for (const app of list.items) put(keyOf(app), app);
    showOverview();
    schedule();
  } catch (e) {
    report(e);
  }
}

// --- rows ---

const keyOf = (app) => `${app.metadata.namespace || ""}/${app.metadata.name}`;

function put(key, app) {
  let row = rows.get(key);
  if (!row) rows.set(key, row = makeRow(app));
  row.heard = connection;
  if (Number(app.metadata.resourceVersion) <= Number(row.app.metadata.resourceVersion)) return;
  row.app = app;
  row.fresh = true;
}

function remove(key) {
  rows.get(key)?.element.remove();
  rows.delete(key);
}

function makeRow(app) {
  const element = document.createElement("tr");
  const cells = {};
  for (const name of ["name", "states", "message", "revision", "destination", "project", "synced", "actions"]) {
    cells[name] = element.appendChild(document.createElement("td"));
    cells[name].className = name;
  }
  const row = { app, element, cells, state: null, shown: "", fresh: false, heard: 0 };
  cells.actions.append(
    button("Refresh", () => refresh(row.app)),
    row.sync = button("Sync", () => sync(row.app)),
  );
  return row;
}

function button(label, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = label;
  b.addEventListener("click", async () => {
    b.disabled = true;
    try { await act(); $("problem").hidden = true; } catch (e) { report(e); }
    b.disabled = false;
  });
  return b;
}

const path = (app, rest) =>
  `api/v1/applications/${encodeURIComponent(app.metadata.name)}${rest}appNamespace=${encodeURIComponent(app.metadata.namespace || "")}`;

const refresh = (app) => call("GET", path(app, "?refresh=normal&"));
const sync = (app) => call("POST", path(app, "/sync?"), {});

function paint(row, now) {
  const state = describe(row.app, now);
  row.state = state;
  const shown = JSON.stringify(state);
  if (shown === row.shown) return;
  const { cells, element } = row;
  text(cells.name, row.app.metadata.name);
  cells.name.title = keyOf(row.app);
  states(cells.states, [state.sync, state.health]);
  text(cells.message, state.message);
  text(cells.revision, state.revision.slice(0, 7));
  cells.revision.title = state.revision;
  text(cells.destination, state.destination);
  text(cells.project, state.project);
  text(cells.synced, state.syncedAt ? since(state.syncedAt, now) : "never");
  cells.synced.title = state.syncedAt ? new Date(state.syncedAt).toLocaleString() : "";
  element.classList.toggle("needs", state.urgent);
  row.sync.disabled = state.running;
  if (row.fresh) flash(element);
  row.fresh = false;
  row.shown = shown;
}

function text(cell, value) {
  if (cell.textContent !== value) cell.textContent = value;
}

function states(cell, list) {
  const words = list.map((s) => s.word).join("/");
  if (cell.dataset.words === words) return;
  cell.dataset.words = words;
  cell.replaceChildren(...list.map((s) => {
    const span = document.createElement("span");
    span.className = `state ${s.token}`;
    span.append(glyph(s.shape), s.word);
    return span;
  }));
}

function flash(element) {
  element.classList.remove("changed");
  void element.offsetWidth; // begins the animation anew
  element.classList.add("changed");
}

// --- the whole ---

let scheduled = false;
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; render(); });
}

function render() {
  const now = Date.now();
  const wanted = $("filter").value;
  const sorted = [...rows.values()].sort((a, b) => keyOf(a.app).localeCompare(keyOf(b.app)));
  let before = $("rows").firstChild;
  let needing = 0, running = 0, visible = 0;
  for (const row of sorted) {
    paint(row, now);
    if (row.state.needs) needing++;
    if (row.state.running) running++;
    row.element.hidden = !matches(row.app, row.state, wanted);
    if (!row.element.hidden) visible++;
    if (row.element === before) before = before.nextSibling;
    else $("rows").insertBefore(row.element, before);
  }
  const total = sorted.length;
  text($("summary"), total === 0 ? "There are no applications yet"
    : needing === 0 ? `All ${total} applications are as they should be`
    : `${needing} of ${total} applications ${needing === 1 ? "needs" : "need"} you`);
  text($("running"), running ? `${running} running` : "");
  $("empty").hidden = visible > 0;
  text($("empty"), total === 0 ? "Create one with kubectl or the argocd command; it appears here at once." : "No application fits the filter.");
}

function report(e) {
  text($("problem"), e.message);
  $("problem").hidden = false;
}

function showLogin() {
  disconnect();
  rows.clear();
  $("rows").replaceChildren();
  for (const id of ["overview", "search", "logout"]) $(id).hidden = true;
  $("login").hidden = false;
  $("login").elements.password.focus();
}

function showOverview() {
  $("login").hidden = true;
  for (const id of ["overview", "search"]) $(id).hidden = false;
}

async function begin() {
  const user = await call("GET", "api/v1/session/userinfo").catch(() => ({}));
  $("logout").hidden = !user.loggedIn;
  $("logout").title = user.username || "";
  try {
    await call("GET", "api/v1/applications?name=-"); // works without a session where authentication is off
  } catch (e) {
    if (!$("login").hidden) return;
    showOverview();
    report(e);
    return;
  }
  showOverview();
  connect();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = event.target.elements;
  try {
    await call("POST", "api/v1/session", { username: username.value, password: password.value });
    password.value = "";
    $("login-problem").hidden = true;
    $("login").hidden = true;
    begin();
  } catch (e) {
    text($("login-problem"), e.message);
    $("login-problem").hidden = false;
  }
});

$("logout").addEventListener("click", async () => {
  await call("DELETE", "api/v1/session").catch(report);
  showLogin();
});

$("filter").value = new URLSearchParams(location.search).get("q") || "";
$("filter").addEventListener("input", () => {
  const q = $("filter").value;
  history.replaceState(null, "", q ? `?q=${encodeURIComponent(q)}` : location.pathname);
  schedule();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input")) { event.preventDefault(); $("filter").focus(); }
  if (event.key === "Escape" && event.target === $("filter")) $("filter").blur();
});

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
$("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});

setInterval(schedule, 10_000); // times go on
begin();
