// The style of the page where operations are tried: light and dark by the reader's system.

export const DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfbfa, #16181c); --card: light-dark(#fff, #1e2127); --line: light-dark(#e2e2de, #33373f);
  --ink: light-dark(#1d2026, #e8e8e4); --faint: light-dark(#60646c, #a0a5ae); --accent: light-dark(#3451b2, #9db2ff);
  --on-accent: light-dark(#fff, #12182b); --good: light-dark(#18794e, #6fd6a0); --bad: light-dark(#b3261e, #ff9d94);
  --code: light-dark(#f3f3f0, #14161a);
  --get: light-dark(#18794e, #6fd6a0); --post: light-dark(#3451b2, #9db2ff); --put: light-dark(#8a5a00, #f0c060);
  --patch: light-dark(#7a3fa8, #d3a6f5); --delete: light-dark(#b3261e, #ff9d94);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: end; justify-content: space-between; padding-block: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; }
#about { margin: .35rem 0 0; color: var(--faint); }
h2 { font-size: .85rem; text-transform: uppercase; letter-spacing: .06em; color: var(--faint); margin: 2rem 0 .5rem; }
h3 { font-size: .85rem; margin: 1.25rem 0 .5rem; color: var(--faint); font-weight: 600; }
.search span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
input, select, textarea, button { font: inherit; color: inherit; }
input, select, textarea { width: 100%; padding: .45rem .65rem; background: var(--paper); border: 1px solid var(--line); border-radius: .45rem; }
.search input { width: 16rem; background: var(--card); }
textarea { font: .875rem/1.5 ui-monospace, monospace; min-height: 7rem; resize: vertical; tab-size: 2; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: .6rem 0; }
details[hidden] { display: none; }
summary { display: flex; gap: .85rem; align-items: baseline; padding: .7rem 1rem; cursor: pointer; list-style: none; border-radius: .6rem; }
summary::-webkit-details-marker { display: none; }
summary:hover { background: color-mix(in srgb, var(--accent) 6%, transparent); }
.method { font: 700 .75rem/1 ui-monospace, monospace; min-width: 4.2rem; color: var(--faint); }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.path { font: 600 .95rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.path i { font-style: normal; color: var(--accent); }
.sum { color: var(--faint); margin-left: auto; text-align: right; }
.inside { padding: .25rem 1rem 1.1rem; border-top: 1px solid var(--line); }
.inside > p { margin: .75rem 0 0; }
.field { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .25rem 1rem; align-items: start; margin: .5rem 0; }
.field label { padding-top: .4rem; font: 600 .9rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.field label small { display: block; font: .8rem/1.4 system-ui, sans-serif; color: var(--faint); }
.required::after { content: " *"; color: var(--bad); }
.field .error { grid-column: 2; margin: 0; color: var(--bad); font-size: .875rem; }
.field input[type="checkbox"] { width: auto; margin-top: .7rem; }
.run { display: flex; gap: .75rem; align-items: center; margin-top: 1rem; flex-wrap: wrap; }
button { padding: .45rem 1.1rem; border-radius: .45rem; border: 1px solid var(--line); background: var(--card); cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button:disabled { opacity: .55; cursor: default; }
.run select { width: auto; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .45rem; padding: .75rem .9rem; margin: .5rem 0 0; overflow: auto; max-height: 26rem; font: .85rem/1.55 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.status { margin: 1rem 0 0; font-weight: 600; } .status.ok { color: var(--good); } .status.no { color: var(--bad); } .status small { color: var(--faint); font-weight: 400; }
.empty { color: var(--faint); padding: 2rem 0; }
footer { padding-block: 2rem 3rem; color: var(--faint); font-size: .9rem; }
a { color: var(--accent); }
@media (max-width: 40rem) { .field { grid-template-columns: 1fr; } .field .error { grid-column: 1; } .sum { display: none; } .search, .search input { width: 100%; } }
`;
