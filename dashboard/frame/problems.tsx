// What is wrong with the last change: above everything where it could not be served, folded away where it is only a warning.

import type { JSX } from "react";
import type { Problem, State } from "../../src/api/contract.ts";
import { LongText } from "../values/long-text.tsx";
import { Prose } from "../values/prose.tsx";

const MOST_SHOWN = 100;

export function Problems({ state }: { readonly state: State }): JSX.Element | undefined {
  const { problems, status, version } = state;
  // Until the next change is ready, what is wrong with the last one stays in sight.
  if (status === "broken" || problems.some(({ severity }) => severity === "error")) {
    return (
      <section className="problems broken" aria-labelledby="problems-title">
        <div role="alert">
          <h2 id="problems-title">The last change could not be served</h2>
          <p>
            {version > 0
              ? `Version ${version} goes on answering until this is mended.`
              : "Nothing is served until this is mended."}
          </p>
        </div>
        <List problems={problems} />
      </section>
    );
  }
  if (problems.length === 0) return undefined;
  return (
    <details className="problems">
      <summary>{countOf(problems)}</summary>
      <List problems={problems} />
    </details>
  );
}

function countOf(problems: readonly Problem[]): string {
  return problems.length === 1 ? "1 warning" : `${problems.length} warnings`;
}

function List({ problems }: { readonly problems: readonly Problem[] }): JSX.Element {
  return (
    <>
      <ol>
        {problems.slice(0, MOST_SHOWN).map((problem, i) => (
          <li key={i} className={problem.severity}>
            <ProblemView problem={problem} />
          </li>
        ))}
      </ol>
      {problems.length > MOST_SHOWN && <p>And {problems.length - MOST_SHOWN} more.</p>}
    </>
  );
}

function ProblemView({ problem }: { readonly problem: Problem }): JSX.Element {
  const { severity, code, message, at, frame, cure } = problem;
  return (
    <>
      <p className="message">
        <span className={`badge ${severity}`}>{severity}</span> <Prose text={message} />
      </p>
      <p className="where">
        {at !== undefined && <code>{at}</code>} <code className="code">{code}</code>
      </p>
      {frame !== undefined && (
        <pre className="code-frame" tabIndex={0} aria-label="Where it is">
          <LongText text={frame} />
        </pre>
      )}
      {cure !== undefined && (
        <p className="cure">
          <Prose text={cure} />
        </p>
      )}
    </>
  );
}
