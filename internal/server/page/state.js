// What an Application says about itself, in words. Pure: no document, no network.

const syncs = {
  Synced: { word: "Synced", token: "ok", shape: "dot" },
  OutOfSync: { word: "Out of sync", token: "pending", shape: "half" },
};
const healths = {
  Healthy: { word: "Healthy", token: "ok", shape: "dot" },
  Progressing: { word: "Progressing", token: "busy", shape: "ring" },
  Degraded: { word: "Degraded", token: "bad", shape: "triangle" },
  Missing: { word: "Missing", token: "missing", shape: "dashed" },
  Suspended: { word: "Held", token: "held", shape: "bars" },
};
const unknown = { word: "Unknown", token: "missing", shape: "question" };

/** describe gives everything that a row shows. */
export function describe(app, now) {
  const status = app.status || {};
  const sync = syncs[status.sync?.status] || unknown;
  const health = healths[status.health?.status] || unknown;
  const operation = status.operationState;
  const running = Boolean(app.operation) || operation?.phase === "Running" || operation?.phase === "Terminating";
  const failed = !running && (operation?.phase === "Failed" || operation?.phase === "Error");
  const problems = (status.conditions || []).filter((c) => c.type.endsWith("Error"));
  const urgent = problems.length > 0 || failed || health.token === "bad";
  return {
    sync, health, running, urgent,
    needs: urgent || (!running && (sync.token !== "ok" || ["Missing", "Unknown"].includes(health.word))),
    message: sentence(app, { sync, health, running, failed, problems }, now),
    revision: status.sync?.revision || status.sync?.revisions?.[0] || "",
    destination: [app.spec.destination?.name || server(app.spec.destination?.server), app.spec.destination?.namespace].filter(Boolean).join("/"),
    project: app.spec.project || "default",
    syncedAt: status.history?.at(-1)?.deployedAt || operation?.finishedAt || "",
  };
}

function sentence(app, s, now) {
  const status = app.status || {};
  const operation = status.operationState;
  if (app.metadata.deletionTimestamp) return `Is being deleted for ${age(app.metadata.deletionTimestamp, now)}`;
  if (s.running) {
    const began = operation?.startedAt && !app.operation ? ` for ${age(operation.startedAt, now)}` : "";
    return join(`Syncing${began}`, operation?.message);
  }
  if (s.problems.length > 0) return s.problems.map((p) => p.message).join(" ");
  if (s.failed) return join(`The last sync failed ${since(operation.finishedAt, now)}`, operation.message);
  if (!status.sync?.status) return "Waits to be compared for the first time";
  const said = [];
  const objects = status.resources || [];
  const ill = objects.filter((o) => o.health?.status === status.health?.status && o.health.message);
  if (s.health.token !== "ok") {
    const why = ill.length > 0 ? join(label(ill[0]), ill[0].health.message) : status.health?.message;
    said.push(why ? join(s.health.word, aged(why, now)) : `${s.health.word}${lasting(status.health, now)}`);
  }
  if (s.sync.token === "pending") {
    const drifted = objects.filter((o) => o.drift);
    if (drifted.length > 0) said.push(drift(drifted[0], now) + (drifted.length > 1 ? `, and ${drifted.length - 1} more drifted` : ""));
    const differing = objects.filter((o) => o.status === "OutOfSync" && !o.drift);
    if (differing.length > 0 || drifted.length === 0) said.push(differing.length > 0 ? `${names(differing)} ${differing.length === 1 ? "differs" : "differ"} from Git` : "Differs from Git");
  }
  if (s.sync === unknown) said.push("The comparison has no result");
  return said.join("; ") || `Runs what Git says${lasting(status.health, now)}`;
}

const drifts = {
  Changed: "was changed in the cluster",
  Deleted: "was deleted in the cluster",
  Added: "is in the cluster and not in Git",
  NotKept: "does not keep what was applied",
};

// drift says what happened to an object without a commit, to which field, and who did it.
function drift(o, now) {
  const fields = o.drift.fields || [];
  const writers = [...new Set(fields.map((f) => f.manager).filter(Boolean))];
  const more = fields.length - 1 + (o.drift.more || 0);
  const where = fields.length > 0 ? ` (${fields[0].path}${more > 0 ? ` and ${more} more` : ""}${writers.length > 0 ? ` by ${writers.join(", ")}` : ""})` : "";
  return `${label(o)} ${drifts[o.drift.cause] || "has drifted"} ${since(o.drift.since, now)}${where}`;
}

const label = (o) => `${o.kind} ${o.name}`;
const names = (list) => list.length <= 2 ? list.map(label).join(" and ") : `${label(list[0])} and ${list.length - 1} more`;
const join = (a, b) => b ? `${a}: ${b}` : a;
// A status holds times; ages are made here.
const aged = (text, now) => text.replace(/ since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/g, (_, then) => ` for ${age(then, now)}`);
const lasting = (health, now) => health?.lastTransitionTime ? `, for ${age(health.lastTransitionTime, now)}` : "";
const server = (address) => address === "https://kubernetes.default.svc" ? "in-cluster" : (address || "").replace(/^https?:\/\//, "");

/** age gives the time since then, roughly. */
export function age(then, now) {
  const s = Math.max(0, Math.round((now - Date.parse(then)) / 1000));
  if (Number.isNaN(s)) return "some time";
  if (s < 10) return "a moment";
  if (s < 60) return `${Math.floor(s / 10) * 10} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** since is age as an answer to "when". */
export const since = (then, now) => then ? `${age(then, now)} ago` : "some time ago";

/** matches tells whether every word of the filter is somewhere in the row. */
export function matches(app, state, filter) {
  const row = [app.metadata.namespace, app.metadata.name, state.project, state.destination, state.sync.word, state.health.word, state.revision, state.message]
    .join(" ").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => row.includes(word));
}
