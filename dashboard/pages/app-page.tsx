// An app: what it offers, what starts it, what it is made of.

import type { JSX } from "react";
import type { AppView, ComponentView, OperationView, State } from "../../src/api/contract.ts";
import { Empty, Heading, Section } from "../frame/parts.tsx";
import { shortName } from "../model/find.ts";
import { hrefOf } from "../model/route.ts";
import { shortened } from "../values/shortened.ts";
import { Prose } from "../values/prose.tsx";
import { sizeText } from "../values/times.ts";
import { Triggers } from "./triggers.tsx";

export function AppPage({ state, app }: { readonly state: State; readonly app: AppView }): JSX.Element {
  return (
    <article>
      <Heading title={app.name}>
        {app.description !== undefined && (
          <p className="lead">
            <Prose text={app.description} />
          </p>
        )}
        <p className="facts">
          {app.version !== undefined && <span>version {app.version}</span>}
          <code>{app.file}</code>
        </p>
      </Heading>
      <Section id="operations" title="Operations">
        <OperationList app={app} operations={app.operations} />
      </Section>
      <Section id="triggers" title="Triggers">
        {app.triggers.length === 0 ? (
          <Empty>Nothing starts its operations but this page and the command line.</Empty>
        ) : (
          <Triggers triggers={app.triggers} addresses={state.addresses} />
        )}
      </Section>
      <Section id="components" title="Components">
        <ul className="cards">
          {app.components.map((component) => (
            <li key={component.name}>
              <ComponentCard app={app} component={component} />
            </li>
          ))}
        </ul>
        {app.components.length === 0 && <Empty>It is made of nothing but flows.</Empty>}
      </Section>
    </article>
  );
}

export function OperationList({
  app,
  component,
  operations,
}: {
  readonly app: AppView;
  readonly component?: ComponentView;
  readonly operations: readonly OperationView[];
}): JSX.Element {
  if (operations.length === 0) return <Empty>There are none.</Empty>;
  return (
    <ul className="operations">
      {operations.map((operation) => (
        <li key={operation.name}>
          <a
            href={hrefOf({ page: "operation", app: app.name, component: component?.name, operation: operation.name })}
            title={operation.name}
          >
            {shortName(operation.name)}
          </a>
          <code className="signature">{signatureOf(operation)}</code>
          {operation.description !== undefined && (
            <p>
              <Prose text={operation.description} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function signatureOf({ ports, result }: OperationView): string {
  const text = `(${ports.map(({ name, type }) => `${name}: ${type}`).join(", ")})${result === undefined ? "" : ` -> ${result}`}`;
  return shortened(text, 110);
}

function ComponentCard({ app, component }: { readonly app: AppView; readonly component: ComponentView }): JSX.Element {
  const { name, kind, file, sizeBytes, operations } = component;
  return (
    <div className="card">
      <h3>
        <a href={hrefOf({ page: "component", app: app.name, component: name })}>{name}</a>
        <span className="badge">{kind}</span>
      </h3>
      <p className="facts">
        <code title={file}>{file}</code>
        {sizeBytes !== undefined && <span>{sizeText(sizeBytes)}</span>}
        <span>{operations.length === 1 ? "1 operation" : `${operations.length} operations`}</span>
      </p>
      <Grants grants={component.grants} />
    </div>
  );
}

export function Grants({ grants }: { readonly grants: readonly string[] }): JSX.Element {
  if (grants.length === 0) return <p className="muted">No grants: computation only.</p>;
  return (
    <ul className="grants" aria-label="Grants">
      {grants.map((grant, i) => (
        <li key={i}>
          <code>{grant}</code>
        </li>
      ))}
    </ul>
  );
}
