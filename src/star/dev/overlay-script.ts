// What runs in the pages of an app under development: it shows what keeps the last change from being served, over the page, and loads the page
// again when there is something newer. As text, for browsers; it uses no inline style and no HTML text, which policies of pages may forbid.

import { PROBLEMS_STYLE } from "./overlay-style.ts";

/** `events`: where it listens. The page was made of the revision that stands behind `?v=` in the script's own address. */
export function overlayScript(events: string): string {
  return `(() => {
  "use strict";
  const script = document.currentScript;
  if (window.__starlaneDev || !script) return;
  window.__starlaneDev = true;
  const loaded = new URL(script.src).searchParams.get("v");
  const isPage = script.dataset.page !== undefined;
  const style = ${JSON.stringify(PROBLEMS_STYLE)};
  let source, host, dismissed;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // What stands between backticks is code.
  const prose = (className, text) => {
    const p = make("p", className);
    p.append(...text.split("\`").map((part, i, all) => (i % 2 === 1 && i < all.length - 1 ? make("code", "", part) : part)));
    return p;
  };

  const item = ({ severity, code, message, at, frame, cure }) => {
    const li = make("li", severity);
    li.append(prose("message", message));
    const place = make("p", "at", at ?? "");
    place.append(make("span", "code", code));
    li.append(place);
    if (frame) li.append(make("pre", "", frame));
    if (cure) li.append(prose("cure", cure));
    return li;
  };

  const hide = () => { host?.remove(); host = undefined; };

  const show = (problems, version) => {
    const shown = JSON.stringify(problems);
    if (shown === dismissed) return;
    hide();
    host = document.createElement("starlane-problems");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const over = make("div", "problems over");
    const box = make("div", "box");
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-label", "Mistakes in the app");
    const head = make("div", "head");
    const title = make("div");
    title.append(make("h1", "", problems.length === 1 ? "The last change has a mistake" : "The last change has " + problems.length + " mistakes"));
    title.append(make("p", "about", "Version " + version + " goes on answering until it is mended."));
    const close = make("button", "", "Close");
    const dismiss = () => { dismissed = shown; hide(); };
    close.type = "button";
    close.addEventListener("click", dismiss);
    over.addEventListener("click", (event) => { if (event.target === over) dismiss(); });
    over.addEventListener("keydown", (event) => { if (event.key === "Escape") dismiss(); });
    head.append(title, close);
    const list = make("ol");
    list.append(...problems.map(item));
    box.append(head, list);
    over.append(box);
    root.append(over);
    document.documentElement.append(host);
    close.focus({ preventScroll: true });
  };

  const onState = (event) => {
    const { revision, status, version, problems } = JSON.parse(event.data);
    if (String(revision) !== loaded) return location.reload();
    if (isPage) return;
    const errors = problems.filter(({ severity }) => severity === "error");
    if (status === "broken" && errors.length > 0) return show(errors, version);
    if (status === "ready") { dismissed = undefined; hide(); }
  };

  // A browser has few connections to one server: pages that nobody sees need none.
  const follow = () => {
    if (document.visibilityState === "hidden") { source?.close(); source = undefined; return; }
    if (source !== undefined) return;
    source = new EventSource(${JSON.stringify(events)});
    source.addEventListener("state", onState);
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => { source?.close(); source = undefined; });
  addEventListener("pageshow", follow);
  follow();
})();
`;
}
