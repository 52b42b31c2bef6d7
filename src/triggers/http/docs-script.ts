// The script of the page where operations are tried: forms made from the OpenAPI document, requests sent by fetch, streams shown as they come.

export const DOCS_SCRIPT = `
const MOST_SHOWN = 200_000;
const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const main = document.getElementById("operations");
const doc = await (await fetch(document.documentElement.dataset.document)).json();

function make(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== undefined && child !== ""));
  return node;
}

function resolve(schema) {
  let found = schema ?? {};
  for (let i = 0; i < 20 && found.$ref; i++) found = found.$ref.slice(2).split("/").reduce((at, key) => at?.[key], doc) ?? {};
  return found;
}

/** The choice that is not null, of an option. */
function payload(schema) {
  const whole = resolve(schema);
  const others = whole.anyOf?.filter((choice) => choice.type !== "null");
  return others?.length === 1 && others.length < whole.anyOf.length ? { ...resolve(others[0]), optional: true } : whole;
}

function typeName(schema) {
  const type = payload(schema);
  if (type.enum) return type.enum.length <= 6 ? type.enum.join(" | ") : "one of " + type.enum.length;
  if (type.type === "array") return "list of " + typeName(type.items);
  if (type.anyOf) return [...new Set(type.anyOf.map(typeName))].join(" or ");
  return type.type ?? (type.properties ? "object" : "any");
}

function example(schema, depth = 0) {
  const type = payload(schema);
  if (type.default !== undefined) return type.default;
  if (depth > 6) return null;
  if (type.enum) return type.enum[0];
  if (type.anyOf) return type.optional ? null : example(type.anyOf[0], depth + 1);
  if (type.type === "object") return Object.fromEntries(Object.entries(type.properties ?? {}).map(([key, value]) => [key, example(value, depth + 1)]));
  if (type.type === "array") return type.prefixItems ? type.prefixItems.map((item) => example(item, depth + 1)) : [];
  return { boolean: false, integer: type.minimum > 0 ? type.minimum : 0, number: 0, string: "" }[type.type] ?? null;
}

let lastId = 0;

/** An input for one value; read() answers its text, undefined where nothing was entered. */
function field(name, schema, { required, description, json, multiline }) {
  const type = payload(schema);
  const id = "f" + ++lastId;
  let input;
  let read;
  if (type.enum || type.type === "boolean") {
    const values = type.enum ?? [true, false];
    input = make("select", { id }, required ? "" : make("option", { value: "" }, "—"), ...values.map((value) => make("option", {}, String(value))));
    read = () => (input.value === "" ? undefined : input.value);
  } else if (json || multiline) {
    input = make("textarea", { id, spellcheck: false, value: required || json ? JSON.stringify(example(schema), null, 2) : "" });
    if (!json) input.value = "";
    read = () => (input.value === "" && !required ? undefined : input.value);
  } else if (type.type === "array") {
    input = make("textarea", { id, spellcheck: false, placeholder: "one value a line", rows: 2 });
    read = () => (input.value === "" ? undefined : input.value.split("\\n"));
  } else {
    input = make("input", { id, autocomplete: "off", spellcheck: false });
    if (type.type === "integer" || type.type === "number") input.inputMode = "decimal";
    if (type.default !== undefined) input.placeholder = String(type.default);
    read = () => (input.value === "" && !(required && type.type === "string") ? undefined : input.value);
  }
  const error = make("p", { className: "error", id: id + "e", hidden: true });
  input.setAttribute("aria-describedby", error.id);
  if (required) input.setAttribute("aria-required", "true");
  const label = make("label", { htmlFor: id }, make("span", { className: required ? "required" : "" }, name), make("small", {}, typeName(schema)), description ? make("small", {}, description) : undefined);
  const row = make("div", { className: "field" }, label, input, error);
  const say = (text) => { error.textContent = text ?? ""; error.hidden = !text; input.toggleAttribute("aria-invalid", Boolean(text)); };
  return { name, row, read, say, input };
}

function bodyFields(body) {
  const [mediaType, { schema }] = Object.entries(body.content)[0];
  const type = resolve(schema);
  const isObject = mediaType === "application/json" && type.type === "object" && type.properties;
  if (!isObject) {
    const isJson = mediaType.includes("json");
    const only = field("body", schema, { required: body.required, json: isJson, multiline: true, description: mediaType });
    return { mediaType, fields: [only], write: () => only.read() };
  }
  const fields = Object.entries(type.properties).map(([name, inner]) => {
    const plain = payload(inner);
    const simple = plain.enum || ["string", "integer", "number", "boolean"].includes(plain.type) || numeric(plain);
    return Object.assign(field(name, inner, { required: type.required?.includes(name), json: !simple, description: inner.description }), { type: plain, simple });
  });
  const write = () => JSON.stringify(Object.fromEntries(fields.flatMap((item) => {
    const text = item.read();
    return text === undefined ? [] : [[item.name, item.simple ? valueOf(item.type, text) : JSON.parse(text)]];
  })));
  return { mediaType, fields, write };
}

function numeric(type) {
  return type.anyOf?.some((choice) => choice.type === "integer" || choice.type === "number");
}

function valueOf(type, text) {
  if (type.type === "boolean") return text === "true";
  if (type.type === "integer" || type.type === "number" || numeric(type)) {
    return /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(Number(text)) ? text : text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
  }
  return text;
}

function pathParts(path) {
  return path.split(/(\\{[^}]*\\})/).map((part) => (part.startsWith("{") ? make("i", {}, part) : part));
}

function operationView(path, method, operation) {
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const schema = parameter.schema ?? Object.values(parameter.content ?? {})[0]?.schema;
    return { ...parameter, ...field(parameter.name, schema, { required: parameter.required, description: parameter.description, json: Boolean(parameter.content) }) };
  });
  const body = operation.requestBody ? bodyFields(operation.requestBody) : undefined;
  const results = Object.entries(operation.responses).filter(([status]) => status.startsWith("2")).flatMap(([, response]) => Object.keys(response.content ?? {}));
  const accept = results.length > 1 ? make("select", { ariaLabel: "Form of the answer" }, ...results.map((type) => make("option", {}, type))) : undefined;
  const send = make("button", { className: "primary", type: "submit" }, "Send");
  const stop = make("button", { type: "button", hidden: true }, "Stop");
  const curl = make("button", { type: "button" }, "Copy as curl");
  const out = make("div", { ariaLive: "polite" });
  const form = make("form", { className: "inside", noValidate: true },
    operation.description ? make("p", {}, operation.description) : undefined,
    inputs.length ? make("h3", {}, "Parameters") : undefined, ...inputs.map((item) => item.row),
    body ? make("h3", {}, "Body") : undefined, ...(body?.fields ?? []).map((item) => item.row),
    make("div", { className: "run" }, send, stop, curl, accept), out);
  const fields = [...inputs, ...(body?.fields ?? [])];
  let running;

  const request = () => {
    const query = new URLSearchParams();
    const headers = {};
    let url = path;
    for (const item of inputs) {
      const value = item.read();
      if (item.in === "path") url = url.replace("{" + item.name + "}", () => [value ?? ""].flat().join("/").split("/").map(encodeURIComponent).join("/"));
      else if (value === undefined) continue;
      else if (item.in === "query") for (const one of [value].flat()) query.append(item.name, one);
      else if (item.in === "header") headers[item.name] = [value].flat().join(", ");
      else if (item.in === "cookie") document.cookie = item.name + "=" + value + "; path=/; SameSite=Strict";
    }
    if (accept) headers.accept = accept.value;
    const text = body?.write();
    if (text !== undefined) headers["content-type"] = body.mediaType;
    return { url: query.size ? url + "?" + query : url, init: { method: method.toUpperCase(), headers, body: text } };
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const item of fields) item.say();
    const missing = inputs.filter((item) => item.in === "path" && item.read() === undefined);
    for (const item of missing) item.say("A value is needed.");
    if (missing.length) return missing[0].input.focus();
    let call;
    try { call = request(); } catch { return body.fields.find((item) => !item.simple)?.say("This is no JSON."); }
    running = new AbortController();
    send.disabled = true;
    stop.hidden = false;
    try { await show(out, call, running.signal, fields); }
    catch (error) { if (!running.signal.aborted) out.append(make("p", { className: "status no" }, "No answer: " + error.message)); }
    finally { send.disabled = false; stop.hidden = true; }
  });
  form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  stop.addEventListener("click", () => running?.abort());
  curl.addEventListener("click", async () => {
    let call;
    try { call = request(); } catch { return; }
    const quote = (text) => "'" + text.replaceAll("'", "'\\\\''") + "'";
    const parts = ["curl", ...(call.init.method === "GET" ? [] : ["-X", call.init.method]), quote(new URL(call.url, location.href).href)];
    for (const [name, value] of Object.entries(call.init.headers)) parts.push("-H", quote(name + ": " + value));
    if (call.init.body !== undefined) parts.push("--data-binary", quote(call.init.body));
    await navigator.clipboard.writeText(parts.join(" "));
    curl.textContent = "Copied";
    setTimeout(() => { curl.textContent = "Copy as curl"; }, 1500);
  });

  const view = make("details", { id: operation.operationId }, make("summary", {},
    make("span", { className: "method " + method }, method.toUpperCase()), make("span", { className: "path" }, ...pathParts(path)),
    make("span", { className: "sum" }, operation.summary ?? "")), form);
  view.dataset.text = [method, path, operation.summary, operation.description].join(" ").toLowerCase();
  return view;
}

async function show(out, { url, init }, signal, fields) {
  const started = performance.now();
  const response = await fetch(url, { ...init, signal });
  const pre = make("pre", { tabIndex: 0, ariaLabel: "Answer" });
  const took = make("small", {}, " " + Math.round(performance.now() - started) + " ms");
  const type = response.headers.get("content-type") ?? "";
  out.replaceChildren(make("p", { className: "status " + (response.ok ? "ok" : "no") }, response.status + " " + response.statusText, took, make("small", {}, " " + type)));
  if (response.status === 204) return;
  if (type.startsWith("image/")) return out.append(make("img", { src: URL.createObjectURL(await response.blob()), alt: "The answer" }));
  out.append(pre);
  let text = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    if (text.length < MOST_SHOWN) pre.textContent = text += step.value;
  }
  if (!type.includes("json") || type.includes("ndjson")) return;
  let json;
  try { json = JSON.parse(text); } catch { return; }
  pre.textContent = JSON.stringify(json, null, 2);
  for (const mistake of json.mistakes ?? []) {
    fields.find((item) => item.name === mistake.name || mistake.name.startsWith(item.name + ".") || mistake.name.startsWith(item.name + "["))?.say(mistake.message);
  }
}

document.getElementById("about").textContent = ["Version " + doc.info.version, doc.info.description].filter(Boolean).join(" — ");
const groups = new Map();
for (const [path, item] of Object.entries(doc.paths)) {
  for (const method of METHODS) {
    if (!item[method]) continue;
    const tag = item[method].tags?.[0] ?? "Operations";
    groups.set(tag, [...(groups.get(tag) ?? []), operationView(path, method, item[method])]);
  }
}
const none = make("p", { className: "empty", hidden: groups.size > 0 }, groups.size > 0 ? "No operation is like that." : "There are no operations here.");
main.replaceChildren(...[...groups].map(([tag, views]) => make("section", {}, make("h2", {}, tag), ...views)), none);
const search = document.getElementById("search");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\\s+/);
  let shown = 0;
  for (const section of main.querySelectorAll("section")) {
    const views = [...section.querySelectorAll("details")];
    for (const view of views) view.hidden = !words.every((word) => view.dataset.text.includes(word));
    const count = views.filter((view) => !view.hidden).length;
    section.hidden = count === 0;
    shown += count;
  }
  none.hidden = shown > 0;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  search.focus();
});
const opened = document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (opened?.tagName === "DETAILS") opened.open = true;
`;
